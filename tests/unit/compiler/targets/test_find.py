from __future__ import annotations

import pytest

from nbmlops.compiler.targets.deployment import Target
from nbmlops.compiler.targets.find import find_targets
from nbmlops.core import plugins
from nbmlops.core.errors import UsageError

OTHER = Target(lambda pipeline: ())


def test_targets_are_found_by_name_each_once() -> None:
    names = ["github", "kfp", "airflow", "prefect", "zenml", "gitlab", "jenkins", "docker"]
    assert [type(target) for target in find_targets([*names, "none", "kfp"])] == [Target] * 8


def test_other_distributions_register_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: dict[str, object] = {"make": OTHER, "odd": 3}
    monkeypatch.setattr(plugins, "plugin_names", lambda group: tuple(registered))
    monkeypatch.setattr(plugins, "load_plugin", lambda group, name: registered[name])
    assert find_targets(["make"]) == (OTHER,)
    with pytest.raises(UsageError, match="the target 'odd' is no nbmlops Target, but of type int"):
        find_targets(["odd"])
    with pytest.raises(UsageError, match="there is no target 'mak'") as caught:
        find_targets(["mak"])
    known = "github, kfp, airflow, prefect, zenml, gitlab, jenkins, docker, make, odd, none"
    assert caught.value.hint == f"did you mean 'make'? known targets: {known}"
