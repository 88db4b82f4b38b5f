"""The module of a step: one function that takes what is live before the step and returns what is live after it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from nbmlops.analysis.flow.scope import collect_names
from nbmlops.analysis.model import ImportedName, Placement, StepFacts
from nbmlops.compiler.bodies import cell_body, definition_lines, nodes_of, shown_units, units_of
from nbmlops.compiler.cells import CellText, Line, function_text, indent, own, tidy
from nbmlops.compiler.checkers import checker_comments
from nbmlops.compiler.imports import bare
from nbmlops.compiler.layout import INDENT, WIDTH, bracketed, cells_of, docstring, sentence
from nbmlops.compiler.modules import Module, assemble, import_sections
from nbmlops.compiler.names import fresh, mentioned
from nbmlops.compiler.program import Program
from nbmlops.compiler.prose import comment, wrapped
from nbmlops.compiler.targets.shared import from_helpers
from nbmlops.core.syntax import find, kinds
from nbmlops.pipeline.ir import Step

SHOW = "nbmlops.show"
UNBOUND = "nbmlops.UNBOUND"
_OF_JUPYTER = frozenset({"IPython", "matplotlib_inline"})
_PYTHONS_OWN = frozenset(dir(builtins))


class _Content(Struct, frozen=True):
    """What a step's function is made from.

    Attributes:
        cells: Cell texts, adapted to stand in a function.
        nodes: The trees of all statements and rebuilt definitions.
        taken: Every name that occurs in them.
        bound: Names that are local to the function.
    """

    cells: Mapping[int, CellText]
    nodes: tuple[ast.stmt, ...]
    taken: frozenset[str]
    bound: frozenset[str]

    def own(self, name: str) -> str:
        """Returns what a thing of ours is called here."""
        return fresh(name, self.taken)


def step_module(program: Program, step: Step) -> Module:
    """Returns the module of a step."""
    facts = program.facts(step.name)
    content = _content(program, step, facts)
    body = _cells_body(program, facts, content)
    undeclared = sorted((_nonlocal_names(content.nodes) | set(facts.late)) - content.bound)
    outer, inner, guarded = _imports(program, facts, content)
    if facts.parameters:
        outer.append(ImportedName(content.own("Params"), f"{program.package}.params", "Params"))
    shows = any(line.text.startswith(f"{SHOW}(") for line in body if not line.fixed)
    if shows or facts.unsure_inputs or facts.unsure_outputs:
        outer.append(ImportedName("nbmlops", "nbmlops"))
    if undeclared:
        outer.append(ImportedName(content.own("Any"), "typing", "Any"))
    prologue = own(
        *(bare(imported) for imported in inner),
        *(f"{name}: {content.own('Any')}" for name in undeclared),
        *(['__name__ = "__main__"  # as in the notebook'] if "__name__" in content.taken - content.bound else []),
        *(f"{name} = {content.own('params')}.{name}" for name in facts.parameters),
        *(text for name in facts.unsure_inputs for text in (f"if {name} is {UNBOUND}:", f"{INDENT}del {name}")),
    )
    parts = [prologue, _rebuilt(program, facts, content), body, own(*_marks(facts, content), *_return(step.outputs))]
    function = own(*_signature(step, facts, content), *_function_docstring(program, step))
    function += indent(joined(parts))
    notice = program.module_docstring(f"Step {step.name} of the pipeline {program.package}.")
    notice += checker_comments(content.nodes, step.outputs)
    sections = [own(*notice), *import_sections(facts.loads, outer, program.own_modules), guarded, function]
    return assemble(step.module, sections, program.notebook)


def _marks(facts: StepFacts, content: _Content) -> list[str]:
    """Returns lines that mark the outputs which no path has bound, so that the steps after it find them unbound."""
    names = "locals()" if "locals" not in content.taken else "vars()"
    marks = [f'{name} = {names}.get("{name}", {UNBOUND})' for name in facts.unsure_outputs]
    return ["# Bound on some paths only.", *marks] if marks else []


def _content(program: Program, step: Step, facts: StepFacts) -> _Content:
    definitions = program.definitions
    statements = [*(definitions[name].statement for name in facts.rebuilt), *facts.statements]
    cells = {number: function_text(program.cells[number]) for number in dict.fromkeys(s.cell for s in statements)}
    cells |= {
        number: program.cells[number] for number in facts.cells if number in program.cells and number not in cells
    }
    nodes = tuple(nodes_of(cells, statements))
    given = {value.name for value in step.inputs} | set(step.parameters)
    walrus = any(ast.NamedExpr in kinds(node) for node in nodes)
    bound = frozenset(collect_names(nodes, walrus=walrus).bound) | given
    return _Content(cells, nodes, frozenset(mentioned(nodes) | given | set(step.outputs)), bound)


def _nonlocal_names(nodes: Iterable[ast.AST]) -> set[str]:
    return {name for node in nodes for part in find(node, ast.Nonlocal) for name in part.names}


def _imports(
    program: Program, facts: StepFacts, content: _Content
) -> tuple[list[ImportedName], list[ImportedName], list[Line]]:
    """Returns the imports of the module, those of names that the function binds as well, and lines for unsure ones."""
    definitions = program.definitions
    rebuilt = [definitions[name] for name in facts.rebuilt]
    wanted = set(facts.imports).union(*(definition.imports for definition in rebuilt))
    shared = set(facts.definitions).union(*(definition.uses for definition in rebuilt))
    shared -= {name for name, definition in definitions.items() if definition.placement is Placement.STEP}
    found = [i for i in program.analysis.imports if i.name in wanted or i.module == "__future__"]
    taken, guarded = from_helpers(program, shared, content.taken)
    found += taken
    known = {imported.name for imported in found} | content.bound
    if "nbmlops" in content.taken - known:
        found.append(ImportedName("nbmlops", "nbmlops"))
    given = {value.name for value in facts.inputs}
    # The package imports without IPython; only a step that displays needs it, when it runs.
    late = {imported.name for imported in found if imported.module.partition(".")[0] in _OF_JUPYTER}
    inner = [imported for imported in found if imported.name in (content.bound | late) - given]
    # Where the notebook binds a builtin, Python would take it for a local variable from the first line on.
    inner += [ImportedName(name, "builtins", name) for name in facts.builtins if name in _PYTHONS_OWN]
    return [imported for imported in found if imported.name not in content.bound | late], inner, guarded


def _rebuilt(program: Program, facts: StepFacts, content: _Content) -> list[Line]:
    definitions = program.definitions
    lines: list[Line] = []
    for name in facts.rebuilt:
        statement = definitions[name].statement
        text = content.cells[statement.cell]
        lines += [*own(""), *definition_lines(text, statement)]
    return tidy(lines)


def _cells_body(program: Program, facts: StepFacts, content: _Content) -> list[Line]:
    bodies = []
    for number in facts.cells:
        if number in content.cells:
            text = content.cells[number]
            kept = units_of(text, facts.statements)
            body = cell_body(text, kept, shown_units(text, facts.statements), program.plotting, SHOW)
            bodies.append(_with_remark(program.remarks.get(number, ""), body))
    return joined(bodies)


def _with_remark(remark: str, body: list[Line]) -> list[Line]:
    """Returns the lines of a cell below what the Markdown above it says, apart from a comment of the cell's own."""
    lines = own(*comment(remark, WIDTH - len(INDENT))) if body else []
    return [*lines, *(own("") if lines and body[0].text.startswith("#") else []), *body]


