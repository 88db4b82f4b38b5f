"""What goes into compiling and what comes out, and the record that all targets read."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from nbmlops.analysis.model import ClosingNames, Constant, Definition, NotebookAnalysis, StepFacts
from nbmlops.compiler.cells import CellText
from nbmlops.compiler.headings import Explanation
from nbmlops.compiler.layout import docstring
from nbmlops.compiler.names import mentioned
from nbmlops.compiler.shows import plotting_names
from nbmlops.core.diagnostics import Diagnostic
from nbmlops.core.known_secrets import MARK
from nbmlops.notebook.model import Notebook
from nbmlops.pipeline.demands import Demands
from nbmlops.pipeline.ir import DEFAULT_TARGETS, Pipeline, Step, StepMode

DEFAULT_BRANCH = "main"


class CompileOptions(Struct, frozen=True):
    """Everything that compiling reads besides the notebook. All paths are relative to the repository's root, with `/`.

    Attributes:
        notebook: The notebook's file.
        out: The pipeline's folder.
        root: The project's root, where configuration and state are; "." when it is the repository's.
        name: The pipeline's name; by default the notebook's, changed where it would hide an imported module.
        closing: Notebook names that the configuration gives to gate and registry.
        model_name: Name in the registry; by default that of the `%mlops register` line, else the pipeline's.
        gate: The configuration has rules for this pipeline.
        lock: Text of `requirements.lock`.
        local_modules: Sources of the modules beside the notebook that its cells import, dotted name -> text.
        star_names: What star imports of modules bind here, module -> names.
        steps: Where the steps come from, if that has to be said: the notebook's own tags, and inference where it has
            none, go without saying.
        targets: What the pipeline is written for besides the local runner: CI systems, engines.
        branch: The branch whose runs register models.
        out_is_default: Compiling the notebook without `-o` writes to `out`.
        compiler: Version of nbmlops.
        demands: Tries, time and resources of the steps; schedule and secrets of the pipeline.
        no_secrets: Texts that look like secrets and are none, and names whose values are none.
        autolog: MLflow's autologging follows what the steps train, also if no `%mlops track` line asks for it.
    """

    notebook: str
    out: str
    root: str = "."
    name: str = ""
    closing: ClosingNames = field(default_factory=ClosingNames)
    model_name: str = ""
    gate: bool = False
    lock: str = ""
    local_modules: Mapping[str, str] = field(default_factory=dict)
    star_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    steps: str = ""
    targets: tuple[str, ...] = DEFAULT_TARGETS
    branch: str = DEFAULT_BRANCH
    out_is_default: bool = True
    compiler: str = ""
    demands: Demands = field(default_factory=Demands)
    no_secrets: frozenset[str] = frozenset()
    autolog: bool = False


class Compiled(Struct, frozen=True):
    """The result of compiling.

    Attributes:
        pipeline: The pipeline; None when the diagnostics hold errors.
        files: Path relative to the repository's root -> content; empty when the diagnostics hold errors.
        out: The pipeline's folder, relative to the repository's root.
        diagnostics: Everything that reader, analysis and compiler have to say, sorted.
        suppressed: Warnings and notes that their cells ask not to be told.
        secret_defaults: Parameters whose default is a secret.
    """

    pipeline: Pipeline | None
    files: Mapping[str, bytes]
    out: str
    diagnostics: tuple[Diagnostic, ...] = ()
    suppressed: tuple[Diagnostic, ...] = ()
    secret_defaults: frozenset[str] = frozenset()

    @property
    def shown(self) -> Pipeline | None:
        """The pipeline as displays and documents have it: without the secrets that are defaults."""
        if self.pipeline is None or not self.secret_defaults:
            return self.pipeline
        hidden = self.secret_defaults
        return replace(
            self.pipeline,
            parameters=tuple(replace(p, default=MARK) if p.name in hidden else p for p in self.pipeline.parameters),
        )


class Program(Struct, frozen=True, dict=True):
    """A notebook on its way to files: all that the targets read. What follows from its fields is found out once.

    Attributes:
        notebook: The notebook.
        analysis: What analysis found out.
        options: What compiling was asked for.
        pipeline: The pipeline, so far without digests and source maps of its steps.
        cells: Cell number -> text.
        explanations: Step name -> what the Markdown above it says.
        remarks: Cell number -> what the Markdown between it and the cell of the same step above it says.
    """

    notebook: Notebook
    analysis: NotebookAnalysis
    options: CompileOptions
    pipeline: Pipeline
    cells: Mapping[int, CellText]
    explanations: Mapping[str, Explanation]
    remarks: Mapping[int, str] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """Returns the name of the generated package."""
        return self.pipeline.name

    @property
    def notebook_file(self) -> str:
        """Returns the notebook's file name."""
        return posixpath.basename(self.options.notebook)

    def facts(self, step: str) -> StepFacts:
        """Returns what analysis found out about a step.

        Raises:
            KeyError: there is no such step.
        """
        return self._facts[step]

    def code_cells(self, step: Step) -> tuple[int, ...]:
        """Returns the numbers of the step's cells that hold more than dropped lines."""
        return tuple(number for number in step.cells if number in self.cells) or step.cells

    @cached_property
    def definitions(self) -> Mapping[str, Definition]:
        """Returns name -> definition."""
        return {definition.name: definition for definition in self.analysis.definitions}

    @cached_property
    def constants(self) -> Mapping[str, Constant]:
        """Returns name -> constant."""
        return {constant.name: constant for constant in self.analysis.constants}

    @cached_property
    def names(self) -> frozenset[str]:
        """Returns every name that the notebook's code mentions."""
        return frozenset(mentioned(unit.node for text in self.cells.values() for unit in text.units))

    @cached_property
    def has_verbatim(self) -> bool:
        """Returns whether a step is emitted verbatim."""
        return any(step.mode is StepMode.VERBATIM for step in self.pipeline.steps)

    @cached_property
    def plotting(self) -> frozenset[str]:
        """Returns the names of the notebook behind which plotting stands."""
        return plotting_names(self.analysis.imports, self.definitions, self.cells)

    @cached_property
    def own_modules(self) -> frozenset[str]:
        """Returns top-level module names that belong to the project: the package and modules beside the notebook."""
        return frozenset({self.package, *(name.partition(".")[0] for name in self.options.local_modules)})

    @cached_property
    def _facts(self) -> Mapping[str, StepFacts]:
        return {facts.name: facts for facts in self.analysis.steps}

    def module_docstring(self, summary: str) -> list[str]:
        """Returns the docstring of a generated module: what it is, and that the notebook is its source."""
        return docstring(
            summary, (f"Generated by nbmlops from {self.notebook_file}: edit the notebook, not this file.",)
        )
