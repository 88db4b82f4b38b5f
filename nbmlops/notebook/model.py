"""What a notebook is to nbmlops: cells in order, each with a role, its Python text, and where it stands.

The reader makes it, analysis and compiler read it; nobody changes it.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

from nbmlops.core.diagnostics import Diagnostic, SourceSpan
from nbmlops.core.jupyter_tags import RAISES

# A source line is shown up to here: reports stay readable when data are pasted into a cell.
_LONGEST_LINE = 200


class CellKind(StrEnum):
    """What the file says a cell is."""

    CODE = "code"
    MARKDOWN = "markdown"
    RAW = "raw"


class RoleKind(StrEnum):
    """What a cell is for. `SHARED`: tagged `imports` or `functions`; `SETUP`: untagged code above the first step."""

    PARAMETERS = "parameters"
    SHARED = "shared"
    SETUP = "setup"
    STEP = "step"
    METRICS = "metrics"
    SKIP = "skip"
    TEXT = "text"


class CellRole(Struct, frozen=True):
    """The role of one cell.

    Attributes:
        kind: What the cell is for.
        step: The step it belongs to, for `STEP` (an untagged cell belongs to the step above it); else "".
        after: Steps named by `prev:` tags of this cell.
    """

    kind: RoleKind
    step: str = ""
    after: tuple[str, ...] = ()


class MagicAction(StrEnum):
    """What compiling does with a piece of IPython syntax; everything else is refused by a diagnostic."""

    DROP = "drop"
    UNWRAP = "unwrap"
    REQUIREMENT = "requirement"
    CALL = "call"
    SHELL = "shell"
    GATE = "gate"
    REGISTER = "register"


class Magic(Struct, frozen=True):
    """One magic or shell line of a cell and what became of it.

    Attributes:
        line: 1-based line in the cell.
        text: What the user wrote.
        action: What compiling does with it.
        reason: Why, as a sentence for the report.
        python: The Python that stands in its place; "" for dropped ones. For a gate or register line the call that it
            stands for, while the cell's own Python is empty there: the call becomes a stage of the pipeline.
    """

    line: int
    text: str
    action: MagicAction
    reason: str
    python: str = ""


class Cell(Struct, frozen=True):
    r"""One cell.

    Attributes:
        id: The nbformat id; for older formats a digest of position and source, never random.
        number: 1-based position among all cells of the notebook.
        kind: Code, Markdown or raw.
        source: The text as stored, line ends normalised to `\n`.
        tags: `metadata.tags` and those of a `# nbmlops:` first line, in order.
        role: What the cell is for.
        python: The source as plain Python, with as many lines: magics dropped or replaced. "" unless code.
        magics: The IPython syntax that was found, in line order.
        ignored: Codes of warnings and notes that its author does not want to see.
    """

    id: str
    number: int
    kind: CellKind
    source: str
    tags: tuple[str, ...] = ()
    role: CellRole = CellRole(RoleKind.TEXT)
    python: str = ""
    magics: tuple[Magic, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def may_raise(self) -> bool:
        """Whether the notebook goes on when the cell raises: then nothing of it is sure to run."""
        return RAISES in self.tags and self.role.kind is RoleKind.STEP


class Notebook(Struct, frozen=True):
    """A notebook that could be read; `diagnostics` says what is wrong with it, and may hold errors.

    Attributes:
        path: As the user named it, for messages; never an absolute path of our own making.
        name: The pipeline name: the file's stem made a Python identifier.
        title: The first Markdown heading, or "".
        cells: All cells in order.
        diagnostics: Faults found while reading, sorted.
    """

    path: str
    name: str
    cells: tuple[Cell, ...]
    title: str = ""
    diagnostics: tuple[Diagnostic, ...] = field(default=())

    def step_names(self) -> tuple[str, ...]:
        """Returns the step names in the order of their first cells."""
        return tuple(dict.fromkeys(cell.role.step for cell in self.cells if cell.role.kind is RoleKind.STEP))

    def cells_of(self, step: str) -> tuple[Cell, ...]:
        """Returns the code cells of one step, in order."""
        return tuple(cell for cell in self.cells if cell.role.kind is RoleKind.STEP and cell.role.step == step)

    def span(self, cell: Cell, line: int = 0, col: int = 0, end_line: int = 0, end_col: int = 0) -> SourceSpan:
        """Returns the place in a cell (1-based line and column; 0 = the whole cell) with its source line."""
        lines = cell.source.split("\n")
        text = lines[line - 1][:_LONGEST_LINE] if 0 < line <= len(lines) and col <= _LONGEST_LINE else ""
        text = "".join(character if character.isprintable() else " " for character in text)
        return SourceSpan(self.path, cell.number, cell.id, line, col, end_line, end_col, text)
