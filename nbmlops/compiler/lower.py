"""Notebook and analysis -> `Pipeline`: names, order, interfaces, closing stages; digests and source maps come later."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from msgspec.structs import replace

from nbmlops.analysis.model import NotebookAnalysis, Placement, StepFacts
from nbmlops.compiler.closing import Closing
from nbmlops.compiler.program import CompileOptions
from nbmlops.notebook.autolog import asks_for_autolog
from nbmlops.notebook.digests import cell_digest, notebook_digest
from nbmlops.notebook.model import CellKind, Notebook, RoleKind
from nbmlops.notebook.names import module_names
from nbmlops.pipeline.demands import StepDemands
from nbmlops.pipeline.ir import (
    GateStage,
    MetricSource,
    Parameter,
    Pipeline,
    RegisterStage,
    Step,
    StepMode,
)

_OWN_NAMES = ("params", "helpers", "environment", "settings", "show", "nbmlops", "any")


def lower(notebook: Notebook, analysis: NotebookAnalysis, closing: Closing, options: CompileOptions) -> Pipeline:
    """Returns the pipeline that the notebook describes, its steps without digests and source maps."""
    modules = module_names((facts.name for facts in analysis.steps), _reserved(analysis))
    ids = {cell.number: cell.id for cell in notebook.cells}
    return Pipeline(
        name=options.name or notebook.name,
        title=notebook.title,
        notebook=posixpath.relpath(options.notebook, options.out),
        root=posixpath.relpath(options.root, options.out),
        notebook_digest=notebook_digest(notebook),
        cell_digests={
            cell.id: cell_digest(cell)
            for cell in notebook.cells
            if cell.kind is CellKind.CODE and cell.role.kind is not RoleKind.SKIP
        },
        version="",
        parameters=tuple(Parameter(p.name, p.type, p.default, p.comment, p.choices) for p in analysis.parameters),
        steps=tuple(
            _with_demands(_step(number, facts, analysis, modules, ids), options)
            for number, facts in enumerate(analysis.steps, start=1)
        ),
        metrics=tuple(
            MetricSource(name, analysis.closing[value])
            for name, value in closing.names.metrics.items()
            if value in analysis.closing
        ),
        gate=GateStage(closing.gate_cell) if closing.gate else None,
        register=_register(analysis, closing),
        compiler=options.compiler,
        star_imports=options.star_names,
        steps_from=options.steps,
        schedule=options.demands.schedule,
        secrets=options.demands.secrets,
        targets=options.targets,
        autolog=options.autolog or asks_for_autolog(notebook),
    )


def _reserved(analysis: NotebookAnalysis) -> set[str]:
    """Returns names that a step's module binds at its top: a function of that name would hide what the code means."""
    shared = {d.name for d in analysis.definitions if d.placement is Placement.MODULE}
    imported = {imported.name for imported in analysis.imports}
    return imported | shared | {constant.name for constant in analysis.constants} | set(_OWN_NAMES)


def _register(analysis: NotebookAnalysis, closing: Closing) -> RegisterStage | None:
    if not closing.register or closing.names.model not in analysis.closing:
        return None
    data = analysis.closing.get(closing.names.data)
    return RegisterStage(analysis.closing[closing.names.model], data, closing.model_name, closing.register_cell)


def _step(
    number: int, facts: StepFacts, analysis: NotebookAnalysis, modules: Mapping[str, str], ids: Mapping[int, str]
) -> Step:
    module = modules[facts.name]
    return Step(
        name=facts.name,
        module=module,
        mode=facts.mode,
        reason=facts.reason,
        cells=facts.cells,
        cell_ids=tuple(ids[cell] for cell in facts.cells),
        inputs=facts.inputs,
        outputs=facts.outputs,
        after=facts.after,
        parameters=facts.parameters,
        files=facts.files,
        modules=_modules(module, facts, analysis),
        notebook=f"notebooks/{number:02}_{module}.ipynb",
        digest="",
        metrics=facts.metrics,
        data=facts.data,
        whole=facts.whole,
        silent=facts.silent,
        compared=facts.compared,
    )


def _with_demands(step: Step, options: CompileOptions) -> Step:
    asked = options.demands.steps.get(step.name, StepDemands())
    return replace(step, retries=asked.retries, backoff=asked.backoff, timeout=asked.timeout, resources=asked.resources)


def _modules(module: str, facts: StepFacts, analysis: NotebookAnalysis) -> tuple[str, ...]:
    """Returns the modules of the package that running the step reads."""
    definitions = {definition.name: definition for definition in analysis.definitions}
    in_package = {name for name, d in definitions.items() if d.placement is Placement.MODULE}
    in_package |= {constant.name for constant in analysis.constants}
    mentioned = set(facts.definitions).union(*(definitions[name].uses for name in facts.rebuilt))
    found = [module] if facts.mode is StepMode.FUNCTION else []
    found += ["helpers"] if mentioned & in_package else []
    found += ["params"] if facts.parameters and facts.mode is StepMode.FUNCTION else []
    found += ["environment"] if analysis.environment else []
    found += ["settings"] if analysis.settings else []
    return tuple(found)
