"""Inspecting: what the compiler sees in a notebook, without writing anything."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from nbmlops.app.compiling.compile import Source, compile_options, open_source, star_names, with_steps
from nbmlops.app.project import default_out, shown_path
from nbmlops.compiler.compile import compile_notebook
from nbmlops.compiler.program import Compiled
from nbmlops.core.diagnostics import has_errors
from nbmlops.core.errors import ExitCode


class Inspection(Struct, frozen=True):
    """What a notebook is to the compiler.

    Attributes:
        source: The notebook with its project.
        compiled: What compiling would give; its files are not written.
        out: The folder that `nbmlops compile` would write, relative to the caller's folder.
    """

    source: Source
    compiled: Compiled
    out: str

    @property
    def exit_code(self) -> ExitCode:
        """2 when the notebook cannot be compiled, else 0."""
        return ExitCode.USAGE if has_errors(self.compiled.diagnostics) else ExitCode.SUCCESS


def inspect_notebook(notebook: str, cwd: Path, steps: str = "") -> Inspection:
    """Returns what the compiler sees in the notebook.

    Args:
        notebook: The notebook as the user named it.
        cwd: The folder that relative paths count from.
        steps: Where the steps come from, as for compiling.

    Raises:
        UsageError: there is no such notebook, or it cannot be read.
        ConfigError: the configuration is malformed.
    """
    source = open_source(notebook, cwd)
    out = default_out(source.root, source.name)
    stars = star_names(source)
    source = with_steps(source, steps, out, stars)
    options = compile_options(source, out, "", (), stars)
    compiled = compile_notebook(source.notebook, options)
    return Inspection(source, compiled, shown_path(out, cwd))
