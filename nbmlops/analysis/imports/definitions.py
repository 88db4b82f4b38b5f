"""Where functions and classes go: once into the package, or into each step that uses them."""

from __future__ import annotations

from collections.abc import Iterable

from nbmlops.analysis.flow.record import Summary, TokenKind
from nbmlops.analysis.graph import Graph
from nbmlops.analysis.model import Definition, Placement
from nbmlops.analysis.namespace import MODULE_NAMES


def place_definitions(graph: Graph) -> dict[str, Definition]:
    """Returns all definitions with their placement, in notebook order.

    A definition that mentions data of the namespace, itself or through another one, belongs into steps: there the names
    have values, and calls see the values of the moment. So does one that looks into the namespace by other ways.
    """
    namespace = graph.namespace
    data = namespace.data | namespace.parameters.keys()
    mentions = {name: frozenset(unit.record.mentions) for name, unit in namespace.definitions.items()}
    uses = {name: (found & (mentions.keys() | namespace.constants.keys())) - {name} for name, found in mentions.items()}
    in_steps = {name for name, found in mentions.items() if found & (data | MODULE_NAMES)}
    in_steps |= {name for name, unit in namespace.definitions.items() if unit.record.problems}
    while more := {name for name, found in uses.items() if name not in in_steps and found & in_steps}:
        in_steps |= more
    result = {}
    for name, unit in namespace.definitions.items():
        everything = [summary for used in (name, *closure(uses, uses[name])) for summary in summaries(graph, used)]
        changed = {token.name for s in everything for token in s.changes if token.kind in _NAMES}
        read = frozenset().union(*(summary.reads for summary in everything)) | early_reads(graph, name)
        result[name] = Definition(
            name,
            unit.statement(),
            Placement.STEP if name in in_steps else Placement.MODULE,
            mentions[name] & namespace.imports.keys(),
            frozenset(uses[name]),
            frozenset((read | changed) & data),
            frozenset(name for summary in everything for name in summary.may_bind if name in data),
        )
    return result


_NAMES = {TokenKind.NAME, TokenKind.INSIDE_NAME}


def summaries(graph: Graph, name: str) -> list[Summary]:
    """Returns what the function of that name, or all methods of the class, do when called."""
    callables = graph.callables
    return [*callables.functions.get(name, {}).values(), *callables.classes.get(name, {}).values()]


def early_reads(graph: Graph, name: str) -> frozenset[str]:
    """Returns the data that a definition reads when it is made: default arguments, decorators, a class's body."""
    record = graph.namespace.definitions[name].record
    data = graph.namespace.data | graph.namespace.parameters.keys()
    return frozenset({*record.reads, *record.soft} & data)


def acts_early(graph: Graph, name: str) -> bool:
    """Returns whether making the definition reads or changes data, so that it happens where it stands, used or not."""
    return bool(
        early_reads(graph, name) or graph.namespace.definitions[name].record.mutates.keys() & graph.namespace.data
    )


def closure(uses: dict[str, frozenset[str]] | dict[str, set[str]], start: Iterable[str]) -> frozenset[str]:
    """Returns the definitions and all that they use, directly or not."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(uses.get(name, ()))
    return frozenset(found)
