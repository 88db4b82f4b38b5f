"""Sorts the notebook's names: imports, definitions, constants, parameters, and data that travels between steps."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum

from msgspec import Struct, field

from nbmlops.analysis.fidelity.text_names import names_bound_by_text
from nbmlops.analysis.fidelity.whole import RUNNERS, VIEWS, Access, accesses
from nbmlops.analysis.flow.expressions import Names
from nbmlops.analysis.flow.knowledge import BUILTINS
from nbmlops.analysis.flow.scope import collect_names
from nbmlops.analysis.imports.blocks import movable_blocks
from nbmlops.analysis.imports.import_order import late_imports
from nbmlops.analysis.model import ImportedName, StatementKind
from nbmlops.analysis.statements import Unit
from nbmlops.core.syntax import find, walk
from nbmlops.notebook.model import RoleKind

MODULE_NAMES = frozenset({"__name__", "__spec__", "__package__", "__loader__", "__doc__", "__builtins__"})
"""Names that every module has, with another value in a notebook than in a module of a package."""

# Stands for a literal where the path of an import is asked for.
_LITERAL = "literal"


class BindingKind(StrEnum):
    """How a statement binds a name."""

    IMPORT = "import"
    DEFINITION = "definition"
    LITERAL = "literal"
    PARAMETER = "parameter"
    GLOBAL = "global"
    OTHER = "other"


class Binding(Struct, frozen=True):
    """One place where a name is bound; `path` is what an import binds it to, `node` what says so."""

    name: str
    kind: BindingKind
    unit: Unit
    node: ast.AST
    path: str = ""


class Namespace(Struct):
    """The names of the notebook by what they are; `bindings` holds all places, in notebook order.

    A name that is imported or defined and also bound in another way counts as data, as its meaning depends on when it
    is asked for; so does one that is Python's own in the cells above. What a block binds that decides once, such as
    `try: import x`, counts as constant.
    """

    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    imports: dict[str, list[ImportedName]] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, Unit] = field(default_factory=dict)
    constants: dict[str, Unit] = field(default_factory=dict)
    parameters: dict[str, Unit] = field(default_factory=dict)
    blocks: dict[Unit, frozenset[str]] = field(default_factory=dict)
    data: set[str] = field(default_factory=set)
    accesses: dict[ast.AST, Access] = field(default_factory=dict)

    def names(self) -> Names:
        """Returns what the flow analysis needs to know."""
        data = frozenset(self.data | self.parameters.keys())
        walrus = any(":=" in binding.unit.cell.python for found in self.bindings.values() for binding in found)
        code = frozenset(self.definitions).union(*self.blocks.values())
        return Names(frozenset(self.bindings), self.paths, data, code, walrus, self.accesses)


def sort_names(units: Sequence[Unit], values: AbstractSet[str] = frozenset()) -> Namespace:
    """Returns the namespace, and sets the kind of each unit as far as names decide it.

    Args:
        units: All statements, in notebook order.
        values: Names of definitions that are data.
    """
    namespace = Namespace()
    for unit in units:
        for binding in _bindings(unit):
            namespace.bindings.setdefault(binding.name, []).append(binding)
    late = _late_builtins(units, namespace.bindings)
    late |= {name for name, bindings in namespace.bindings.items() if bindings[0].unit.cell.may_raise}
    for unit in units:
        namespace.accesses |= accesses(unit.node)
    if Access.BIND in namespace.accesses.values():  # code that is not known before may bind or unbind a constant
        late |= {name for name, found in namespace.bindings.items() if found[0].kind is BindingKind.LITERAL}
        late |= _bound_by_text(units, namespace)
    for name, bindings in namespace.bindings.items():
        _sort(namespace, name, bindings, one_meaning=name not in late and name not in values)
    _import_in_place(namespace, units)
    given = namespace.data | namespace.parameters.keys() | MODULE_NAMES | VIEWS | RUNNERS
    places = {name: {binding.unit for binding in found} for name, found in namespace.bindings.items()}
    for block, names in movable_blocks(units, places, given, namespace.definitions, late | values).items():
        namespace.data -= names
        namespace.constants |= dict.fromkeys(names, block)
        namespace.blocks[block] = names
    for unit in units:
        unit.kind = _kind(unit, namespace)
    return namespace


def _bound_by_text(units: Sequence[Unit], namespace: Namespace) -> set[str]:
    """Returns the names to which text gives another meaning than the statements that bind them."""
    texts = names_bound_by_text([unit.node for unit in units], namespace.accesses)
    return {
        name
        for name, found in namespace.bindings.items()
        if name in texts and ("" in texts[name] or texts[name] != {binding.path for binding in found})
    }


def _import_in_place(namespace: Namespace, units: Sequence[Unit]) -> None:
    """Makes data of names that are imported first where only the code above makes the import possible."""
    late = late_imports(units, namespace.paths, namespace.data | namespace.parameters.keys())
    for name in [name for unit in units if unit in late for name in _imported(unit)]:
        if name in namespace.imports and namespace.bindings[name][0].unit in late:
            del namespace.imports[name]
            namespace.data.add(name)


def _imported(unit: Unit) -> list[str]:
    return [imported.name for imported in imported_names(unit)]


def imported_names(unit: Unit) -> list[ImportedName]:
    """Returns the names that a top-level import binds."""
    cell, line, node = unit.cell.number, unit.first, unit.node
    if isinstance(node, ast.Import):
        return [ImportedName(a.asname or a.name.split(".")[0], a.name, "", cell, line) for a in node.names]
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        return [ImportedName(a.asname or a.name, module, a.name, cell, line) for a in node.names if a.name != "*"]
    return []


def import_paths(units: Iterable[Unit]) -> dict[str, str]:
    """Returns imported name -> dotted path, for all imports at the top level of cells."""
    return {imported.name: _path(imported) for unit in units for imported in imported_names(unit)}


def _path(imported: ImportedName) -> str:
    """Returns the dotted path of what an import binds: the package for `import a.b`, which binds "a"."""
    if imported.attribute:
        return f"{imported.module}.{imported.attribute}"
    return imported.name if imported.module.split(".")[0] == imported.name else imported.module


def _bindings(unit: Unit) -> Iterable[Binding]:
    names = collect_names([unit.node], walrus=":=" in unit.cell.python)
    for imported in imported_names(unit):
        yield Binding(imported.name, BindingKind.IMPORT, unit, unit.node, _path(imported))
    if not isinstance(unit.node, ast.Import | ast.ImportFrom):
        for name, node in names.bound.items():
            path = next((_path(i) for i in _imports_at(node, unit) if i.name == name), "")
            yield Binding(name, _binding_kind(unit, name), unit, node, path)
    for part in find(unit.node, ast.Global):
        if part is not unit.node:
            yield from (Binding(name, BindingKind.GLOBAL, unit, part) for name in part.names)


def _imports_at(node: ast.AST, unit: Unit) -> list[ImportedName]:
    """Returns what an import inside a block (`try`, `if`) binds."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return imported_names(Unit(unit.cell, node, node.lineno, node.lineno, last_of_cell=False))
    return []


