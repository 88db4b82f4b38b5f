"""Whole programs: imports, parameters, shared definitions, cells that are cut into steps at random places, a probe."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

from tests.promise.fuzz import (  # noqa: F401 - they register productions
    arrays,
    classes,
    flow,
    frames,
    functions,
    live,
    values,
)
from tests.promise.fuzz.grammar import STATEMENTS, Lines, NotHere, Writer
from tests.promise.fuzz.program import Block, Cell, Program
from tests.promise.fuzz.scope import Kind

# Module -> how it is imported, and in how many of 100 programs.
_IMPORTS = {
    "np": ("import numpy as np", 85), "pd": ("import pandas as pd", 65), "random": ("import random", 60),
    "functools": ("import functools", 60), "collections": ("import collections", 50),
    "dataclasses": ("import dataclasses", 40), "enum": ("import enum", 25), "contextlib": ("import contextlib", 40),
}  # fmt: skip
_PARAMETERS = {
    Kind.INT: ("3", "5", "-1"), Kind.FLOAT: ("0.5", "2.0"), Kind.TEXT: ("'red'", '"it\'s"'),
    Kind.FLAG: ("True", "False"), Kind.LIST: ("[1, 2]", "[7]"),
    Kind.DICT: ('{"a": 1, "b": 2}', '{"b": 0, "a": 4}'),
}  # fmt: skip
_DEFINING = ("function: ", "class: ")
_ACTING = ("called", "result", "handed", "attribute of a class", "isinstance")
_SHARED = [
    p for p in STATEMENTS if p.construct.startswith(_DEFINING) and not any(word in p.construct for word in _ACTING)
]
_NOT_TOLD = {Kind.MODULE, Kind.SEED}


def programs() -> st.SearchStrategy[Program]:
    """Returns the strategy: Hypothesis draws each number once, and each number stands for one program.

    A draw for each choice would let Hypothesis vary programs that it has drawn, which gives many that are nearly equal;
    `tests.promise.fuzz.shrink` knows statements and shrinks better than choices can be shrunk.
    """
    return st.integers(0, 2**32 - 1).map(program_of)


def program_of(number: int) -> Program:
    """Returns the program of a number, always the same one."""
    writer = Writer(Random(number))
    imports = _imports(writer)
    cells: list[Cell] = []
    if writer.chance(70):
        cells.append(Cell("imports", imports))
        imports = ()
    given = _parameters(writer, cells) if writer.chance(50) else ""
    if writer.chance(12):
        writer.constructs = set()
        blocks = _blocks(writer, writer.integer(1, 2))
        cells.append(Cell("imports", blocks))
    if writer.chance(40):
        cells.append(_definitions(writer))
    _body(writer, cells, imports)
    return Program(tuple(cell for cell in cells if cell.blocks), given, number)


def _imports(w: Writer) -> tuple[Block, ...]:
    blocks = []
    for name, (line, share) in _IMPORTS.items():
        if w.chance(share):
            w.scope.names[name] = Kind.MODULE
            blocks.append(Block(line, frozenset({f"imports: {name}"})))
    return tuple(blocks)


def _parameters(w: Writer, cells: list[Cell]) -> str:
    given = ""
    blocks = []
    for _ in range(w.integer(1, 3)):
        kind = w.pick(tuple(_PARAMETERS))
        name = w.new(kind, fresh=True)
        blocks.append(Block(f"{name} = {w.pick(_PARAMETERS[kind])}", frozenset({f"parameters: {kind.name.lower()}"})))
        if w.chance(30):
            given += f"{'; ' if given else ''}{name} = {w.pick(_PARAMETERS[kind])}"
    cells.append(Cell("parameters", tuple(blocks)))
    return given


def _block(w: Writer, lines: Lines) -> Block:
    found = Block("\n".join(lines), frozenset(w.constructs))
    w.constructs = set()
    return found


def _blocks(w: Writer, count: int) -> tuple[Block, ...]:
    found = []
    for _ in range(count):
        try:
            found.append(_block(w, w.statement()))
        except NotHere:
            continue
    return tuple(found)


def _definitions(w: Writer) -> Cell:
    found = []
    for _ in range(w.integer(1, 3)):
        try:
            found.append(_block(w, w.choose(_SHARED)))
        except NotHere:
            continue
    return Cell("functions", tuple(found))


def _body(w: Writer, cells: list[Cell], imports: tuple[Block, ...]) -> None:
    step, count = 0, w.integer(3, 8)
    every = w.chance(30)
    for number in range(count):
        if number and w.chance(12):
            cells.append(_definitions(w))
        blocks = imports + _blocks(w, w.integer(1, 4) if number else w.integer(3, 5))
        imports = ()
        if number and blocks and (every or w.chance(45)):
            step += 1
        cells.append(Cell(f"step:s{step}", blocks))
    cells.append(Cell(f"step:s{step + 1}", _probe(w)))


def _probe(w: Writer) -> tuple[Block, ...]:
    """Tells all names at the end, or some; in a step of its own, as nothing is known of what `tell` does to them."""
    scope = w.scope
    names = [name for name, kind in scope.names.items() if kind not in _NOT_TOLD]
    if w.chance(25):
        names = [name for name in names if w.chance(50)]
    lines = ["from tests.promise.fuzz.probe import tell", f"tell({', '.join(f'{name}={name}' for name in names)})"]
    if Kind.SEED in scope.names.values() and w.chance(70):
        lines += ["print(random.random())"] if "<random>" in scope.names else []
        lines += ["print(np.random.rand())"] if "<np>" in scope.names else []
    return tuple(Block(line, frozenset({"end: every value is told"})) for line in lines)
