"""A generated Python module while it is put together: its lines, then its text and its source map."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from nbmlops.analysis.model import ImportedName
from nbmlops.compiler.cells import Line, own
from nbmlops.compiler.imports import import_lines, loading_lines
from nbmlops.core.errors import NbmlopsError
from nbmlops.notebook.model import Notebook
from nbmlops.pipeline.ir import SourceLines


class Module(Struct, frozen=True):
    """A module of the package: its name, its text and where its lines come from."""

    name: str
    text: str
    lines: tuple[SourceLines, ...] = ()


def assemble(name: str, sections: Sequence[Sequence[Line]], notebook: Notebook) -> Module:
    """Returns the module made of sections: two blank lines around functions and classes, one between the others."""
    lines: list[Line] = []
    was_definition = False
    for section in filter(None, sections):
        is_definition = _is_definition(section)
        if lines:
            lines += own("", "") if is_definition or was_definition else own("")
        lines += section
        was_definition = is_definition
    return Module(name, "\n".join(line.text for line in lines) + "\n", source_lines(lines, notebook))


def import_sections(
    loads: Sequence[ImportedName], imports: Iterable[ImportedName], own_modules: Collection[str]
) -> list[list[Line]]:
    """Returns the imports of a module as sections; those for their effect come first, below those of the future."""
    imports = list(imports)
    future = [imported for imported in imports if imported.module == "__future__"]
    first = [import_lines(future), loading_lines(loads)] if loads else []
    rest = [imported for imported in imports if not (loads and imported in future)]
    return [own(*lines) for lines in (*first, import_lines(rest, own_modules)) if lines]


def _is_definition(section: Sequence[Line]) -> bool:
    first = next((line.text for line in section if not line.text.startswith("#")), "")
    return first.startswith(("def ", "async def ", "class ", "@"))


def source_lines(lines: Iterable[Line], notebook: Notebook) -> tuple[SourceLines, ...]:
    """Returns the source map: runs of lines that stand in one cell, one below the other."""
    blocks: list[SourceLines] = []
    for number, line in enumerate(lines, 1):
        if not line.cell:
            continue
        last = blocks[-1] if blocks else None
        if last and _continues(last, number, line):
            blocks[-1] = SourceLines(last.line, last.count + 1, last.cell, last.cell_id, last.cell_line)
        else:
            blocks.append(SourceLines(number, 1, line.cell, notebook.cells[line.cell - 1].id, line.cell_line))
    return tuple(blocks)


def _continues(block: SourceLines, number: int, line: Line) -> bool:
    follows = number == block.line + block.count and line.cell_line == block.cell_line + block.count
    return follows and line.cell == block.cell


def compile_check(files: Mapping[str, str]) -> None:
    """Checks that every generated Python file is Python.

    Raises:
        NbmlopsError: one is not; that is a fault of ours, never of the user.
    """
    for path, text in files.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # `x is "a"` is the user's affair
                compile(text, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise NbmlopsError(
                f"nbmlops generated {path}, which is not valid Python: {error}",
                "this is a fault of nbmlops; please report it with the notebook",
            ) from error
