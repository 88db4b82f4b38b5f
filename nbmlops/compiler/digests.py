"""Digests of code: the same for the same meaning, whatever comments, blank lines, line breaks or Python version."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from nbmlops.analysis.model import Constant, Definition, ImportedName, Placement, Statement, StepFacts
from nbmlops.compiler.bodies import nodes_of, shown_units, units_of
from nbmlops.compiler.names import mentioned
from nbmlops.compiler.program import Program
from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import digest_json
from nbmlops.core.imports import reached
from nbmlops.core.syntax import parse
from nbmlops.pipeline.ir import Step, StepMode

_WITHOUT_MEANING = frozenset({"ctx", "type_comment"})


def normal_form(node: ast.AST) -> Json:
    """Returns a syntax tree as plain data without positions; fields that are empty are left out.

    `ast.dump` would do, were its text the same in all versions of Python.
    """
    if isinstance(node, ast.Constant):
        return ["Constant", {"value": [type(node.value).__name__, repr(node.value)]}]
    fields: dict[str, Json] = {}
    for name in node._fields:
        value = getattr(node, name, None)
        if value is not None and value != [] and name not in _WITHOUT_MEANING:
            fields[name] = _plain(value)
    return [node.__class__.__name__, fields]


def _plain(value: object) -> Json:
    if isinstance(value, str | int):
        return value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return normal_form(value) if isinstance(value, ast.AST) else repr(value)


def step_digest(program: Program, step: Step) -> str:
    """Returns the SHA-256 of everything that running the step executes, and of its interface.

    That is: its statements cell by cell and which of them are shown, the definitions and constants that they reach, the
    environment and settings, the imports of the names in all of these, the sources of modules beside the notebook, and
    the names of inputs, outputs and parameters. Comments and formatting do not count.
    """
    facts = program.facts(step.name)
    reached = _reached(program, facts)
    names = _imported_names(program, facts, reached)
    environment = _trees(program, program.analysis.environment)
    loads = [*program.analysis.setting_loads, *program.analysis.helper_loads, *facts.loads]
    return digest_json(
        {
            "cells": [_cell(program, number, facts) for number in facts.cells if number in program.cells],
            "definitions": {name: _trees(program, [statement]) for name, statement in reached.items()},
            "settings": _trees(program, program.analysis.settings),
            "imports": _import_keys(program.analysis.imports, names),
            "local": _local_sources(program, names | {imported.name for imported in loads}),
            "inputs": [value.name for value in step.inputs],
            "outputs": list(step.outputs),
            "parameters": list(step.parameters),
            **({"environment": environment} if environment else {}),
            **({"autolog": True} if program.pipeline.autolog else {}),
            **({"loads": [[i.module, i.attribute] for i in loads]} if loads else {}),
            **({"mode": [step.mode.value, step.whole]} if step.mode is StepMode.VERBATIM else {}),
        }
    )


def _cell(program: Program, number: int, facts: StepFacts) -> Json:
    text = program.cells[number]
    shown = shown_units(text, facts.statements)
    indices = units_of(text, facts.statements) if facts.mode is StepMode.FUNCTION else range(len(text.units))
    return [[normal_form(text.units[index].node), index in shown] for index in indices]


def _trees(program: Program, statements: Sequence[Statement]) -> Json:
    return [normal_form(node) for node in nodes_of(program.cells, statements)]


def _reached(program: Program, facts: StepFacts) -> dict[str, Statement]:
    """Returns the definitions and constants that the step uses, directly or not, in the order of their names."""
    definitions, constants = program.definitions, program.constants
    settings = nodes_of(program.cells, [*program.analysis.environment, *program.analysis.settings])
    waiting = [*facts.definitions, *facts.rebuilt, *sorted(mentioned(settings))]
    waiting += [
        d.name for d in definitions.values() if d.placement is Placement.STEP and d.statement in facts.statements
    ]
    found: dict[str, Statement] = {}
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        if name in definitions:
            found[name] = definitions[name].statement
            waiting += definitions[name].uses
        elif name in constants:
            found[name] = constants[name].statement
            waiting += constants[name].uses
    return dict(sorted(found.items()))


def _imported_names(program: Program, facts: StepFacts, reached: Iterable[str]) -> set[str]:
    shared: Mapping[str, Constant | Definition] = {**program.constants, **program.definitions}
    names = set(facts.imports).union(*(shared[name].imports for name in reached))
    return names | mentioned(nodes_of(program.cells, [*program.analysis.environment, *program.analysis.settings]))


def _import_keys(imports: Iterable[ImportedName], names: set[str]) -> Json:
    return sorted([i.name, i.module, i.attribute] for i in imports if i.name in names or i.module == "__future__")


def _local_sources(program: Program, names: set[str]) -> Mapping[str, Json]:
    """Returns the modules beside the notebook that the imports of these names reach, directly or through each other."""
    local = program.options.local_modules
    imported = [i for i in program.analysis.imports if i.name in names]
    modules = [f"{i.module}.{i.attribute}" if i.attribute else i.module for i in imported]
    return {module: _source_form(local[module]) for module in reached(local, modules)}


def _source_form(source: str) -> Json:
    try:
        return normal_form(parse(source))
    except (SyntaxError, ValueError):  # not Python: importing it will say so, and any change of it counts
        return source
