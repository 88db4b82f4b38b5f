"""`params.py`: the pipeline's parameters as one typed, frozen record with the notebook's defaults and comments."""

from __future__ import annotations

import ast
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

from nbmlops.analysis.model import ImportedName, ParameterDeclaration
from nbmlops.compiler.cells import INDENT, CellText, Line, own
from nbmlops.compiler.imports import import_lines
from nbmlops.compiler.layout import WIDTH, docstring
from nbmlops.compiler.modules import Module, assemble
from nbmlops.compiler.names import fresh
from nbmlops.compiler.program import Program
from nbmlops.core.diagnostics import Json
from nbmlops.pipeline.ir import ParameterType

_CLASSES = {
    ParameterType.DATE: ("datetime", "date"),
    ParameterType.DATETIME: ("datetime", "datetime"),
    ParameterType.PATH: ("pathlib", "Path"),
}


def params_module(program: Program) -> Module:
    """Returns the module with the record `Params`."""
    declarations = program.analysis.parameters
    taken = {declaration.name for declaration in declarations}
    factory, record = fresh("field", taken), fresh("dataclass", taken)
    classes = value_classes(declarations, taken)
    values = {d.name: _default(d, program.cells[d.cell], classes, factory) for d in declarations}
    imports = [ImportedName(record, "dataclasses", "dataclass")]
    if any(value.startswith(f"{factory}(default_factory") for value in values.values()):
        imports.append(ImportedName(factory, "dataclasses", "field"))
    if any("Any" in _plain_annotation(d.default, d.type) for d in declarations):
        imports.append(ImportedName("Any", "typing", "Any"))
    imports += classes.values()
    choice = fresh("Literal", taken)
    imports += [ImportedName(choice, "typing", "Literal")] if any(d.choices for d in declarations) else []
    body = [*own(f"@{record}(frozen=True, slots=True)", "class Params:")]
    body += own(*docstring("What a run can be given; the defaults are the notebook's.", indent=INDENT), "")
    for declaration in declarations:
        kind = _annotation(declaration, classes, choice)
        code = f"{declaration.name}: {kind} = {values[declaration.name]}"
        body += _field(declaration, program.cells[declaration.cell], code)
    notice = program.module_docstring(f"Parameters of the pipeline {program.package}.")
    return assemble("params", [own(*notice), own(*import_lines(imports)), body], program.notebook)


def value_classes(
    declarations: Iterable[ParameterDeclaration], taken: Collection[str]
) -> dict[ParameterType, ImportedName]:
    """Returns the classes of values that are given as text, imported under names that nothing else has."""
    kinds = {declaration.type for declaration in declarations}
    return {
        kind: ImportedName(fresh(name, taken), module, name)
        for kind, (module, name) in _CLASSES.items()
        if kind in kinds
    }


def converted(name: str, declaration: ParameterDeclaration, classes: Mapping[ParameterType, ImportedName]) -> str:
    """Returns the expression that makes the parameter's value of what a run was given, which may be text."""
    if declaration.type not in classes:
        return name
    made = _made(classes[declaration.type].name, declaration.type, name)
    return f"None if {name} is None else {made}" if declaration.default is None else made


def _made(class_name: str, kind: ParameterType, text: str) -> str:
    return f"{class_name}({text})" if kind is ParameterType.PATH else f"{class_name}.fromisoformat({text})"


def _default(
    declaration: ParameterDeclaration, text: CellText, classes: Mapping[ParameterType, ImportedName], factory: str
) -> str:
    value = default_text(declaration, text)
    if isinstance(declaration.default, list | dict):
        empty = {"[]": "list", "{}": "dict"}.get(value)
        return f"{factory}(default_factory={empty or f'lambda: {value}'})"
    if declaration.type in classes and declaration.default is not None:
        return _made_once(classes[declaration.type].name, declaration.type, value, factory)
    return value


def _made_once(class_name: str, kind: ParameterType, text: str, factory: str) -> str:
    """Returns the default of a field, where the value has one a call with plain numbers: `date(2026, 1, 2)`."""
    if kind is ParameterType.PATH:
        return _made(class_name, kind, text)
    value = _of_text(kind, text)
    if isinstance(value, datetime) and (value.tzinfo is not None or value.fold):
        return f"{factory}(default_factory=lambda: {_made(class_name, kind, text)})"
    return f"{class_name}({repr(value).partition('(')[2]}"


