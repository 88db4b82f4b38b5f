"""The notebook of a step that needs the namespace of a notebook: the source cells one by one, as they stand.

Before them stands what the notebook's namespace holds there: imports, definitions, parameters, live values; below them
what the step hands over. Functions and classes of the package are imported where the notebook defines them.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.analysis.model import ImportedName, Placement, Statement, StepFacts
from nbmlops.analysis.statements import dropped_below
from nbmlops.compiler.bodies import definition_lines, units_of
from nbmlops.compiler.cells import CellText, Line, own, tidy
from nbmlops.compiler.imports import import_lines, loading_lines
from nbmlops.compiler.layout import INDENT, bracketed
from nbmlops.compiler.modules import source_lines
from nbmlops.compiler.names import fresh
from nbmlops.compiler.program import Program
from nbmlops.compiler.targets.parameters import converted, value_classes
from nbmlops.compiler.targets.shared import HELPERS, SETTINGS
from nbmlops.core.jupyter_tags import RAISES
from nbmlops.pipeline.ir import SourceLines, Step

PARAMETERS = "parameters"


class CodeCell(Struct, frozen=True):
    """A code cell of a step notebook: its id, its lines and its tags."""

    id: str
    lines: Sequence[Line]
    tags: tuple[str, ...] = ()


def verbatim_cells(program: Program, step: Step, parameters: Sequence[str]) -> list[CodeCell]:
    """Returns the code cells of a verbatim step's notebook, in order.

    Args:
        program: The compiled notebook.
        step: The step.
        parameters: Lines of the cell that papermill puts the parameters below.
    """
    facts = program.facts(step.name)
    names = _Names(program, facts)
    cells = [CodeCell(PARAMETERS, own(*parameters), (PARAMETERS,))] if parameters else []
    cells.append(CodeCell("load", _load_lines(program, step, facts, names)))
    for number in facts.cells:
        if number in program.cells:
            tags = (RAISES,) if program.notebook.cells[number - 1].may_raise else ()
            cells.append(CodeCell(f"cell-{number}", _cell(program, facts, number), tags))
    cells.append(CodeCell("save", own(*_save_lines(step, facts, names, _own_code(program, facts)))))
    return [cell for cell in cells if cell.lines]


def verbatim_lines(program: Program, cells: Sequence[CodeCell]) -> tuple[SourceLines, ...]:
    """Returns the source map of the notebook: its code cells count as one text, one below the other."""
    return source_lines((line for cell in cells for line in cell.lines), program.notebook)


class _Names:
    """What things of ours are called in the notebook: never like a name of the user's."""

    def __init__(self, program: Program, facts: StepFacts) -> None:
        self.taken = program.names
        # Code that is not known before it runs uses no names like these.
        lead = "_nbmlops_" if facts.whole else ""
        self.step = fresh(f"{lead}step", self.taken)
        self.open_step = fresh(f"{lead}open_step", self.taken)
        self.settings = fresh(f"{lead}{SETTINGS}", self.taken)


def _load_lines(program: Program, step: Step, facts: StepFacts, names: _Names) -> list[Line]:
    package = program.package
    future = [i for i in program.analysis.imports if i.module == "__future__"]
    lines = ["# The cells below are those of the source notebook, as they stand.", "# ruff: noqa"]
    lines += import_lines([*future, ImportedName(names.open_step, "nbmlops.runtime.step", "open_step")])
    lines += ["", f'{names.step} = {names.open_step}("{step.name}")  # makes the package importable']
    found, guarded = _imports(program, facts)
    if program.analysis.settings:
        found.append(ImportedName(names.settings, package, SETTINGS))
    declared = {d.name: d for d in program.analysis.parameters if d.name in step.parameters}
    classes = value_classes(declared.values(), names.taken)
    sections = [loading_lines(facts.loads), import_lines([*found, *classes.values()], program.own_modules), guarded]
    sections += [[f"{names.settings}.apply()"]] if program.analysis.settings else []
    values = {name: converted(name, declaration, classes) for name, declaration in declared.items()}
    sections += [[f"{name} = {value}" for name, value in values.items() if value != name]]
    for section in filter(None, sections):
        lines += ["", *section]
    rebuilt = _rebuilt(program, facts)
    load = own(*_values_lines(step, facts, names))
    between = own("", "") if rebuilt else own("") if load else []
    return [*own(*lines), *(own("", "") if rebuilt else []), *rebuilt, *(between if load else []), *load]


def _values_lines(step: Step, facts: StepFacts, names: _Names) -> list[str]:
    inputs = [value.name for value in step.inputs]
    if facts.whole or facts.unsure_inputs or facts.rebuilt:
        return [f"{names.step}.load_into(globals())"]
    quoted = [f'"{name}"' for name in inputs]
    return bracketed(f"{', '.join(inputs)} = {names.step}.load(", quoted, ")") if inputs else []


