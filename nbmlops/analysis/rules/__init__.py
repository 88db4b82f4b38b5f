"""The rules: each looks at the graph and reports one kind of fault.

A rule is a module with a function `check(graph)`; its docstring is its page in the documentation, its first line the
title. To add one, write the module and name it in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType

from nbmlops.analysis.graph import Graph
from nbmlops.analysis.rules import (
    closing_values,
    deleted_names,
    early_reads,
    joined_borders,
    late_environment,
    local_state,
    logging_below_gate,
    parameter_cell,
    parameter_order,
    redefined_functions,
    reserved_names,
    session_names,
    settings_in_steps,
    settings_with_values,
    shared_code_below,
    shared_state,
    skipped_names,
    star_imports,
    undefined_names,
    whole_namespace,
    written_modules,
)
from nbmlops.core.diagnostics import Diagnostic

# Code -> the module that reports it. NB2xx: names and data flow; NB3xx: parameters; NB4xx: settings and effects.
RULES: dict[str, ModuleType] = {
    "NB201": star_imports,
    "NB202": skipped_names,
    "NB203": undefined_names,
    "NB204": deleted_names,
    "NB205": redefined_functions,
    "NB207": early_reads,
    "NB208": reserved_names,
    "NB209": whole_namespace,
    "NB215": session_names,
    "NB216": shared_state,
    "NB217": shared_code_below,
    "NB218": closing_values,
    "NB219": local_state,
    "NB220": written_modules,
    "NB221": joined_borders,
    "NB301": parameter_cell,
    "NB305": parameter_order,
    "NB401": settings_in_steps,
    "NB402": settings_with_values,
    "NB403": logging_below_gate,
    "NB404": late_environment,
}


def check_all(graph: Graph) -> Iterator[Diagnostic]:
    """Yields what all rules find; rules do not look at each other's findings."""
    for rule in RULES.values():
        check: Callable[[Graph], Iterator[Diagnostic]] = rule.check
        yield from check(graph)