def _of_text(kind: ParameterType, text: str) -> date:
    given = str(ast.literal_eval(text))
    return date.fromisoformat(given) if kind is ParameterType.DATE else datetime.fromisoformat(given)


def _field(declaration: ParameterDeclaration, text: CellText, code: str) -> list[Line]:
    comment = f"# {_comment_text(declaration.comment)}" if declaration.comment.strip() else ""
    lines = _indented(comments(declaration, text))
    field = f"{INDENT}{code}"
    if comment and len(field) + len(comment) + 2 > WIDTH:
        lines.append(Line(INDENT + comment, declaration.cell, declaration.line))
    elif comment:
        field += f"  {comment}"
    return [*lines, Line(field, declaration.cell, declaration.line)]


def _indented(lines: Sequence[Line]) -> list[Line]:
    return [Line(INDENT + line.text.strip(), line.cell, line.cell_line) for line in lines]


def _comment_text(comment: str) -> str:
    return " ".join(comment.split()).removeprefix("#").strip()


def comments(declaration: ParameterDeclaration, text: CellText) -> list[Line]:
    """Returns the comment lines directly above a parameter."""
    index = _unit_index(declaration, text)
    return text.comments_above(index) if index is not None else []


def default_text(declaration: ParameterDeclaration, text: CellText) -> str:
    """Returns the default as the notebook writes it, on one line where it spans several."""
    index = _unit_index(declaration, text)
    if index is not None:
        node = text.units[index].node
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if value is not None and value.lineno == value.end_lineno:
            segment = ast.get_source_segment("\n".join(text.lines), value) or ""
            if _same(segment, declaration.default):
                return segment
    return literal(declaration.default)


def _unit_index(declaration: ParameterDeclaration, text: CellText) -> int | None:
    for index, unit in enumerate(text.units):
        if unit.first <= declaration.line <= unit.last and declaration.name in ast.unparse(unit.node).split("=")[0]:
            return index
    return None


def _same(segment: str, value: Json) -> bool:
    try:
        return repr(ast.literal_eval(segment)) == repr(value)
    except (ValueError, SyntaxError):
        return False


def literal(value: Json) -> str:
    """Returns a plain value as Python, texts in double quotes."""
    match value:
        case str():
            return repr(value) if '"' in value or not value.isprintable() or "\\" in value else f'"{value}"'
        case list() | tuple():
            return f"[{', '.join(literal(item) for item in value)}]"
        case Mapping():
            return f"{{{', '.join(f'{literal(key)}: {literal(item)}' for key, item in value.items())}}}"
        case float() if not math.isfinite(value):
            return f'float("{value}")'
        case _:
            return repr(value)


def _annotation(declaration: ParameterDeclaration, classes: Mapping[ParameterType, ImportedName], choice: str) -> str:
    """Returns the type of a parameter as Python writes it."""
    if declaration.choices:
        kind = f"{choice}[{', '.join(map(literal, declaration.choices))}]"
    elif declaration.type in classes:
        kind = classes[declaration.type].name
    else:
        kind = _plain_annotation(declaration.default, declaration.type)
    is_optional = declaration.default is None and declaration.type is not ParameterType.NONE
    return f"{kind} | None" if is_optional else kind


def _plain_annotation(default: Json, kind: ParameterType) -> str:
    match kind:
        case ParameterType.LIST:
            return f"list[{_common(default) if isinstance(default, Sequence) else 'Any'}]"
        case ParameterType.DICT if isinstance(default, Mapping):
            return f"dict[{_common(list(default))}, {_common(list(default.values()))}]"
        case ParameterType.DICT:
            return "dict[str, Any]"
        case ParameterType.NONE:
            return "Any"
        case _:
            return kind.value


def _common(items: Sequence[Json]) -> str:
    names = {type(item).__name__ for item in items}
    if names <= {"int", "float"} and "float" in names:
        return "float"
    return names.pop() if len(names) == 1 and names <= {"int", "float", "str", "bool"} else "Any"
