"""What is installed in this environment, as records for `lock_text`: the edge to its metadata."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache

from nbmlops.app.compiling.lock_text import OWN, Installed
from nbmlops.runtime.reuse.libraries import installed_versions


@cache
def installed_distributions() -> tuple[Installed, ...]:
    """Returns every installed distribution with what it requires and the modules that it provides, sorted by name."""
    import importlib.metadata  # noqa: PLC0415  # 10 ms that only making a lock needs

    modules: dict[str, list[str]] = {}
    for module, names in importlib.metadata.packages_distributions().items():
        for name in names:
            modules.setdefault(name, []).append(module)
    found: dict[str, Installed] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name and name not in found:  # the first one on the path is the one that is imported
            provided = tuple(sorted(set(modules.get(name, ()))))
            found[name] = Installed(name, distribution.version, tuple(distribution.requires or ()), provided)
    return tuple(found[name] for name in sorted(found))


def marker_environment() -> Mapping[str, str]:
    """Returns the values that markers of requirements are evaluated with: those of this Python."""
    from packaging.markers import default_environment  # noqa: PLC0415  # 20 ms that only locking needs

    return {name: str(value) for name, value in default_environment().items()}


def own_version() -> str:
    """Returns the version of nbmlops that is installed; "0" where it runs from a folder that was never installed."""
    return installed_versions(sys.path).get(OWN, "0")
