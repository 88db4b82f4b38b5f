"""Import lines, written again from what analysis recorded: only what is used, in the order that isort gives."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from nbmlops.analysis.model import ImportedName
from nbmlops.compiler.layout import WIDTH


def import_lines(imports: Iterable[ImportedName], own: Collection[str] = ()) -> list[str]:
    """Returns the import block: future, standard library, third party, own modules, a blank line between the groups.

    Args:
        imports: What to import; one name may be bound by several imports of submodules.
        own: Top-level names of the package and of modules beside the notebook.
    """
    groups: dict[int, list[ImportedName]] = {}
    for imported in dict.fromkeys(_without_place(imported) for imported in imports):
        groups.setdefault(_group(imported.module, own), []).append(imported)
    lines: list[str] = []
    for group in sorted(groups):
        lines += [""] if lines else []
        lines += _group_lines(groups[group])
    return lines


def loading_lines(imports: Iterable[ImportedName]) -> list[str]:
    """Returns imports whose names nothing here mentions, in the notebook's order, and why they stand here."""
    lines = [f"{bare(imported)}  # noqa: F401" for imported in imports]
    if not lines:
        return []
    return ["# isort: off", "# What importing these does stays, as in the notebook.", *lines, "# isort: on"]


def _without_place(imported: ImportedName) -> ImportedName:
    return ImportedName(imported.name, imported.module, imported.attribute)


def _group(module: str, own: Collection[str]) -> int:
    top = module.partition(".")[0]
    if top == "__future__":
        return 0
    if top in own:
        return 3
    return 1 if top in sys.stdlib_module_names else 2


def _group_lines(imports: Sequence[ImportedName]) -> list[str]:
    lines: list[str] = []
    for imported in sorted((i for i in imports if not i.attribute), key=lambda i: (_natural(i.module), i.name)):
        is_plain = imported.name == imported.module.partition(".")[0]
        lines.append(f"import {imported.module}" + ("" if is_plain else f" as {imported.name}"))
    members: dict[str, list[ImportedName]] = {}
    for imported in imports:
        if imported.attribute:
            members.setdefault(imported.module, []).append(imported)
    for module in sorted(members, key=_natural):
        lines += _member_lines(module, members[module])
    return lines


def _member_lines(module: str, imports: Sequence[ImportedName]) -> list[str]:
    plain = sorted({i.attribute for i in imports if i.attribute == i.name}, key=_member)
    renamed = sorted({(i.attribute, i.name) for i in imports if i.attribute != i.name})
    blocks = [((_member(old), 0, new), [f"from {module} import {old} as {new}"]) for old, new in renamed]
    if plain:
        blocks.append(((_member(plain[0]), 1, ""), _from_lines(module, plain)))
    return [line for _, block in sorted(blocks) for line in block]


def _from_lines(module: str, names: Sequence[str]) -> list[str]:
    one = f"from {module} import {', '.join(names)}"
    if len(one) <= WIDTH:
        return [one]
    return [f"from {module} import (", *(f"    {name}," for name in names), ")"]


@lru_cache(maxsize=1024)  # the steps of a pipeline import the same names
def _natural(text: str) -> tuple[list[tuple[int, int, str]], str]:
    parts = [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.split(r"(\d+)", text.lower()) if p]
    return parts, text


def _member(name: str) -> tuple[int, tuple[list[tuple[int, int, str]], str]]:
    if len(name) > 1 and name.isupper():
        return 0, _natural(name)
    return (1 if name[:1].isupper() else 2), _natural(name)


def bare(imported: ImportedName) -> str:
    """Returns one import as a statement, for a function that must bind the name itself."""
    return _group_lines([imported])[0]
