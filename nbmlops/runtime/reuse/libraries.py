"""Which versions of which distributions are installed, read from the names of their metadata folders: about 1 ms."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

_METADATA = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:-py[0-9.]+)?\.(?:dist|egg)-info")


def installed_versions(path: Sequence[str]) -> dict[str, str]:
    """Returns distribution -> version for everything on the import path; the first place wins, as for imports.

    Args:
        path: `sys.path`.
    """
    versions: dict[str, str] = {}
    for folder in path:
        try:
            with os.scandir(folder or ".") as entries:
                names = sorted(entry.name for entry in entries)
        except OSError:
            continue  # an entry of the import path need not exist
        for name in names:
            if match := _METADATA.fullmatch(name):
                versions.setdefault(normalized(match["name"]), match["version"])
    return versions


@cache
def _owners() -> Mapping[str, Sequence[str]]:
    from importlib.metadata import packages_distributions  # noqa: PLC0415  # a tenth of a run with nothing to do

    return packages_distributions()  # reads a file of every distribution: 0.2 s


def normalized(name: str) -> str:
    """Returns the one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions_of(modules: Iterable[str], versions: Mapping[str, str]) -> dict[str, str]:
    """Returns distribution -> version of what brings the modules, sorted; modules of nobody are left out.

    Args:
        modules: Top-level module names.
        versions: What is installed.
    """
    found = {name for name in map(normalized, modules) if name in versions}
    rest = [module for module in modules if normalized(module) not in versions]
    if rest:
        owners = _owners()
        found |= {normalized(owner) for module in rest for owner in owners.get(module, ())}
    return {name: versions[name] for name in sorted(found) if name in versions}