def _imports(program: Program, facts: StepFacts) -> tuple[list[ImportedName], list[str]]:
    """Returns the imports that stand above the cells, and lines for names that the notebook does not always bind."""
    definitions = program.definitions
    rebuilt = [definitions[name] for name in facts.rebuilt]
    wanted = set(facts.imports).union(*(definition.imports for definition in rebuilt))
    order = [other.name for other in program.analysis.steps]
    below = {cell for other in program.analysis.steps[order.index(facts.name) :] for cell in other.cells}
    found = [i for i in program.analysis.imports if i.name in wanted and i.cell not in below]
    shared = set(facts.definitions).union(*(definition.uses for definition in rebuilt))
    moved = _moved(program)
    shared = {name for name in shared if name in moved and moved[name].cell not in below}
    constants = program.constants
    unsure = sorted(name for name in shared if name in constants and not constants[name].certain)
    module = f"{program.package}.{HELPERS}"
    found += [ImportedName(name, module, name) for name in sorted(shared - set(unsure))]
    return found, [line for name in unsure for line in _import_unsure(program, name)]


def _moved(program: Program) -> dict[str, Statement]:
    """Returns name -> statement of the definitions and constants that live in the package."""
    analysis = program.analysis
    found = {d.name: d.statement for d in analysis.definitions if d.placement is Placement.MODULE}
    return found | {constant.name: constant.statement for constant in analysis.constants}


def _import_unsure(program: Program, name: str) -> list[str]:
    lines = ["try:", f"{INDENT}from {program.package}.{HELPERS} import {name}"]
    return [*lines, "except ImportError:  # the notebook does not always bind it", f"{INDENT}pass"]


def _rebuilt(program: Program, facts: StepFacts) -> list[Line]:
    definitions = program.definitions
    lines: list[Line] = []
    for name in facts.rebuilt:
        statement = definitions[name].statement
        lines += [*own("", ""), *definition_lines(program.cells[statement.cell], statement)]
    return tidy(lines, most=2)


def _cell(program: Program, facts: StepFacts, number: int) -> list[Line]:
    """Returns the lines of a cell, with imports in the place of what lives in the package."""
    text = program.cells[number]
    kept = set(units_of(text, facts.statements))
    kept |= {index for index, unit in enumerate(text.units) if isinstance(unit.node, ast.Import | ast.ImportFrom)}
    if len(kept) == len(text.units):
        return tidy(_silenced(program, text), most=2)
    names: dict[int, list[str]] = {}
    for name, statement in _moved(program).items():
        if statement.cell == number:
            names.setdefault(statement.index, []).append(name)
    lines: list[Line] = []
    for index in range(len(text.units)):
        gap = text.gap(index)
        if index in kept:
            whole, comment = text.statement(index)
            mark = ";" if index == len(text.units) - 1 and _is_silent(program, text) else ""
            lines += [*gap, *whole[:-1], replace(whole[-1], text=whole[-1].text + mark + comment)]
        else:
            lines += gap[: len(gap) - len(text.comments_above(index))]
            lines += _imported_here(program, names.get(index, []))
    return tidy([*lines, *text.gap(len(text.units))], most=2)


def _imported_here(program: Program, names: Collection[str]) -> list[Line]:
    constants = program.constants
    sure = sorted(name for name in names if name not in constants or constants[name].certain)
    lines = import_lines([ImportedName(name, f"{program.package}.{HELPERS}", name) for name in sure])
    lines += [line for name in sorted(set(names) - set(sure)) for line in _import_unsure(program, name)]
    return own(*lines)


def _silenced(program: Program, text: CellText) -> list[Line]:
    """Returns the lines of a cell, a semicolon behind its last expression where the source cell does not show it."""
    lines = [text.line(number) for number in range(1, len(text.lines) + 1)]
    if not text.units or not _is_silent(program, text):
        return lines
    last = text.units[-1]
    line = lines[last.last - 1]
    if not line.text[last.end_col :].lstrip().startswith(";"):
        lines[last.last - 1] = replace(line, text=f"{line.text[: last.end_col]};{line.text[last.end_col :]}")
    return lines


def _is_silent(program: Program, text: CellText) -> bool:
    """Returns whether the cell ends in an expression that Jupyter does not show."""
    last = text.units[-1]
    below = dropped_below(program.notebook.cells[text.number - 1], last.last)
    rest = text.lines[last.last - 1][last.end_col :].lstrip()
    return isinstance(last.node, ast.Expr) and (below or rest.startswith(";"))


def _own_code(program: Program, facts: StepFacts) -> list[str]:
    """Returns the names that the step's cells import, and those of functions and classes that it defines for itself."""
    analysis = program.analysis
    imported = {i.name for i in analysis.imports if i.cell in facts.cells}
    defined = {d.name for d in analysis.definitions if d.statement.cell in facts.cells}
    constants = {constant.name for constant in analysis.constants if constant.statement.cell in facts.cells}
    return sorted(imported | defined | constants | set(facts.rebuilt))


def _save_lines(step: Step, facts: StepFacts, names: _Names, code: Collection[str]) -> list[str]:
    if facts.whole:
        lines = ["# What the cells import or define themselves is no value."]
        return [*lines, *bracketed(f"{names.step}.save_from(globals(), [", [f'"{name}"' for name in code], "])")]
    if facts.unsure_outputs:
        return [f"{names.step}.save_from(globals())"]
    return bracketed(f"{names.step}.save(", [f"{name}={name}" for name in step.outputs], ")")
