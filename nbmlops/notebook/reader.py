"""`.ipynb` bytes in, a `Notebook` out: the only door to the source language, for files and for unsaved text alike."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path, PurePath

from msgspec.structs import replace

from nbmlops.core.diagnostics import sort_diagnostics
from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.core.syntax import parse, walk
from nbmlops.notebook.api_calls import imported_names, lift_calls
from nbmlops.notebook.codes import Fault, to_diagnostics
from nbmlops.notebook.document import RawCell, read_cells
from nbmlops.notebook.model import Cell, CellKind, CellRole, MagicAction, Notebook, RoleKind
from nbmlops.notebook.names import pipeline_name
from nbmlops.notebook.shell_lines import shell_names
from nbmlops.notebook.source import Translation, translate
from nbmlops.notebook.stages import check_stages
from nbmlops.notebook.steps import MarkedCell, assign_roles
from nbmlops.notebook.tagged_tests import repeated_tests, with_tests
from nbmlops.notebook.tags import CellMarks, read_marks

_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*")
_FENCE = re.compile(r" {0,3}(```|~~~)")


def read_notebook(path: Path) -> Notebook:
    """Returns the notebook in the file, with everything that is wrong with it as diagnostics.

    Raises:
        UsageError: there is no such file, or it is no Python notebook of a known format.
        EnvironmentFault: the file must not be read.
    """
    if any(not character.isprintable() for character in str(path)):
        raise UsageError(f"the path {str(path)!r} holds a control character", "rename the file or folder")
    try:
        if path.is_dir():
            raise UsageError(f"{path} is a folder, not a notebook", _notebooks_hint(path, ""))
        if path.is_symlink() and not path.exists():
            raise UsageError(f"{path} is a link that leads nowhere", "mend the link, or name the notebook itself")
        if not path.exists():
            raise UsageError(f"{path} does not exist", _notebooks_hint(path.parent, path.name))
        if not path.is_file():
            raise UsageError(f"{path} is not a regular file", "name a .ipynb file")
        data = path.read_bytes()
    except PermissionError as error:
        raise EnvironmentFault(
            f"{path} must not be read: {error.strerror}", "give yourself the right to read it"
        ) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", "name a .ipynb file") from error
    return parse_notebook(data, str(path))


def parse_notebook(data: bytes, path: str) -> Notebook:
    """Returns the notebook in the bytes of an `.ipynb` file.

    Args:
        data: The whole file.
        path: Its name, for messages and for the pipeline's name; nothing is read from there.

    Raises:
        UsageError: the bytes are no Python notebook of a known format.
    """
    raw, format_faults = read_cells(data, path)
    faults = list(format_faults)
    translations = _translations(raw)
    marked = []
    for cell, plain in zip(raw, translations, strict=True):
        marks = _marks(cell, plain)
        translation = with_tests(plain, marks) if plain and marks else plain
        python, magics = (translation.python, translation.magics) if translation else ("", ())
        refused = translation is not None and bool(translation.faults)
        marked.append(MarkedCell(cell.number, cell.kind, python, magics, marks, refused))
        faults += _cell_faults(cell, translation, marks)
    roles, role_faults = assign_roles(marked)
    faults += role_faults
    cells = tuple(_cell(*parts) for parts in zip(raw, marked, roles, strict=True))
    faults += check_stages(cells)
    faults += repeated_tests(cells)
    name = pipeline_name(PurePath(path).stem, _imported_modules(cells))
    notebook = Notebook(path, name, cells, _title(cells))
    return replace(notebook, diagnostics=sort_diagnostics(to_diagnostics(notebook, faults)))


def _notebooks_hint(folder: Path, name: str) -> str:
    found = sorted(path.name for path in folder.glob("*.ipynb")) if folder.is_dir() else []
    near = get_close_matches(name, found, n=1)
    if near:
        return f"did you mean {folder / near[0]}?"
    shown = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
    return f"notebooks in this folder: {shown}" if found else "name a .ipynb file"


def _translations(cells: Sequence[RawCell]) -> list[Translation | None]:
    plain = [translate(cell.source, cell=cell.number) if cell.kind is CellKind.CODE else None for cell in cells]
    if any(_runs_shell(translation) for translation in plain):
        known = shell_names(translation.python for translation in plain if translation)
        plain = [
            translate(cell.source, known, cell.number) if _runs_shell(translation) else translation
            for cell, translation in zip(cells, plain, strict=True)
        ]
    names = imported_names(translation.python for translation in plain if translation)
    return [translation and lift_calls(translation, names) for translation in plain]


def _runs_shell(translation: Translation | None) -> bool:
    return translation is not None and any(magic.action is MagicAction.SHELL for magic in translation.magics)


def _marks(cell: RawCell, translation: Translation | None) -> CellMarks | None:
    return None if translation is None else read_marks(cell.tags, cell.source, translation)


def _cell_faults(cell: RawCell, translation: Translation | None, marks: CellMarks | None) -> Iterable[Fault]:
    """Yields what is wrong with one cell by itself; the code of a skipped cell may be anything."""
    if translation is None or marks is None:
        return
    skipped = marks.kind is RoleKind.SKIP
    for fault in (*marks.faults, *(() if skipped else translation.faults)):
        yield replace(fault, cell=cell.number)


def _cell(raw: RawCell, marked: MarkedCell, role: CellRole) -> Cell:
    tags, ignored = (marked.marks.tags, marked.marks.ignored) if marked.marks else (raw.tags, ())
    return Cell(raw.id, raw.number, raw.kind, raw.source, tags, role, marked.python, marked.magics, ignored)


def _imported_modules(cells: Sequence[Cell]) -> frozenset[str]:
    names: set[str] = set()
    for cell in cells:
        for node in walk(parse(cell.python, cell.number)) if "import" in cell.python else ():
            if isinstance(node, ast.Import):
                names.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return frozenset(names)


def _title(cells: Sequence[Cell]) -> str:
    """Returns the first heading of the first Markdown cell that has one, "" if none has."""
    for cell in cells:
        if cell.kind is not CellKind.MARKDOWN:
            continue
        fenced = False
        for line in cell.source.split("\n"):
            fenced ^= bool(_FENCE.match(line))
            if not fenced and (heading := _HEADING.fullmatch(line)) and heading.group(1):
                return heading.group(1)
    return ""
