"""`%mlops inspect` and `%mlops compile`: the use cases of the command line, on the notebook that is running."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbmlops.app.compiling.compile import CompileMode, CompileOutcome, CompileRequest, CompileStatus, compile_project
from nbmlops.app.compiling.inspect import inspect_notebook
from nbmlops.app.project import shown_path
from nbmlops.app.session.current import current_session
from nbmlops.app.session.kernel_notebook import locate_notebook
from nbmlops.app.show.cards import Card, Table
from nbmlops.app.show.views import View
from nbmlops.core.diagnostics import Diagnostic, has_errors, render_diagnostic
from nbmlops.core.errors import ComparisonFailed, NotebookError, UsageError
from nbmlops.notebook.mlops_lines import Options
from nbmlops.pipeline.ir import Pipeline

_SAVED = "this is the notebook as it was saved last"


class InspectView(View, Struct, frozen=True):
    """What the compiler sees in the notebook."""

    pipeline: Pipeline | None
    diagnostics: tuple[Diagnostic, ...]
    out: str

    def card(self) -> Card:
        """Returns steps, parameters and problems."""
        problems = _lines(self.diagnostics)
        if self.pipeline is None or has_errors(self.diagnostics):
            return Card("FAIL", "this notebook cannot be compiled", notes=(_SAVED,), code=problems)
        pipeline = self.pipeline
        steps = tuple(
            (
                step.name,
                ranges(step.cells),
                ", ".join(one.name for one in step.inputs),
                ", ".join(step.outputs),
                step.mode.value + (f": {step.reason}" if step.reason else ""),
            )
            for step in pipeline.steps
        )
        parameters = tuple((one.name, one.type.value, repr(one.default)) for one in pipeline.parameters)
        tables = [Table("steps", ("step", "cells", "reads", "hands over", "emitted as"), steps)]
        if parameters:
            tables.append(Table("parameters", ("name", "type", "default"), parameters))
        closing = [name for name, stage in (("gate", pipeline.gate), ("register", pipeline.register)) if stage]
        title = f"{pipeline.name}: {len(pipeline.steps)} steps{', then ' + ' and '.join(closing) if closing else ''}"
        return Card("PIPELINE", title, tuple(tables), (_SAVED,), code=problems)


class CompileView(View, Struct, frozen=True):
    """What compiling wrote, or would write."""

    outcome: CompileOutcome

    def card(self) -> Card:
        """Returns what happened to the files, and what to do next."""
        outcome = self.outcome
        changes = outcome.changes
        rows = []
        if changes is not None:
            kinds = (("new", changes.new), ("changed", changes.changed), ("removed", changes.removed))
            rows = [(str(path), kind) for kind, paths in kinds for path in paths]
        state = "UNCHANGED" if outcome.status is CompileStatus.UNCHANGED else "COMPILED"
        tables = (Table("files", ("file", "what happened"), tuple(rows)),) if rows else ()
        problems = _lines(outcome.compiled.diagnostics)
        run = f"to run it: %mlops run, or nbmlops run {outcome.out} in a terminal"
        return Card(state, f"{outcome.name} in {outcome.out}", tables, (*outcome.notes, run, _SAVED), code=problems)


def inspect(options: Options, namespace: Mapping[str, Any]) -> InspectView:
    """Returns what the compiler sees in the notebook that is running.

    Args:
        options: Of the `%mlops inspect` line.
        namespace: The notebook's variables.

    Raises:
        UsageError: the notebook is not known or cannot be read.
    """
    found = inspect_notebook(_notebook(options, namespace), Path.cwd())
    return InspectView(found.compiled.shown, found.compiled.diagnostics, found.out)


def compile_(options: Options, namespace: Mapping[str, Any]) -> CompileView:
    """Returns what compiling the notebook that is running wrote.

    Args:
        options: Of the `%mlops compile` line.
        namespace: The notebook's variables.

    Raises:
        NotebookError: the notebook has errors; nothing was written.
        ComparisonFailed: with `--check`, files on disk differ from what compiling gives.
        UsageError: the notebook is not known or cannot be read, or generated files were edited by hand.
        EnvironmentFault: a file cannot be written.
    """
    mode = CompileMode.CHECK if options.get("check") else CompileMode.WRITE
    request = CompileRequest(
        notebook=_notebook(options, namespace),
        cwd=Path.cwd(),
        out=str(options.get("out", "")),
        mode=mode,
        force=bool(options.get("force")),
    )
    outcome = compile_project(request)
    if outcome.status is CompileStatus.REFUSED:
        diagnostics = outcome.compiled.diagnostics
        text = "\n\n".join(map(render_diagnostic, diagnostics))
        raise NotebookError(f"this notebook cannot be compiled; nothing was written\n{text}", diagnostics)
    if outcome.status is CompileStatus.STALE:
        changes = outcome.changes
        assert changes is not None
        count = len(changes.new) + len(changes.changed) + len(changes.removed) + len(changes.hand_edited)
        raise ComparisonFailed(
            f"{outcome.out} is stale: {count} files differ", "run `%mlops compile` and commit the files"
        )
    return CompileView(outcome)


def compiled_folder(options: Options, namespace: Mapping[str, Any]) -> Path:
    """Returns the folder that the notebook that is running is compiled into, whether it is there or not.

    Args:
        options: Of the `%mlops` line.
        namespace: The notebook's variables.

    Raises:
        UsageError: the notebook is not known or cannot be read.
    """
    return Path.cwd() / inspect_notebook(_notebook(options, namespace), Path.cwd()).out


def _notebook(options: Options, namespace: Mapping[str, Any]) -> str:
    given = options.get("notebook")
    if given:
        return str(given)
    session = current_session()
    if session is not None and session.notebook_path is not None:
        return shown_path(session.notebook_path, Path.cwd())
    path = locate_notebook(None, namespace, os.environ, ())
    if path is None:
        raise UsageError("which notebook this is cannot be found out here", "name it: --notebook PATH.ipynb")
    return shown_path(path, Path.cwd())


def ranges(numbers: Sequence[int]) -> str:
    """Returns numbers in order as people write them: "2, 5–9"."""
    # Neighbours have the same distance from their places.
    groups = [[number for _, number in group] for _, group in groupby(enumerate(numbers), lambda one: one[1] - one[0])]
    return ", ".join(f"{one[0]}–{one[-1]}" if len(one) > 2 else ", ".join(map(str, one)) for one in groups)


def _lines(diagnostics: tuple[Diagnostic, ...]) -> tuple[str, ...]:
    return tuple(line for diagnostic in diagnostics for line in render_diagnostic(diagnostic).splitlines())