def joined(parts: Iterable[Sequence[Line]]) -> list[Line]:
    """Returns the lines of all parts that hold any, with a blank line between two."""
    lines: list[Line] = []
    for part in parts:
        if part:
            lines += [*(own("") if lines else []), *part]
    return lines


def _signature(step: Step, facts: StepFacts, content: _Content) -> list[str]:
    arguments = [f"{content.own('params')}: {content.own('Params')}"] if facts.parameters else []
    returns = "):" if step.outputs else ") -> None:"
    head = f"async def {step.module}(" if facts.awaits else f"def {step.module}("
    return bracketed(head, [*arguments, *(value.name for value in step.inputs)], returns)


def _return(outputs: Sequence[str]) -> list[str]:
    if not outputs:
        return []
    one = f"return {', '.join(outputs)}"
    return [one] if len(INDENT) + len(one) <= WIDTH else bracketed("return (", outputs, ")")


def _function_docstring(program: Program, step: Step) -> list[str]:
    where = f"{cells_of(program.code_cells(step))} of {program.notebook_file}"
    told = program.explanations[step.name]
    if told.repeats(step.name) and not told.blocks:
        return docstring(f"Run {where}.", indent=INDENT)
    text = wrapped(told.blocks, WIDTH - len(INDENT))
    details = [*text, *([""] if text else []), f"{where[0].upper()}{where[1:]}."]
    return docstring(sentence(told.summary), details, indent=INDENT)
