"""Makes a failing program small: statements, nested ones too, go as long as it fails, cells are merged."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

from tests.promise.fuzz.program import Block, Cell, Program

_BODIES = ("body", "orelse", "finalbody")


def shrink(program: Program, fails: Callable[[Program], bool], most: int = 400) -> Program:
    """Returns the smallest program found that still fails.

    Args:
        program: A program that fails.
        fails: Tells whether a program fails.
        most: How many programs to try at most.
    """
    budget = most
    smaller = True
    while smaller and budget > 0:
        smaller = False
        for candidate in _candidates(program):
            budget -= 1
            if budget <= 0:
                break
            if fails(candidate):
                program, smaller = candidate, True
                break
    return program


def _candidates(program: Program) -> Iterator[Program]:
    """Yields programs that are a little smaller, those that lose most first."""
    cells = program.cells
    for at in range(len(cells)):
        yield replace(program, cells=cells[:at] + cells[at + 1 :])
    for at, cell in enumerate(cells):
        for number in range(len(cell.blocks) if len(cell.blocks) > 1 else 0):
            yield _with_blocks(program, at, cell.blocks[:number] + cell.blocks[number + 1 :])
    if program.given:
        yield replace(program, given="")
    for one, other in pairwise(dict.fromkeys(cell.tag for cell in cells if cell.tag.startswith("step:"))):
        yield replace(program, cells=tuple(replace(c, tag=one) if c.tag == other else c for c in cells))
    for at, cell in enumerate(cells):
        for number, block in enumerate(cell.blocks):
            for source in _smaller(block.source):
                yield _with_blocks(program, at, (*cell.blocks[:number], *source, *cell.blocks[number + 1 :]))


def _with_blocks(program: Program, at: int, blocks: tuple[Block, ...]) -> Program:
    cell = replace(program.cells[at], blocks=blocks)
    return replace(program, cells=(*program.cells[:at], cell, *program.cells[at + 1 :]))


def _smaller(source: str) -> Iterator[tuple[Block, ...]]:
    """Yields what a statement may become: without a statement inside of it, only its body, with shorter calls."""
    tree = ast.parse(source)
    if len(tree.body) != 1:
        for number in range(len(tree.body)):
            yield tuple(Block(ast.unparse(node)) for at, node in enumerate(tree.body) if at != number)
        return
    whole = tree.body[0]
    if not isinstance(whole, ast.FunctionDef | ast.ClassDef):
        for name in _BODIES:
            if isinstance(inner := getattr(whole, name, None), list) and inner:
                yield tuple(Block(ast.unparse(node)) for node in inner)
    for node in ast.walk(whole):
        for parts, most in _lists_of(node):
            yield from _without_one(whole, parts, most)


def _lists_of(node: ast.AST) -> Iterator[tuple[list[ast.AST], int]]:
    """Yields the lists of a node from which one part may go, and how many must stay."""
    for name in (*_BODIES, "handlers", "decorator_list"):
        if isinstance(inner := getattr(node, name, None), list):
            yield inner, int(name == "body")
    match node:
        case ast.Call(args=args, keywords=keywords) if len(args) + len(keywords) > 1:
            yield from ((args, 0), (keywords, 0))
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            yield items, 1


def _without_one(whole: ast.stmt, inner: list[ast.AST], most: int) -> Iterator[tuple[Block, ...]]:
    if len(inner) <= most:
        return
    for at in range(len(inner)):
        gone = inner.pop(at)
        try:
            source = ast.unparse(whole)
        except (AttributeError, ValueError):
            source = ""
        inner.insert(at, gone)
        if source and _parses(source):
            yield (Block(source),)


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def plainer(program: Program) -> Iterator[Program]:
    """Yields the program with the probe replaced by a print, which is easier to read."""
    cells = []
    for cell in program.cells:
        blocks = [b for b in cell.blocks if not b.source.startswith("from tests.")]
        cells.append(Cell(cell.tag, tuple(Block(_printed(b.source)) for b in blocks)))
    yield replace(program, cells=tuple(cells))


def _printed(source: str) -> str:
    if not source.startswith("tell("):
        return source
    call = ast.parse(source, mode="eval").body
    assert isinstance(call, ast.Call)
    return f"print({', '.join(ast.unparse(keyword.value) for keyword in call.keywords)})"