def _binding_kind(unit: Unit, name: str) -> BindingKind:
    if unit.cell.role.kind is RoleKind.PARAMETERS and not unit.home:
        return BindingKind.PARAMETER
    if unit.defines() == name:
        return BindingKind.DEFINITION
    if unit.is_shared and _is_literal_assignment(unit.node):
        return BindingKind.LITERAL
    return BindingKind.OTHER


def _is_literal_assignment(node: ast.stmt) -> bool:
    match node:
        case (
            ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(target=ast.Name(), value=ast.expr() as value)
        ):
            return is_immutable_literal(value)
        case _:
            return False


def is_immutable_literal(node: ast.expr) -> bool:
    """Returns whether an expression is a number, string, bool, None, or a tuple or sum of those."""
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(operand=operand):
            return isinstance(operand, ast.Constant)
        case ast.BinOp(left=left, right=right):
            return is_immutable_literal(left) and is_immutable_literal(right)
        case ast.Tuple(elts=items):
            return all(is_immutable_literal(item) for item in items)
        case _:
            return False


def _late_builtins(units: Sequence[Unit], bindings: Mapping[str, list[Binding]]) -> frozenset[str]:
    """Returns the builtins that the notebook binds, and that code above reads while they still are Python's own."""
    bound = {name: found[0].unit.place() for name, found in bindings.items() if name in BUILTINS}
    return frozenset(
        name.id
        for unit in (units if bound else ())
        for name in find(unit.node, ast.Name)
        if name.id in bound and unit.place() < bound[name.id]
    )


