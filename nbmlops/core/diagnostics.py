"""Faults in a notebook or a configuration file, as data: what, where, why, and the edit that helps.

Readers, analysis and compiler return diagnostics; command line, magics and reports render them. Lines and columns are
1-based everywhere; a cell number is the 1-based position among all cells of the notebook, as a person counts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


class Severity(StrEnum):
    """How much a diagnostic matters: an error refuses to compile, a warning asks for a look, a note informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class SourceSpan(Struct, frozen=True):
    """A place in a notebook or text file; `cell` and `line` are 0 where unknown, `line` counts in the cell."""

    path: str
    cell: int = 0
    cell_id: str = ""
    line: int = 0
    col: int = 0
    end_line: int = 0
    end_col: int = 0
    source_line: str = ""

    def __str__(self) -> str:
        text = self.path
        if self.cell:
            text += f" cell {self.cell}"
        if self.line:
            text += f" line {self.line}" + (f":{self.col}" if self.col else "")
        return text


class Diagnostic(Struct, frozen=True):
    """One fault. `code` is stable and documented (NBxyz), `hint` is the exact edit."""

    code: str
    severity: Severity
    message: str
    span: SourceSpan
    hint: str = ""

    def to_json(self) -> dict[str, Json]:
        """Returns the shape that `compile --format json` promises: code, severity, message, cell, line, col, hint."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "cell": self.span.cell,
            "line": self.span.line,
            "col": self.span.col,
            "hint": self.hint,
        }


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Returns whether any of the diagnostics refuses to go on."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)


def sort_diagnostics(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Returns the diagnostics in the order of the notebook, each once."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda d: (d.span.path, d.span.cell, d.span.line, d.span.col, d.code, d.message)))


def render_diagnostic(diagnostic: Diagnostic) -> str:
    """Returns the plain text form: header, place, source line with a caret, hint.

    Example:
        error[NB203]: 'df' is read by step 'train' but no earlier step defines it
          --> churn.ipynb cell 7 line 3:5
           |  df.head()
           |  ^^
          hint: tag the cell that defines 'df' with a step
    """
    span = diagnostic.span
    lines = [f"{diagnostic.severity.value}[{diagnostic.code}]: {diagnostic.message}", f"  --> {span}"]
    if span.source_line:
        lines.append(f"   |  {span.source_line.rstrip()}")
        if span.col:
            same_line = span.end_line in (0, span.line)
            width = max(1, span.end_col - span.col) if same_line and span.end_col else 1
            lines.append("   |  " + " " * (span.col - 1) + "^" * width)
    if diagnostic.hint:
        lines.append(f"  hint: {diagnostic.hint}")
    return "\n".join(lines)


def render_diagnostics(diagnostics: Iterable[Diagnostic]) -> str:
    """Returns all diagnostics as text, a blank line between two of them."""
    return "\n\n".join(render_diagnostic(diagnostic) for diagnostic in diagnostics)
