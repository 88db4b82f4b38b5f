"""What the imports of a notebook resolve to in this environment: the text of a `requirements.lock`."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

OWN = "nbmlops"


@dataclass(frozen=True, slots=True)
class ResolvedLock:
    """A lock and what could not be resolved.

    Attributes:
        text: `name==version` lines, sorted, with everything that the named distributions require.
        unresolved: Top-level modules that no installed distribution provides.
    """

    text: str
    unresolved: tuple[str, ...]


def resolve_imports(modules: Iterable[str], local: Iterable[str], requirements: Iterable[str] = ()) -> ResolvedLock:
    """Returns the lock of a notebook: its imports, its `%pip install` lines and nbmlops, all they need included.

    Args:
        modules: Modules that the cells import, dotted or not.
        local: Top-level names of modules that stand beside the notebook; they are part of the project.
        requirements: Names of distributions that the notebook asks for itself.
    """
    providers = importlib.metadata.packages_distributions()
    skipped = {*sys.stdlib_module_names, *local, OWN, "__future__"}
    top_level = sorted({module.partition(".")[0] for module in modules} - skipped)
    roots = [OWN, *requirements, *(name for module in top_level for name in providers.get(module, ()))]
    pinned = _closure(roots)
    unresolved = tuple(module for module in top_level if module not in providers)
    return ResolvedLock(_render(pinned), unresolved)


def _closure(roots: Sequence[str]) -> Mapping[str, str]:
    """Returns normalised name -> line of every installed distribution that the roots require, with extras."""
    lines: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(root, "") for root in roots]
    while waiting:
        name, extra = waiting.pop()
        key = (_normalised(name), extra)
        if key in seen:
            continue
        seen.add(key)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # an optional requirement that is not installed, or a folder instead of an installation
        lines[key[0]] = f"{distribution.metadata['Name']}=={distribution.version}"
        waiting += _required(distribution.requires or (), extra)
    return lines


def _required(texts: Iterable[str], extra: str) -> list[tuple[str, str]]:
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415  # 20 ms that only locking needs

    found = []
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # old metadata of a foreign distribution: what it needs is installed or not
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            found += [(requirement.name, wanted) for wanted in ("", *sorted(requirement.extras))]
    return found


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _render(pinned: Mapping[str, str]) -> str:
    head = (
        "# What the notebook's imports resolve to, with everything that they require.\n"
        "# Written by `nbmlops compile` the first time; `nbmlops lock` refreshes it.\n"
        f"# python {sys.version_info.major}.{sys.version_info.minor}\n"
    )
    return head + "".join(f"{pinned[name]}\n" for name in sorted(pinned))


def own_version() -> str:
    """Returns the version of nbmlops that is installed; "0" where it runs from a folder that was never installed."""
    try:
        return importlib.metadata.version(OWN)
    except importlib.metadata.PackageNotFoundError:
        return "0"