def _sort(namespace: Namespace, name: str, bindings: list[Binding], *, one_meaning: bool) -> None:
    kinds = {binding.kind for binding in bindings}
    first = bindings[0]
    if path := _common_path(bindings):
        namespace.paths[name] = path
    if BindingKind.PARAMETER in kinds:
        namespace.parameters[name] = next(b.unit for b in bindings if b.kind is BindingKind.PARAMETER)
    elif not one_meaning:
        namespace.data.add(name)
    elif BindingKind.IMPORT in kinds and all(binding.path == path for binding in bindings):
        namespace.imports[name] = [
            imported
            for binding in bindings
            if binding.kind is BindingKind.IMPORT
            for imported in imported_names(binding.unit)
            if imported.name == name
        ]
    elif len(bindings) == 1 and first.kind is BindingKind.DEFINITION:
        namespace.definitions[name] = first.unit
    elif len(bindings) == 1 and first.kind is BindingKind.LITERAL:
        namespace.constants[name] = first.unit
    else:
        namespace.data.add(name)


def _common_path(bindings: list[Binding]) -> str:
    """Returns what a name is imported from wherever it is bound, or "" if it may be something that can change.

    Literals beside the imports change nothing: `except ImportError: codec = None`.
    """
    if not any(binding.path for binding in bindings):
        return ""
    paths = {path for unit in {binding.unit for binding in bindings} for path in _ways(unit, bindings[0].name)}
    paths.discard(_LITERAL)
    return paths.pop() if len(paths) == 1 else ""


def _ways(unit: Unit, name: str) -> set[str]:
    """Returns what a statement may bind a name to: paths of imports, `_LITERAL`, "" for anything else."""
    found: set[str] = set()
    literal: set[ast.AST] = set()
    for part in walk(unit.node):
        match part:
            case ast.Import() | ast.ImportFrom():
                found |= {_path(imported) for imported in _imports_at(part, unit) if imported.name == name}
            case ast.Assign(targets=targets, value=value) if is_immutable_literal(value):
                literal |= set(targets)
            case ast.Name(id=stored, ctx=ast.Store()) if stored == name:
                found.add(_LITERAL if part in literal else "")
            case ast.FunctionDef(name=made) | ast.AsyncFunctionDef(name=made) | ast.ClassDef(name=made) if made == name:
                found.add("")
            case ast.ExceptHandler(name=str(made)) | ast.MatchAs(name=str(made)) if made == name:
                found.add("")
            case _:
                pass
    return found


def _kind(unit: Unit, namespace: Namespace) -> StatementKind:
    if isinstance(unit.node, ast.Import | ast.ImportFrom):
        bound = [imported.name for imported in imported_names(unit)]
        return StatementKind.IMPORT if namespace.imports.keys() >= set(bound) else StatementKind.CODE
    if namespace.definitions.get(unit.defines()) is unit:
        return StatementKind.DEFINITION
    if unit in namespace.blocks:
        return StatementKind.CONSTANT
    if isinstance(unit.node, ast.Assign | ast.AnnAssign):
        target = unit.node.targets[0] if isinstance(unit.node, ast.Assign) else unit.node.target
        if isinstance(target, ast.Name) and namespace.constants.get(target.id) is unit:
            return StatementKind.CONSTANT
    return StatementKind.CODE


def block_uses(namespace: Namespace, block: Unit) -> frozenset[str]:
    """Returns the definitions and constants that a block mentions and does not bind itself."""
    known = namespace.definitions.keys() | namespace.constants.keys()
    return frozenset(block.record.mentions.keys() & known) - namespace.blocks[block]
