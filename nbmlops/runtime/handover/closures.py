"""Variables that live functions share with the steps of their process: one cell for each, as in the notebook.

The notebook has one namespace; each step function has variables of its own. A lambda that reads `k` and lives on in the
next step must see the `k` that this step binds, and the other way round. So the function of a joined step is compiled
again with those variables as free ones, over the very cells of the step that made the lambda.
"""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator
from pathlib import Path
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from nbmlops.pipeline.ir import Step
from nbmlops.runtime.steps.errors import place_in

_GIVEN = "__given"


class SharedVariables:
    """The variables of earlier steps of this process that functions still alive read or write, as cells.

    Attributes:
        cells: Name -> the cell that holds its value.
        definitions: Functions and classes of earlier steps that are alive: later ones must not make them anew.
    """

    def __init__(self) -> None:
        self.cells: dict[str, CellType] = {}
        self.definitions: dict[str, Any] = {}

    def learn(self, function: FunctionType) -> None:
        """Notes the variables of a step function that has returned, as far as something alive refers to them."""
        owned = {id(code): names for code, names in _owners(function.__code__)}
        prefix = f"{function.__code__.co_qualname}.<locals>."
        gc.collect()  # what only cycles keep alive is gone for the notebook's code
        for found in gc.get_objects():
            kind = type(found)
            if kind is FunctionType:
                names = owned.get(id(found.__code__), frozenset())
                closure = zip(found.__code__.co_freevars, found.__closure__ or (), strict=True)
                self.cells |= {name: cell for name, cell in closure if name in names}
            elif not issubclass(kind, type):
                continue
            name = found.__name__  # also "<lambda>"
            is_named = found.__qualname__ == f"{prefix}{name}" and name.isidentifier()
            is_own = is_named and found.__module__ == function.__module__
            if is_own and getattr(self.definitions.get(name), "__wrapped__", None) is not found:
                self.definitions[name] = found

    def values(self) -> Iterator[tuple[str, Any]]:
        """Yields each variable that is bound, with its value."""
        for name, cell in self.cells.items():
            try:
                yield name, cell.cell_contents
            except ValueError:  # unbound
                continue

    def rebind(self, step: Step, module: ModuleType) -> None:
        """Gives the function of a step these variables in place of its own ones of the same names.

        Args:
            step: The step.
            module: Its module, whose function is replaced.
        """
        function = vars(module).get(step.module)
        if not isinstance(function, FunctionType) or module.__file__ is None:
            return
        own = {*function.__code__.co_varnames, *function.__code__.co_cellvars}
        if own.isdisjoint({*self.cells, *self.definitions}):
            return
        tree = ast.parse(Path(module.__file__).read_bytes())
        node: Any = next(statement for statement in tree.body if _is_function(statement, step.module))
        made = {name: number for number, part in enumerate(node.body) if (name := self._made_already(part, step))}
        for name in made:
            self.cells.setdefault(name, CellType(self.definitions.get(name)))
        names = own & self.cells.keys()
        if not names:
            return
        kept = [statement for number, statement in enumerate(node.body) if number not in made.values()]
        wrapper = _wrapped(node, kept, tuple(sorted(names)))
        found: dict[str, Any] = {}
        code = compile(ast.Module([wrapper], []), module.__file__, "exec")
        exec(code, vars(module), found)  # noqa: S102 - the step's own code
        inner = found[wrapper.name](*names)
        closure = tuple(self.cells[name] for name in inner.__code__.co_freevars)
        shared = FunctionType(inner.__code__, vars(module), function.__name__, inner.__defaults__, closure)
        setattr(module, step.module, shared)

    def _made_already(self, statement: ast.stmt, step: Step) -> str:
        """Returns the name of a definition of another cell that a statement makes again although it is alive here."""
        place = place_in(step.lines, statement.lineno)
        if place is None or place.cell in step.cells:
            return ""
        match statement:
            case ast.ClassDef(name=name) if name in self.definitions:
                return name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name in self.definitions:
                # What a decorator made of it is known only if that says so.
                is_itself = not statement.decorator_list or hasattr(self.definitions[name], "__wrapped__")
                return name if is_itself or name in self.cells else ""
            case ast.FunctionDef(name=name) | ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda()):
                return name if name in self.cells else ""
            case _:
                return ""


def _owners(code: CodeType) -> Iterator[tuple[CodeType, frozenset[str]]]:
    """Yields the code objects within a function, each with the names it takes from that function's cells."""
    waiting = [(code, frozenset(code.co_cellvars))]
    while waiting:
        outer, names = waiting.pop()
        for inner in outer.co_consts:
            if isinstance(inner, CodeType):
                taken = names & frozenset(inner.co_freevars)
                yield inner, taken
                waiting.append((inner, taken))


def _is_function(statement: ast.stmt, name: str) -> bool:
    return isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name == name


def _wrapped(node: Any, body: list[ast.stmt], names: tuple[str, ...]) -> ast.FunctionDef:
    """Returns a function with the names as arguments, in which the step's function finds them as free variables."""
    arguments = node.args
    given = [argument for argument in _all_arguments(arguments) if argument.arg in names]
    bound = [f"{argument.arg} = {argument.arg}{_GIVEN}" for argument in given]
    for argument in given:
        argument.arg += _GIVEN
    lead = ast.parse("\n".join([f"nonlocal {', '.join(names)}", *bound])).body
    docs = body[:1] if ast.get_docstring(node, clean=False) is not None else []
    node.body = [*docs, *lead, *(_unannotated(statement, names) for statement in body[len(docs) :])]
    template = ast.parse(f"def __joined__({', '.join(names)}):\n    pass\n    return {node.name}").body[0]
    assert isinstance(template, ast.FunctionDef)
    template.body[0] = node
    for statement in lead:
        for part in ast.walk(statement):
            ast.copy_location(part, node)
    return ast.fix_missing_locations(template)


def _all_arguments(arguments: ast.arguments) -> list[ast.arg]:
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


class _Unannotated(ast.NodeTransformer):
    """Python allows no annotation of a free variable."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if not isinstance(node.target, ast.Name) or node.target.id not in self._names:
            return node
        plain = ast.Assign([node.target], node.value) if node.value is not None else ast.Pass()
        return ast.copy_location(plain, node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        return node


def _unannotated(statement: ast.stmt, names: tuple[str, ...]) -> ast.stmt:
    changed = _Unannotated(names).visit(statement)
    assert isinstance(changed, ast.stmt)
    return changed
