"""The text of `requirements.lock`: what a notebook's imports resolve to. Pure: what is installed is handed in."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from nbmlops.core.syntax import parse, walk
from nbmlops.notebook.model import MagicAction, Notebook, RoleKind

OWN = "nbmlops"
_HEAD = (
    "# What the notebook's imports resolve to, with everything that they require.\n"
    "# Written by `nbmlops compile` the first time; `nbmlops lock` refreshes it.\n"
)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VALUE_OPTIONS = frozenset(
    {"-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f"}
)


class Installed(Struct, frozen=True):
    """An installed distribution: name and version, what it requires, and the top-level modules that it provides."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


class Lock(Struct, frozen=True):
    """The text of the lock, and the top-level modules that nothing installed provides."""

    text: str
    unresolved: tuple[str, ...] = ()


def required_names(notebook: Notebook) -> tuple[str, ...]:
    """Returns the distributions that the notebook asks for without importing them, sorted.

    Those are the ones that `%pip install` lines name (options, files and addresses left out), and those whose files it
    reads by `importlib.metadata.distribution("name")`.
    """
    cells = [cell for cell in notebook.cells if cell.role.kind is not RoleKind.SKIP]
    magics = (magic for cell in cells for magic in cell.magics if magic.action is MagicAction.REQUIREMENT)
    installed = {name for magic in magics for name in _installed_by(magic.text)}
    return tuple(sorted(installed.union(*(_looked_up(cell.python) for cell in cells))))


def _looked_up(source: str) -> set[str]:
    """Returns the literal names that calls of `distribution` look up."""
    try:
        tree = parse(source)
    except (SyntaxError, ValueError):
        return set()  # the reader reports the cell
    calls = (node for node in walk(tree) if isinstance(node, ast.Call) and node.args)
    found = ((call.func, call.args[0]) for call in calls)
    return {
        argument.value
        for function, argument in found
        if isinstance(argument, ast.Constant)
        and isinstance(argument.value, str)
        and "distribution" in {getattr(function, "id", ""), getattr(function, "attr", "")}
    }


def resolve_lock(
    modules: Iterable[str], requirements: Iterable[str], installed: Sequence[Installed], environment: Mapping[str, str]
) -> Lock:
    """Returns the lock: `name==version` of all that is imported or asked for, of nbmlops, and of what these require.

    Args:
        modules: Modules that the cells import, dotted or not; those of the project itself left out.
        requirements: Names of distributions that the notebook asks for.
        installed: What is installed.
        environment: Values for the markers of requirements, as `packaging.markers.default_environment` gives them.
    """
    providers: dict[str, list[str]] = {}
    for distribution in installed:
        for module in distribution.modules:
            providers.setdefault(module, []).append(distribution.name)
    skipped = {*sys.stdlib_module_names, OWN, "__future__"}
    wanted = sorted({module.partition(".")[0] for module in modules} - skipped)
    roots = [OWN, *requirements, *(name for module in wanted for name in providers.get(module, ()))]
    pinned = _closure(roots, {_canonical(one.name): one for one in installed}, environment)
    lines = [pinned[name] for name in sorted(pinned)]
    text = _HEAD + f"# python {environment['python_version']}\n" + "".join(f"{line}\n" for line in lines)
    return Lock(text, tuple(module for module in wanted if module not in providers))


def _closure(
    roots: Sequence[str], installed: Mapping[str, Installed], environment: Mapping[str, str]
) -> dict[str, str]:
    pinned: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(root, "") for root in roots]
    while waiting:
        name, extra = waiting.pop()
        key = (_canonical(name), extra)
        if key in seen or key[0] not in installed:
            continue  # what is not installed is optional, or the environment is broken, which running will tell
        seen.add(key)
        distribution = installed[key[0]]
        pinned[key[0]] = f"{distribution.name}=={distribution.version}"
        waiting += _required(distribution.requires, extra, environment)
    return pinned


def _required(texts: Iterable[str], extra: str, environment: Mapping[str, str]) -> list[tuple[str, str]]:
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415  # 20 ms that only locking needs

    found: list[tuple[str, str]] = []
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # old metadata of a foreign distribution: what it needs is installed or not
            continue
        if requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra}):
            found += [(requirement.name, wanted) for wanted in ("", *sorted(requirement.extras))]
    return found


def _installed_by(text: str) -> set[str]:
    command = re.split(r"\b(?:install|add)\b", text, maxsplit=1)[-1]
    words = re.split(r"[|&;]|\s#", command, maxsplit=1)[0].split()
    found: set[str] = set()
    for before, word in zip(["", *words], words, strict=False):
        plain = word.strip("\"'")
        match = _NAME.match(plain)
        is_path = "/" in plain or plain.endswith((".txt", ".whl", ".gz")) or plain == "."
        if match and not is_path and before not in _VALUE_OPTIONS:
            found.add(match[0])
    return found


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
