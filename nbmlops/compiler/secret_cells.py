"""NB405: secret in a cell.

Compiling copies cells word for word, and notebook and pipeline are committed: who may read the repository may read a
password that stands in a cell, and it cannot be called back, only replaced. The message names what the secret is given
to, never the secret. Read it from a variable of the environment instead, and name the variable under `secrets` in
`nbmlops.toml`, so that engines and CI hand it over. What is no secret is listed under `[redaction] allow`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.core.diagnostics import Diagnostic, Severity
from nbmlops.core.known_secrets import MARK, KnownSecrets
from nbmlops.core.secret_hints import may_name_secrets, may_show_secrets
from nbmlops.notebook.model import Cell, CellKind, Notebook
from nbmlops.pipeline.ir import Pipeline

CODE = "NB405"
_IGNORE = "nbmlops-ignore:"
_LEAST = 4
_LONGEST_NAME = 40
_FORMS = {
    "Password in an Address": "password in an address",
    "Token in an Address": "token in an address",
    "Signature in an Address": "token in an address",
    "Authorization Header": "authorization",
}


class Secret(Struct, frozen=True):
    """A secret that stands in a cell.

    Attributes:
        cell: The cell.
        line: Its first line there, from 1.
        value: The text; for no eyes.
        name: What it is given to, "" if to nothing.
        form: What it is by its form, such as "AWS Access Key", "" if its name or its randomness told.
        certain: It is one by its name or form; otherwise it only looks random.
    """

    cell: Cell
    line: int
    value: str
    name: str = ""
    form: str = ""
    certain: bool = True


def find_secrets(notebook: Notebook, allowed: Collection[str] = ()) -> tuple[Secret, ...]:
    """Returns the secrets that stand in the notebook's cells, in its order.

    Args:
        notebook: The notebook; skipped cells count, as they are committed with it.
        allowed: Texts that are no secrets, and names whose values are none.
    """
    code = [cell for cell in notebook.cells if cell.kind is CellKind.CODE]
    named = may_name_secrets("\n".join(cell.source for cell in code))
    shown = may_show_secrets("\n".join(cell.source for cell in notebook.cells))
    if not (named or shown):
        return ()
    cells = [cell for cell in notebook.cells if cell.kind is CellKind.CODE or not _is_ignored(cell)]
    found = [secret for cell in cells for secret in _of_cell(cell, named=named, shown=shown)]
    return tuple(one for one in found if one.name not in allowed and one.value not in allowed)


def _is_ignored(cell: Cell) -> bool:
    """Returns whether a cell of text asks not to be told of; of code, the reader knows it."""
    return any(tag.startswith(_IGNORE) and CODE in tag for tag in cell.tags)


def _of_cell(cell: Cell, *, named: bool, shown: bool) -> Iterator[Secret]:
    """Yields the secrets of a cell by line; one that shows both by its name and by its form is one."""
    from nbmlops.tracking.secret_formats import find_secrets as find_forms  # noqa: PLC0415 - most notebooks hold none
    from nbmlops.tracking.secret_sources import assigned_secrets  # noqa: PLC0415 - likewise

    forms = dict(find_forms(cell.source)) if shown and may_show_secrets(cell.source) else {}
    texts = dict.fromkeys((cell.python, cell.source)) if named and cell.kind is CellKind.CODE else ()
    found: dict[tuple[int, str], Secret] = {}
    for text in texts:  # what magics give to variables stands in the Python that takes their place
        for one in assigned_secrets(text):
            form = next((what for value, what in forms.items() if value in one.value or one.value in value), "")
            secret = Secret(cell, one.line, one.value, one.name, form, one.certain or bool(form))
            found.setdefault((one.line, one.value), secret)
    assigned = [secret.value for secret in found.values()]
    for value, what in forms.items():
        if len(value) >= _LEAST and not any(value in text or text in value for text in assigned):
            line = cell.source[: cell.source.find(value)].count("\n") + 1
            found[line, value] = Secret(cell, line, value, form=what)
    yield from sorted(found.values(), key=lambda secret: secret.line)


def warnings(notebook: Notebook, secrets: Iterable[Secret]) -> Iterator[Diagnostic]:
    """Yields a warning for each secret: where it stands and how to do without. `masked` takes it out of the line."""
    for one in secrets:
        yield Diagnostic(
            CODE, Severity.WARNING, _said(one), notebook.span(one.cell, one.line), _hint(one, notebook.name)
        )


def _said(secret: Secret) -> str:
    if not secret.name:
        return f"a secret stands in the cell: {_FORMS.get(secret.form, secret.form)}"
    if secret.form:
        why = f"a secret: {_FORMS.get(secret.form, secret.form)}"
    else:
        why = "a secret by its name" if secret.certain else "as random as a secret"
    return f"the value of '{secret.name[:_LONGEST_NAME]}' stands in the cell, and is {why}"


def _hint(secret: Secret, pipeline: str) -> str:
    if secret.cell.kind is not CellKind.CODE:
        return f"take it out of the text; if it is none, tag the cell `nbmlops-ignore:{CODE}`"
    variable = _variable(secret.name or _FORMS.get(secret.form, secret.form))
    allow = f'[redaction] allow = ["{secret.name}"]' if secret.name else f"`# nbmlops: ignore={CODE}`"
    return (
        f'read it where it is needed, as os.environ["{variable}"], and name it in nbmlops.toml: '
        f'[pipelines.{pipeline}] secrets = ["{variable}"]; if it is none: {allow}'
    )


def masked(diagnostics: Iterable[Diagnostic], secrets: Collection[Secret]) -> tuple[Diagnostic, ...]:
    """Returns the diagnostics without the secrets, which the lines and values that they show may hold."""
    if not secrets:
        return tuple(diagnostics)
    known = KnownSecrets({one.value: one.form or one.name for one in secrets})
    lines: dict[tuple[int, int], list[Secret]] = {}
    for one in secrets:
        for line in range(one.line, one.line + one.value.count("\n") + 1):
            lines.setdefault((one.cell.number, line), []).append(one)
    return tuple(_masked(diagnostic, known, lines) for diagnostic in diagnostics)


def secret_defaults(pipeline: Pipeline, secrets: Collection[Secret]) -> frozenset[str]:
    """Returns the parameters whose defaults hold a secret."""
    return frozenset(
        parameter.name
        for parameter in pipeline.parameters
        if any(one.value in str(parameter.default) for one in secrets)
    )


def _masked(
    diagnostic: Diagnostic, known: KnownSecrets, lines: Mapping[tuple[int, int], Sequence[Secret]]
) -> Diagnostic:
    span = diagnostic.span
    here = lines.get((span.cell, span.line), ())
    line = known.redact(_without(span.source_line, here))[0]
    message, hint = known.redact(diagnostic.message)[0], known.redact(diagnostic.hint)[0]
    return replace(diagnostic, message=message, hint=hint, span=replace(span, source_line=line))


def _without(line: str, secrets: Sequence[Secret]) -> str:
    """Returns a line without its secrets; nothing of it where one is not found as it is (escaped, in pieces, cut)."""
    for one in secrets:
        without = line.replace(one.value, MARK)
        if without == line:
            return MARK
        line = without
    return line


def _variable(name: str) -> str:
    """Returns a name for a variable of the environment."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").upper()
    return words if words[:1].isalpha() else f"SECRET_{words}".rstrip("_")
