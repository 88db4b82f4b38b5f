"""Finds calls of the Python API in plain code, so that `nbmlops.gate()` means what `%mlops gate` means (ADR 1)."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from nbmlops.core.syntax import parse, walk
from nbmlops.notebook.codes import Fault
from nbmlops.notebook.model import Magic, MagicAction
from nbmlops.notebook.source import Translation

_STAGES: Mapping[str, tuple[MagicAction, str]] = {
    "gate": (MagicAction.GATE, "becomes the pipeline's gate stage"),
    "register": (MagicAction.REGISTER, "becomes the pipeline's register stage"),
    "track": (MagicAction.DROP, "the runner tracks every run"),
}
_LOGGING = frozenset({"data", "check", "param", "figure", "metric", "predictions", "test"})


class ApiNames(Struct, frozen=True):
    """What a notebook calls the API: names of the module, and names of functions imported from it."""

    modules: frozenset[str] = frozenset()
    functions: Mapping[str, str] = field(default_factory=dict)

    def function_of(self, call: ast.Call) -> str:
        """Returns the API function that is called, "" if it is another one."""
        match call.func:
            case ast.Attribute(value=ast.Name(id=module), attr=function) if module in self.modules:
                return function
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id=module), attr="api"), attr=function) if (
                module in self.modules
            ):
                return function
            case ast.Name(id=name):
                return self.functions.get(name, "")
            case _:
                return ""


def imported_names(pythons: Iterable[str]) -> ApiNames:
    """Returns the names under which the cells import the API."""
    modules: set[str] = set()
    functions: dict[str, str] = {}
    for python in pythons:
        for node in walk(parse(python)) if "nbmlops" in python else ():
            if isinstance(node, ast.Import):
                modules.update(alias.asname or alias.name for alias in node.names if alias.name == "nbmlops")
            elif isinstance(node, ast.ImportFrom) and node.module in {"nbmlops", "nbmlops.api"} and not node.level:
                functions.update({alias.asname or alias.name: alias.name for alias in node.names})
    return ApiNames(frozenset(modules), functions)


def lift_calls(translation: Translation, names: ApiNames) -> Translation:
    """Returns the translation with gate, register and track calls taken out, as the `%mlops` lines are.

    Calls that log stay in the code; they are listed, because they must not stand below the gate.
    """
    called = {*names.modules, *names.functions}
    if not any(name in translation.python for name in called):
        return translation
    tree = parse(translation.python)
    lines = translation.python.split("\n")
    magics: list[Magic] = []
    faults: list[Fault] = []
    lifted: set[ast.AST] = set()
    for statement in tree.body:
        call = statement.value if isinstance(statement, ast.Expr) else None
        function = names.function_of(call) if isinstance(call, ast.Call) else ""
        if isinstance(call, ast.Call) and function in _STAGES and _stands_alone(statement, tree.body):
            action, reason = _STAGES[function]
            magics.append(Magic(statement.lineno, ast.unparse(call), action, reason, _canonical(call, function)))
            lines[statement.lineno - 1 : statement.end_lineno] = [""] * _height(statement)
            lifted.add(call)
    for node in walk(tree):
        function = names.function_of(node) if isinstance(node, ast.Call) and node not in lifted else ""
        if isinstance(node, ast.Call) and function in _LOGGING:
            text = ast.unparse(node)
            magics.append(Magic(node.lineno, text, MagicAction.CALL, "is a call of the Python API", text))
        elif isinstance(node, ast.Call) and function in {"gate", "register"}:
            faults.append(_not_alone(node, function))
    return replace(
        translation,
        python="\n".join(lines),
        magics=tuple(sorted((*translation.magics, *magics), key=lambda magic: magic.line)),
        faults=(*translation.faults, *faults),
    )


def _stands_alone(statement: ast.stmt, body: Sequence[ast.stmt]) -> bool:
    """Returns whether no other statement shares a line with this one."""
    last = statement.end_lineno or statement.lineno
    others = (other for other in body if other is not statement)
    return all((other.end_lineno or other.lineno) < statement.lineno or other.lineno > last for other in others)


def _height(statement: ast.stmt) -> int:
    return (statement.end_lineno or statement.lineno) - statement.lineno + 1


def _canonical(call: ast.Call, function: str) -> str:
    """Returns the call as a `%mlops` line would make it: the model by position, everything else by name."""
    keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg}
    if function == "track":
        return ""
    arguments = [ast.unparse(argument) for argument in call.args]
    if function == "register" and not arguments and "model" in keywords:
        arguments = [keywords.pop("model")]
    return f"nbmlops.{function}({', '.join([*arguments, *(f'{name}={value}' for name, value in keywords.items())])})"


def _not_alone(call: ast.Call, function: str) -> Fault:
    return Fault(
        "NB121",
        f"a stage of the pipeline must be a line by itself, but `nbmlops.{function}(…)` stands inside other code",
        "write the call alone, without indentation: the stage runs once, after the last step",
        line=call.lineno,
        col=call.col_offset + 1,
        end_line=call.end_lineno or 0,
        end_col=(call.end_col_offset or 0) + 1,
    )
