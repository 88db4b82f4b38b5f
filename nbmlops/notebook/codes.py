"""What reading and cutting a notebook can find: code, severity, why it is told. The doc page is made from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct

from nbmlops.core.diagnostics import Diagnostic, Severity
from nbmlops.notebook.model import Cell, CellKind, Notebook


class Code(Struct, frozen=True):
    """One kind of fault: a stable code, how much it matters, a title, and why it is reported."""

    code: str
    severity: Severity
    title: str
    why: str


class Fault(Struct, frozen=True):
    """A fault of one cell (or of the whole file: cell 0) before it is given its place as a diagnostic.

    Columns are 1-based; 0 stands for unknown, as in `SourceSpan`.
    """

    code: str
    message: str
    hint: str
    cell: int = 0
    line: int = 0
    col: int = 0
    end_line: int = 0
    end_col: int = 0


_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE
_ALL = (
    # The file and its cells
    Code(
        "NB101",
        _N,
        "no step tags",
        "Steps are inferred from headings, data flow and what cells do; they may move when the notebook changes. "
        "`nbmlops tag` shows them with their reasons, and writes them into the notebook.",
    ),
    Code("NB102", _W, "cell id repeated or malformed", "Ids tell cells apart; a digest of the source takes its place."),
    Code("NB103", _W, "unknown kind of cell", "It is kept as text and never run."),
    Code("NB104", _N, "old notebook format", "The notebook is upgraded in memory; its file is left as it is."),
    Code("NB105", _E, "broken text", "Half a surrogate pair is no text: Python cannot encode it."),
    Code(
        "NB106", _E, "tags that are no list of strings", "Nothing can be read from them, so the cell's role is unknown."
    ),
    Code("NB107", _E, "no code", "There is nothing to compile."),
    # Python and IPython syntax
    Code("NB110", _E, "not Python", "The cell cannot run, so it cannot be compiled."),
    Code(
        "NB111",
        _E,
        "cell magic that cannot be compiled",
        "Its body is no Python of this process, or has another meaning.",
    ),
    Code("NB112", _E, "line magic that cannot be compiled", "It needs IPython or changes how the notebook runs."),
    Code("NB113", _E, "shell command that cannot be compiled", "What it would run cannot be known."),
    Code("NB115", _E, "cell magic below the first line", "IPython takes `%%` only as the first line of a cell."),
    Code("NB116", _N, "output that `%%capture` hid is shown", "A step notebook shows what its cells show."),
    Code("NB117", _E, "unknown magic", "What it does cannot be known, so it is not dropped silently."),
    Code("NB118", _E, "too much IPython syntax in a cell", "IPython itself gives up after 500 pieces."),
    # %mlops lines
    Code("NB120", _E, "%mlops line that does not follow the grammar", "The magic refuses it in the same words."),
    Code(
        "NB121",
        _E,
        "gate or register inside other code",
        "They become stages of the pipeline, which run once, after it.",
    ),
    Code(
        "NB122",
        _E,
        "logging below the gate",
        "The gate judges when all steps are done; the line would change the verdict.",
    ),
    Code("NB123", _E, "more than one gate or register line", "A pipeline has one of each."),
    Code(
        "NB124",
        _E,
        "register needs names",
        "The registering stage loads values by their names from the pipeline's store.",
    ),
    Code("NB125", _E, "register above the gate", "Registering needs a verdict."),
    Code("NB126", _N, "command of another program", "What it reads and writes cannot be seen, so it runs each time."),
    Code("NB127", _E, "waiver in a notebook", "A waiver is about one run; a pipeline would waive the rule for ever."),
    Code("NB128", _W, "cell tagged `test` without a test", "No function `test_...` is defined, so nothing is tested."),
    Code(
        "NB129",
        _E,
        "behaviour test that may be missed",
        "Each test has a name of its own and runs in every run; else one that fails could go unnoticed.",
    ),
    # Tags and steps
    Code(
        "NB130", _E, "misspelt tag", "Taken literally the tag would do nothing, and the cell would join another step."
    ),
    Code("NB131", _E, "misspelt `# nbmlops:` line", "Taken literally it would be a comment."),
    Code("NB132", _E, "spellings that disagree", "One cell has one role; nobody should have to guess which."),
    Code("NB134", _E, "step without a name", "A step is called by its name."),
    Code("NB135", _E, "unfit step name", "Step names become file, module and function names."),
    Code("NB136", _E, "step names that look alike", "Different letters with the same shape: nearly always a slip."),
    Code(
        "NB137", _W, "step names that differ only by case", "Some file systems take them for one; modules get numbers."
    ),
    Code(
        "NB138", _E, "two parameters cells", "papermill reads the first one only; the second would undo what was given."
    ),
    Code("NB139", _E, "`prev:` of an unknown step", "The order that was meant cannot be kept."),
    Code("NB140", _E, "`prev:` of a later step", "Steps run in the order of the notebook."),
    Code("NB141", _E, "`prev:` in a cycle", "No order satisfies it."),
    Code(
        "NB142",
        _E,
        "step in two places",
        "Running the cells together would run some before others that stand above them.",
    ),
    Code("NB143", _E, "step without code", "There is nothing to run."),
    Code("NB144", _E, "`prev:` on a cell of no step", "Only steps have an order."),
    Code(
        "NB145",
        _E,
        "metrics cell with other code",
        "A `pipeline-metrics` cell says which names are metrics, and nothing else.",
    ),
    Code(
        "NB146",
        _E,
        "cell of no step that is meant to raise",
        "After the error of a cell tagged `raises-exception` its step goes on, as the notebook does. Code of shared "
        "cells has no such place of its own.",
    ),
    Code("NB147", _E, "`# nbmlops:` below the first line", "It counts for the whole cell, so it stands at its top."),
    Code("NB148", _E, "no step", "All code is shared, skipped or parameters; nothing would run."),
    Code(
        "NB149",
        _E,
        "notebook inside a notebook",
        "Kale's `notebook:` tag names another notebook, which is a pipeline of its own.",
    ),
)
# What cutting a notebook into other steps than its tags say has to tell.
_OF_CUTS = (
    Code("NB108", _N, "step tags that do not count", "`--steps` asks for other steps than the tags say."),
    Code(
        "NB109",
        _N,
        "border left out",
        "With a step beginning here the notebook would be refused; without it nothing stands in the way.",
    ),
)
CODES: Mapping[str, Code] = MappingProxyType({code.code: code for code in _ALL})
CUT_CODES: Mapping[str, Code] = MappingProxyType({code.code: code for code in _OF_CUTS})


def to_diagnostics(notebook: Notebook, faults: Iterable[Fault]) -> Iterable[Diagnostic]:
    """Yields the faults with severity and place."""
    for fault in faults:
        place = (fault.line, fault.col, fault.end_line, fault.end_col)
        cell = notebook.cells[fault.cell - 1] if fault.cell else Cell("", 0, CellKind.RAW, "")
        message, hint = _printable(fault.message), _printable(fault.hint)
        severity = (CODES.get(fault.code) or CUT_CODES[fault.code]).severity
        yield Diagnostic(fault.code, severity, message, notebook.span(cell, *place), hint)


def _printable(text: str) -> str:
    """Returns the text without control characters: tags and names come from a file that anybody may have written."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
