"""What steps share: `helpers.py` (definitions, constants), `environment.py` and `settings.py` (process)."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from nbmlops.analysis.model import Constant, ImportedName, Placement, Statement
from nbmlops.compiler.bodies import definition_lines, nodes_of, units_of
from nbmlops.compiler.cells import INDENT, Line, indent, own, tidy
from nbmlops.compiler.checkers import block_comments
from nbmlops.compiler.layout import cells_of, docstring, names_of
from nbmlops.compiler.modules import Module, assemble, import_sections
from nbmlops.compiler.names import fresh, mentioned
from nbmlops.compiler.program import Program

HELPERS = "helpers"
ENVIRONMENT = "environment"
SETTINGS = "settings"


def helpers_module(program: Program) -> Module | None:
    """Returns the module of shared definitions and constants, or None where the notebook has none."""
    definitions = [d for d in program.analysis.definitions if d.placement is Placement.MODULE]
    constants = list(program.analysis.constants)
    if not definitions and not constants:
        return None
    statements = [d.statement for d in definitions] + [c.statement for c in constants]
    nodes = nodes_of(program.cells, statements)
    literals = [constant for constant in constants if not constant.is_block]
    code = {d.statement: None for d in definitions} | {c.statement: None for c in constants if c.is_block}
    ordered = sorted(code, key=lambda statement: (statement.cell, statement.first))
    sections = [_constants(program, literals), *(_whole(program, statement) for statement in ordered)]
    notice = f"{_kinds(nodes)} of the pipeline {program.package}."
    imports = _imports(program, nodes, {name for definition in definitions for name in definition.imports})
    blocks = nodes_of(program.cells, [constant.statement for constant in constants if constant.is_block])
    head = [*program.module_docstring(notice), *block_comments(blocks, nodes)]
    return _module(program, HELPERS, head, imports, sections, program.analysis.helper_loads)


def _kinds(nodes: Sequence[ast.stmt]) -> str:
    """Returns what the module holds: "Constants and functions", say."""
    classes = [isinstance(node, ast.ClassDef) for node in nodes]
    functions = [isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes]
    constants = len(nodes) - sum(classes) - sum(functions)
    counts = {"constants": constants, "functions": sum(functions), "classes": sum(classes)}
    return names_of([kind for kind, count in counts.items() if count]).capitalize()


def settings_module(program: Program) -> Module | None:
    """Returns the module whose `apply` sets what the notebook's first cells set, or None where they set nothing."""
    statements = program.analysis.settings
    if not statements:
        return None
    nodes = nodes_of(program.cells, statements)
    names = mentioned(nodes)
    imports = _imports(program, nodes, set())
    shared = {c.name for c in program.analysis.constants} | {d.name for d in program.analysis.definitions}
    taken, guarded = from_helpers(program, names & shared, names)
    imports += taken
    where = f"{cells_of([statement.cell for statement in statements])} of {program.notebook_file}"
    function = own("def apply() -> None:")
    function += own(*docstring(f"Apply the settings of {where}.", indent=INDENT))
    function += indent(_settings_body(program, statements))
    notice = f"Library settings of the pipeline {program.package}; every step notebook applies them first."
    head = program.module_docstring(notice)
    return _module(program, SETTINGS, head, imports, [guarded, function], program.analysis.setting_loads)


def from_helpers(
    program: Program, names: AbstractSet[str], used: AbstractSet[str]
) -> tuple[list[ImportedName], list[Line]]:
    """Returns the imports of shared names, and lines that import those which the notebook may leave unbound.

    Args:
        program: The notebook on its way to files.
        names: The shared names.
        used: Every name that the module uses otherwise.
    """
    constants = program.constants
    unsure = sorted(name for name in names if name in constants and not constants[name].certain)
    module = f"{program.package}.{HELPERS}"
    imports = [ImportedName(name, module, name) for name in sorted(names - set(unsure))]
    if not unsure:
        return imports, []
    suppress = fresh("suppress", used)
    lines = [f"with {suppress}(ImportError):  # the notebook does not always bind it"]
    lines += [f"{INDENT}from {module} import {name}" for name in unsure]
    return [*imports, ImportedName(suppress, "contextlib", "suppress")], own(*lines)


def environment_module(program: Program) -> Module | None:
    """Returns the module whose `prepare` sets what imports depend on, or None where the first cells set nothing such.

    Constants that it mentions stand in it: those of the package live beside functions whose imports come later.
    """
    statements = program.analysis.environment
    if not statements:
        return None
    nodes = nodes_of(program.cells, statements)
    names = mentioned(nodes)
    constants = [c for c in program.analysis.constants if c.name in names and not c.is_block]
    imports = _imports(program, nodes, set())
    shared = {c.name for c in program.analysis.constants if c.is_block} | {d.name for d in program.analysis.definitions}
    taken, guarded = from_helpers(program, names & shared, names)
    imports += taken
    where = f"{cells_of([statement.cell for statement in statements])} of {program.notebook_file}"
    function = own("def prepare() -> None:")
    function += own(*docstring(f"Set what {where} sets and imports depend on.", indent=INDENT))
    function += indent(_settings_body(program, statements))
    notice = f"Environment of the pipeline {program.package}; every step prepares it before it imports anything else."
    head = program.module_docstring(notice)
    return _module(program, ENVIRONMENT, head, imports, [_constants(program, constants), guarded, function])


def _module(
    program: Program,
    name: str,
    notice: Sequence[str],
    imports: Iterable[ImportedName],
    sections: Iterable[Sequence[Line]],
    loads: Sequence[ImportedName] = (),
) -> Module:
    head = [own(*notice), *import_sections(loads, imports, program.own_modules)]
    return assemble(name, [*head, *sections], program.notebook)


def _imports(program: Program, nodes: Sequence[ast.stmt], more: set[str]) -> list[ImportedName]:
    names = mentioned(nodes) | more
    found = [i for i in program.analysis.imports if i.name in names or i.module == "__future__"]
    known = {imported.name for imported in found}
    if "nbmlops" in names - known:
        found.append(ImportedName("nbmlops", "nbmlops"))
    return found


def _whole(program: Program, statement: Statement) -> list[Line]:
    return tidy(definition_lines(program.cells[statement.cell], statement), most=2)


def _constants(program: Program, constants: Sequence[Constant]) -> list[Line]:
    lines: list[Line] = []
    for number in dict.fromkeys(constant.statement.cell for constant in constants):
        text = program.cells[number]
        statements = [constant.statement for constant in constants]
        block: list[Line] = []
        for index in units_of(text, statements):
            block += _with_comment(*text.statement(index), above=text.comments_above(index))
        lines += [*(own("") if lines and _has_comment(block) else []), *block]
    return lines


def _has_comment(block: Sequence[Line]) -> bool:
    return bool(block) and block[0].text.startswith("#")


def _with_comment(lines: list[Line], comment: str, above: Sequence[Line]) -> list[Line]:
    last = lines[-1]
    return [*above, *lines[:-1], Line(last.text + comment, last.cell, last.cell_line, last.fixed)]


def _settings_body(program: Program, statements: Sequence[Statement]) -> list[Line]:
    lines: list[Line] = []
    for number in dict.fromkeys(statement.cell for statement in statements):
        text = program.cells[number]
        for index in units_of(text, statements):
            lines += _with_comment(*text.statement(index), above=text.comments_above(index))
    return lines
