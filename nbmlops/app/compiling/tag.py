"""Tagging: steps are proposed for a notebook, shown with their reasons, and written into its file if that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from nbmlops.analysis.analyze import analyze
from nbmlops.analysis.model import ClosingNames
from nbmlops.analysis.proposing.proposal import Proposal, StepsFrom
from nbmlops.app.compiling.compile import Source, open_source, star_names
from nbmlops.app.compiling.steps import cut_notebook, steps_from
from nbmlops.core.diagnostics import Diagnostic
from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import Conflict, EnvironmentFault, NbmlopsError, UsageError
from nbmlops.notebook.document import RawCell, read_cells
from nbmlops.notebook.model import Cell, CellKind, Notebook
from nbmlops.notebook.reader import parse_notebook
from nbmlops.notebook.retag import has_step_tags, names_step, without_step_tags
from nbmlops.notebook.tag_edit import write_tags

_SHOWN_CELLS = 6
# What compiling without tags says: it is what the outcome is about.
_OF_CUT = frozenset({"NB101", "NB108", "NB109"})


class TagStatus(StrEnum):
    """What became of the proposal."""

    PROPOSED = "proposed"
    WRITTEN = "written"


class TagRequest(Struct, frozen=True):
    """What the caller asks for.

    Attributes:
        notebook: The notebook as the user named it, relative to `cwd`.
        cwd: The folder that relative paths count from.
        steps: Where the steps come from.
        write: Write the tags into the file.
        retag: Put the proposed steps in the place of those that the notebook has.
    """

    notebook: str
    cwd: Path
    steps: str = StepsFrom.INFERRED.value
    write: bool = False
    retag: bool = False


class TagOutcome(Struct, frozen=True):
    """What was proposed.

    Attributes:
        status: Whether it was written.
        notebook: The notebook, cut as proposed.
        proposal: The proposal.
        diagnostics: What compiling would say of it.
        written: Numbers of the cells whose tags were, or would be, changed.
        replaces: Whether the notebook had step tags before.
    """

    status: TagStatus
    notebook: Notebook
    proposal: Proposal
    diagnostics: tuple[Diagnostic, ...]
    written: tuple[int, ...]
    replaces: bool = False


def tag(request: TagRequest) -> TagOutcome:
    """Returns the steps that are proposed for a notebook, after they were written if that was asked for.

    Raises:
        UsageError: the notebook cannot be read, has step tags already, or names a step where tags are not written.
        ConfigError: the configuration is malformed.
        EnvironmentFault: the file cannot be written.
        Conflict: the file was changed meanwhile.
    """
    source = open_source(request.notebook, request.cwd)
    replaces = has_step_tags(source.notebook)
    if replaces and not request.retag:
        tagged = [cell.number for cell in source.notebook.cells if names_step(cell)]
        raise UsageError(
            f"{source.notebook.path} has step tags already: {_cells(tagged)}",
            f"see its steps: nbmlops inspect {source.notebook.path}; for others in their place: --retag",
        )
    closing = ClosingNames(source.config.model, source.config.data, source.config.metrics)
    stars = star_names(source)
    cut, proposal = cut_notebook(source.notebook, steps_from(request.steps), closing, source.local, stars)
    found = analyze(cut, closing, source.local).diagnostics
    diagnostics = tuple(diagnostic for diagnostic in found if diagnostic.code not in _OF_CUT)
    data = _read(source.path)
    tags = _changed_tags(data, source, proposal)
    if request.write:
        _write(source, data, tags, cut)
    status = TagStatus.WRITTEN if request.write else TagStatus.PROPOSED
    return TagOutcome(status, cut, proposal, diagnostics, tuple(tags), replaces)


def _changed_tags(data: bytes, source: Source, proposal: Proposal) -> Mapping[int, tuple[str, ...]]:
    """Returns cell number -> all tags, for the cells whose tags are others than those in the file."""
    raw, _ = read_cells(data, source.notebook.path)
    added = {step.begins: f"step:{step.name}" for step in proposal.steps} | dict(proposal.roles())
    wanted = {cell.number: _tags(cell, added.get(cell.number, "")) for cell in raw if cell.kind is CellKind.CODE}
    return {cell.number: wanted[cell.number] for cell in raw if wanted.get(cell.number, cell.tags) != cell.tags}


def _tags(cell: RawCell, added: str) -> tuple[str, ...]:
    return (*without_step_tags(cell.tags), *([added] if added else []))


def _write(source: Source, data: bytes, tags: Mapping[int, tuple[str, ...]], cut: Notebook) -> None:
    """Writes the tags into the file.

    Raises:
        UsageError: a cell names its step in its text, or the file has an old format.
        EnvironmentFault: the file cannot be written.
        Conflict: the file was changed meanwhile.
        NbmlopsError: the tags would not mean what they should, which is a fault of ours.
    """
    path = source.notebook.path
    edited = write_tags(data, tags, path)
    found = parse_notebook(edited, path)
    by_text = [
        cell.number for cell, raw in zip(found.cells, read_cells(edited, path)[0], strict=True) if _says(cell, raw)
    ]
    if by_text:
        raise UsageError(
            f"the text of {_cells(by_text)} says to which step it belongs",
            "remove the lines `# nbmlops: step=…` or `%%mlops step …`: tags take their place",
        )
    if [cell.role for cell in found.cells] != [cell.role for cell in cut.cells]:
        raise NbmlopsError(f"the tags written into {path} would not mean what was proposed", "please report it")
    if _read(source.path) != data:
        raise Conflict(f"{path} was changed meanwhile", "run the command again")
    if edited != data:
        write_atomically(source.path, edited, mode=source.path.stat().st_mode & 0o777)


def _says(cell: Cell, raw: RawCell) -> bool:
    """Returns whether the text of a cell, not its tags, says to which step it belongs, or what runs before it."""
    by_text = tuple(tag for tag in cell.tags if tag not in raw.tags)
    return cell.kind is CellKind.CODE and without_step_tags(by_text) != by_text


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EnvironmentFault(f"{path.name} cannot be read: {error.strerror or error}", "look at the file") from error


def _cells(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:_SHOWN_CELLS])) + (", …" if len(numbers) > _SHOWN_CELLS else "")
    return f"cell{'s' if len(numbers) != 1 else ''} {shown}"
