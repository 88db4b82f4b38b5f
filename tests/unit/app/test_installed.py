from __future__ import annotations

import importlib.metadata

from nbmlops.app.installed import resolve_imports


def test_imports_resolve_to_their_distributions_with_what_they_require() -> None:
    lock = resolve_imports(["sklearn.linear_model", "json", "beside", "nowhere.at.all"], ["beside"], ["click"])
    lines = [line for line in lock.text.splitlines() if not line.startswith("#")]
    pinned = dict(line.split("==") for line in lines)
    for name in ("scikit-learn", "scipy", "threadpoolctl", "click"):
        assert pinned[name] == importlib.metadata.version(name)
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0].lower().replace("_", "-"))
    assert lock.unresolved == ("nowhere",)
    assert "beside" not in pinned


def test_the_same_environment_gives_the_same_text() -> None:
    assert resolve_imports(["yaml", "pandas"], []) == resolve_imports(["pandas", "yaml"], [])
