"""Targets by name: those that come with nbmlops, and those that installed distributions register."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module

from nbmlops.compiler.targets.deployment import Target
from nbmlops.core.errors import UsageError

GROUP = "nbmlops.targets"
# The way to write a pipeline without any target.
NONE = "none"
# name -> module; imported when asked for.
_BUILT_IN = {
    "github": "github_actions",
    "kfp": "kfp",
    "airflow": "airflow",
    "prefect": "prefect",
    "zenml": "zenml",
    "gitlab": "gitlab",
    "jenkins": "jenkins",
    "docker": "docker",
}


def find_targets(names: Iterable[str]) -> tuple[Target, ...]:
    """Returns the targets of these names, each once.

    Raises:
        UsageError: there is no such target, or what a distribution registered is none.
    """
    return tuple(_find(name) for name in dict.fromkeys(names) if name != NONE)


def _find(name: str) -> Target:
    if name in _BUILT_IN:
        target = import_module(f"nbmlops.compiler.targets.{_BUILT_IN[name]}").TARGET
        assert isinstance(target, Target)
        return target
    from nbmlops.core.plugins import load_plugin, plugin_names  # noqa: PLC0415  # metadata of all distributions

    others = plugin_names(GROUP)
    if name not in others:
        known = (*_BUILT_IN, *others, NONE)
        near = get_close_matches(name[:200], known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UsageError(f"there is no target {name!r:.80}", f"{hint}known targets: {', '.join(known)}")
    found = load_plugin(GROUP, name)
    if not isinstance(found, Target):
        raise UsageError(
            f"what is registered as the target {name!r} is no nbmlops Target, but of type {type(found).__name__}",
            "tell who wrote it: docs/how-to/write-a-target.md says what it has to be",
        )
    return found
