"""How the libraries of a run differ from those that a lock names: pure, with names, closed when in doubt."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from nbmlops.compiler.lock import locked_python
from nbmlops.core.syntax import parse, walk
from nbmlops.notebook.source import translate
from nbmlops.runtime.reuse.libraries import normalized

_COMMENT = re.compile(r"(?:^|\s)#.*")
_OTHER_FILES = ("--requirement", "--constraint", "--editable")
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;*]+)\s*(?:;\s*(.*))?")


def pin_differences(
    lock: str,
    python: str,
    packages: Mapping[str, str],
    environment: Mapping[str, str],
    imported: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> tuple[str, ...] | None:
    """Returns how the libraries of a run differ from a lock, one phrase for each; None for a lock that pins nothing.

    Args:
        lock: The text of a `requirements.lock`.
        python: The version of Python that the run had, "" where it is not known.
        packages: Name, as the packaging standard normalises it, -> version of every distribution that was installed.
        environment: Values for markers, as `packaging.markers.default_environment` gives them.
        imported: Module that the run's cells import -> the distributions that bring it.
    """
    pins: dict[str, str] = {}
    told: list[str] = []
    short = ".".join(python.split(".")[:2])
    here = {**environment, **({"python_version": short, "python_full_version": python} if python else {})}
    for requirement in _requirements(lock):
        found = _PIN.fullmatch(requirement)
        if found is None:
            told.append(f"{requirement:.60} names no version")
        elif _applies(found[3], here):
            name, version = normalized(found[1]), found[2]
            if pins.setdefault(name, version) != version:
                told.append(f"{name} is locked twice: {pins[name]} and {version}")
    if not pins:
        return None
    wanted = locked_python(lock)
    if wanted and wanted != short:
        told.insert(0, f"Python is {short or 'not known'}, locked {wanted}")
    return (*told, *_differences(pins, packages), *_unlocked(pins, packages, imported))


def imported_modules(cells: Iterable[str]) -> tuple[str, ...]:
    """Returns the top-level names of the modules that cells import, sorted; cells that are not Python are left out.

    Args:
        cells: Their sources, as in the notebook.
    """
    found: set[str] = set()
    for python in (translate(source).python for source in cells if "import" in source):
        for node in walk(parse(python)):
            if isinstance(node, ast.Import):
                found.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return tuple(sorted(found))


def _requirements(lock: str) -> Iterator[str]:
    """Yields the requirements in a lock, without comments, hashes and options that ask for nothing more."""
    joined = lock.replace("\\\n", " ")
    for line in joined.splitlines():
        words = _COMMENT.sub("", line).strip()
        if words and (not words.startswith("--") or words.startswith(_OTHER_FILES)):
            yield re.split(r"\s--", words, maxsplit=1)[0].strip()


def _applies(marker: str | None, environment: Mapping[str, str]) -> bool:
    """Returns whether a pin counts here; one whose marker cannot be read does."""
    if not marker:
        return True
    from packaging.markers import InvalidMarker, Marker  # noqa: PLC0415  # few locks have markers

    try:
        return Marker(marker).evaluate(dict(environment))
    except InvalidMarker:
        return True


def _differences(pins: Mapping[str, str], packages: Mapping[str, str]) -> Iterable[str]:
    for name, version in sorted(pins.items()):
        known = packages.get(name)
        if known is None:
            yield f"{name} is not installed, locked {version}"
        elif not _same(known, version):
            yield f"{name} is {known}, locked {version}"


def _unlocked(
    pins: Mapping[str, str], packages: Mapping[str, str], imported: Mapping[str, Sequence[str]]
) -> Iterable[str]:
    """Yields the libraries that cells import and that the lock does not name: nothing holds their versions."""
    for module, owners in sorted(imported.items()):
        if owners and not any(owner in pins for owner in owners):
            versions = " or ".join(f"{owner} {packages[owner]}" for owner in owners)
            yield f"{module} is imported ({versions}), and not locked"


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415  # mostly they are equal as they are

    try:
        # Names of folders, by which installed versions are known, write "-" as "_".
        return Version(one.replace("_", "-")) == Version(other)
    except InvalidVersion:
        return False
