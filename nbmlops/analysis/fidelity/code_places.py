"""Steps whose code asks where functions and classes are: by their qualified name, their source, or as pickle does.

In the notebook they stand in its namespace; in the function of a step that rebuilds them they are local to it, so that
`f.__qualname__` reads otherwise, their source is indented, nobody finds them by name, and neither does an annotation
that is a text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from nbmlops.analysis.graph import Graph, StepNode
from nbmlops.analysis.model import Placement, StatementKind
from nbmlops.analysis.statements import Unit
from nbmlops.core.syntax import find, kinds, walk

_CODE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_PLACES = re.compile(r"__qualname__|\bgetsource\w*")
_RESOLVING = re.compile(
    r"\b(?:get_type_hints|eval_str|BaseModel|pydantic|singledispatch\w*|validate_call|resolve_types)\b"
)
_PICKLING = re.compile(
    r"\b(?:c?[pP]ickle|dill|shelve|joblib\.dump|to_pickle|multiprocessing|ProcessPoolExecutor|torch\.save)\b"
)


def rebuilt(graph: Graph) -> dict[str, Unit]:
    """Returns the definitions that live in each step that uses them."""
    known = graph.namespace.definitions
    return {name: known[name] for name, found in graph.definitions.items() if found.placement is Placement.STEP}


def made_once(graph: Graph) -> dict[str, Unit]:
    """Returns the definitions that are values of the step that makes them."""
    return {unit.defines(): unit for unit in graph.units if unit.kind is StatementKind.CODE and unit.defines()}


def steps_that_tell_places(graph: Graph) -> dict[str, str]:
    """Returns why a step needs the notebook's namespace, for each that makes what code looks up."""
    again, once = rebuilt(graph), made_once(graph)
    found = _by_place(graph, again)
    for name, reason in {**_annotated(graph, again | once), **_pickled(graph, again | once)}.items():
        for step in graph.steps:
            if (name in again and name in step.closure) or (name in once and once[name].home == step.name):
                found.setdefault(step.name, reason)
    return found


def _by_place(graph: Graph, own: Mapping[str, Unit]) -> dict[str, str]:
    making = [step.name for step in graph.steps if step.closure & own.keys() or _makes_code(step)]
    number, word = _mention(graph, _PLACES) if making else (0, "")
    reason = f"cell {number}: `{word}` tells where functions and classes are made"
    return dict.fromkeys(making, reason) if number else {}


def _makes_code(step: StepNode) -> bool:
    return any(not kinds(unit.node).isdisjoint(_CODE) for unit in step.units)


def _mention(graph: Graph, words: re.Pattern[str]) -> tuple[int, str]:
    """Returns the first cell in which one of the words stands, and the word."""
    for cell in graph.notebook.cells:
        if found := words.search(cell.python):
            return cell.number, found[0]
    return 0, ""


def _annotated(graph: Graph, own: Mapping[str, Unit]) -> dict[str, str]:
    """Returns the definitions with texts over names of the notebook as annotations, where code may look these up."""
    number, word = _mention(graph, _RESOLVING) if own else (0, "")
    if not number:
        return {}
    names = own.keys() | graph.namespace.data
    reason = f"cell {number}: `{word}` looks up names in texts that are annotations"
    return {
        name: reason
        for name in sorted(own)
        if any(names & set(re.findall(r"\w+", text)) for text in _texts(own[name].node))
    }


def _texts(node: ast.AST) -> Iterator[str]:
    for part in walk(node):
        given = [part.annotation] if isinstance(part, ast.arg | ast.AnnAssign) else []
        given += [part.returns] if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) else []
        for annotation in given:
            for inner in walk(annotation) if annotation is not None else ():
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    yield inner.value


def _pickled(graph: Graph, own: Mapping[str, Unit]) -> dict[str, str]:
    """Returns the definitions that what the notebook's own code pickles may refer to."""
    cells = {cell.number for cell in graph.notebook.cells if own and _PICKLING.search(cell.python)}
    pickling = [unit for unit in graph.units if unit.cell.number in cells and _pickles(unit)]
    if not pickling:
        return {}
    reason = f"cell {pickling[0].cell.number}: what is pickled there may be of a class or function that reads values"
    units = [unit for unit in graph.units if unit.defines() not in own]
    names, waiting = set[str](), {name for unit in pickling for name in unit.record.mentions}
    while waiting:
        names |= waiting
        made = [unit for unit in units if (unit.effects.may_bind | unit.effects.mutates) & waiting]
        waiting = {name for unit in made for name in unit.record.mentions} - names
    classes = {name for name, unit in own.items() if isinstance(unit.node, ast.ClassDef)}
    handed = {
        part.id
        for unit in [*pickling, *units]
        if (unit.effects.may_bind | unit.effects.mutates) & names or unit in pickling
        for part in _named_without_call(unit)
    }
    return dict.fromkeys(sorted(own.keys() & names & (classes | handed)), reason)


def _pickles(unit: Unit) -> bool:
    return any(_PICKLING.search(ast.unparse(call.func)) for call in find(unit.node, ast.Call))


def _named_without_call(unit: Unit) -> Iterator[ast.Name]:
    called = {call.func for call in find(unit.node, ast.Call)}
    return (part for part in find(unit.node, ast.Name) if part not in called)
