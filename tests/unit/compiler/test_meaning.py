"""Small notebooks, something tricky in each: the compiled steps must print, show and hand over what the cells do."""

from __future__ import annotations

import ast
import importlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from nbmlops.compiler.compile import compile_notebook
from nbmlops.compiler.program import CompileOptions
from nbmlops.core.diagnostics import render_diagnostics
from nbmlops.notebook.model import Notebook
from nbmlops.notebook.reader import parse_notebook
from nbmlops.pipeline.ir import Pipeline

# Cells are separated by a line of dashes; the first line of each is its tag, "-" for none.
NOTEBOOKS = {
    "late binding": """
        functions
        def scaled(x):
            return x * factor
        ---
        step:a
        factor = 2
        one = scaled(1)
        ---
        step:b
        factor = 10
        two = scaled(1)
        ---
        step:c
        print(one, two, scaled(3))
    """,
    "counter through two functions": """
        functions
        def count():
            global calls
            calls += 1
            return calls

        def count_twice():
            return count() + count()
        ---
        step:a
        calls = 0
        first = count_twice()
        ---
        step:b
        second = count_twice()
        print(calls, first, second)
        ---
        step:c
        calls, first + second
    """,
    "recursion": """
        functions
        def even(n):
            return n == 0 or odd(n - 1)

        def odd(n):
            return n != 0 and even(n - 1)
        ---
        step:a
        answer = [even(n) for n in range(5)]
        ---
        step:b
        print(answer, odd(3))
    """,
    "a function defined in one step, used in the next": """
        step:a
        base = 3
        def plus(x, more=1):
            return x + base + more
        r = plus(1)
        ---
        step:b
        base = 100
        print(plus(1), r)
    """,
    "strings of several lines, also in nested code": '''
        step:a
        for i in range(2):
            text = """one
          two
        three"""
            other = f"""{i}
            {text!r}
              end"""
        ---
        step:b
        print(text, other)
        (text
         + "x",
         f"""a
        {1 +
          1}""")
    ''',
    "comprehensions, lambdas and walrus": """
        step:a
        x = 5
        ys = [x for x in range(3)]
        add = [lambda n, k=k: n + k for k in ys]
        total = [f(x) for f in add]
        if (big := max(total)) > 2:
            label = "big"
        ---
        step:b
        print(x, ys, total, big, label)
        {k: v for k, v in zip(ys, total)}
    """,
    "binding on some paths": """
        parameters
        flag = True
        ---
        step:a
        x = 1
        ---
        step:b
        if flag:
            x = x + 1
        else:
            y = 2
        try:
            z = int("no")
        except ValueError as error:
            z = str(error)
        ---
        step:c
        for n in range(3):
            if n == 2:
                break
        else:
            n = -1
        while x < 5:
            x += 1
        print(x, z, n)
    """,
    "match, with and del": """
        step:a
        import contextlib, io
        data = {"kind": "tea", "grams": 5}
        match data:
            case {"kind": kind, **rest}:
                pass
        with contextlib.redirect_stdout(io.StringIO()) as caught:
            print("hidden")
        said = caught.getvalue()
        temporary = 1
        del temporary, caught
        ---
        step:b
        print(kind, rest, said)
    """,
    "changes in place": """
        step:a
        rows = [3, 1, 2]
        alias = rows
        table = {"rows": rows}
        ---
        step:b
        rows.sort()
        table["more"] = 1
        ---
        step:c
        alias.append(9)
        print(rows, table)
        ---
        step:d
        rows, alias, table
    """,
    "change through a function's argument": """
        functions
        def grow(items, n):
            for i in range(n):
                items.append(i)
        ---
        step:a
        items = []
        ---
        step:b
        grow(items, 3)
        ---
        step:c
        print(items)
    """,
    "a parameter that becomes a variable": """
        parameters
        depth = 3
        names = ["a"]
        ---
        step:a
        before = depth
        depth = depth * 2
        names.append("b")
        ---
        step:b
        print(before, depth, names)
    """,
    "constants and definitions that need each other": """
        functions
        import dataclasses
        SIZE = 3
        SIZES = (1, 2)

        @dataclasses.dataclass
        class Pack:
            n: int = SIZE

            def double(self):
                return make(self.n * 2)

        class Box(Pack):
            pass

        def make(n, sizes=SIZES):
            return Pack(n + sizes[0])
        ---
        step:a
        pack = Box().double()
        ---
        step:b
        print(pack, isinstance(pack, Pack), SIZES)
    """,
    "statements on one line": """
        step:a
        a = 1; b = 2; import math; c = math.pi
        if a: d = 1
        e = 3;
        ---
        step:b
        print(a); print(b); [a, b, d, e]
    """,
    "odd formatting": """
        step:a
        value = 1 + \\
            2
        call = dict(
          a = 1,   # one

          # two
          b = 2,
            )
        if value:
        \tindented = 'tab'
        ñandú = "ok"
        ---
        step:b
        (
            # why
            ñandú
            , call
        )  # shown
        ---
        -
        value, \\
            indented
    """,
    "untagged first cells make state": """
        -
        import random
        random.seed(7)
        cache = {}
        LIMIT = 2
        ---
        -
        def look(key):
            if key not in cache and len(cache) < LIMIT:
                cache[key] = random.random()
            return cache.get(key)
        ---
        step:a
        first = look("x")
        ---
        step:b
        again, third, fourth = look("x"), look("y"), look("z")
        print(first == again, third is None, fourth)
        ---
        step:c
        sorted(cache)
    """,
    "a step that only defines": """
        step:a
        def f(x):
            return -x
        ---
        step:b
        print(f(1))
    """,
    "nested functions and closures": """
        step:a
        start = 10
        def outer():
            inner_calls = 0
            def inner():
                nonlocal inner_calls
                global start
                inner_calls += 1
                start += inner_calls
                return start
            return inner(), inner()
        pair = outer()
        ---
        step:b
        print(pair, start)
    """,
    "names of builtins and of ours": """
        step:list
        sum = 3
        params = {"step": 1}
        settings = [1]
        helpers = Params = 4
        show = [5]
        ---
        step:train
        train, test = [1], [2]
        print(sum, params, settings, helpers, Params)
        show
        ---
        step:show
        show.append(train + test)
        show
    """,
    "a function called show": """
        functions
        def show(value):
            print("mine", value)
            return value
        ---
        step:a
        shown = show(1)
        shown
        ---
        step:b
        show(shown + 1)
    """,
    "classes that read the namespace": """
        functions
        import functools

        class Scaler:
            unit = "g"

            def __init__(self, by):
                self.by = by

            def __call__(self, x):
                return x * self.by * factor

        def logged(function):
            @functools.wraps(function)
            def wrapper(*args):
                return "logged", function(*args)
            return wrapper

        @logged
        def half(x):
            return x / 2
        ---
        step:a
        factor = 3
        scaled = Scaler(2)(1)
        ---
        step:b
        factor = 4
        more = [Scaler(2)(1), half(8)]
        ---
        step:c
        print(scaled, more)
    """,
    "generators, async functions and unpacking": """
        step:a
        import asyncio

        def numbers():
            received = yield from iter(range(limit))
            return received

        async def later(x):
            await asyncio.sleep(0)
            return x + limit

        limit = 3
        first, *middle, end = [*numbers(), 9]
        ---
        step:b
        limit = 5
        ran = asyncio.run(later(1))
        print(first, middle, end, list(numbers()), ran)
        a = b = middle
        a[0] = "changed"
        ---
        step:c
        a is b, middle
    """,
    "imports of all forms": """
        imports
        from __future__ import annotations
        import os.path, xml.dom
        import collections.abc as abc
        from os.path import (
            join as put,  # joins
            split,
        )
        ---
        step:a
        import xml.sax
        path = put("a", "b")
        kinds = [isinstance(path, abc.Sequence), os.path.basename(path), xml.sax.__name__]
        ---
        step:b
        import os
        print(split(path), kinds, os.sep, xml.dom.__name__)
    """,
    "a global that nobody binds outside": """
        functions
        def remember(x):
            global last
            last = x
            return x
        ---
        step:a
        y = remember(4)
        ---
        step:b
        print(y, last)
    """,
}


def notebook(text: str) -> Notebook:
    lines = text.strip("\n").split("\n")
    margin = len(lines[0]) - len(lines[0].lstrip())
    cells = []
    for number, part in enumerate("\n".join(line[margin:] for line in lines).split("\n---\n")):
        tag, _, source = part.rstrip().partition("\n")
        tags = [] if tag == "-" else [tag]
        cell = {"cell_type": "code", "id": f"c{number}", "metadata": {"tags": tags}, "source": source}
        cells.append(cell | {"outputs": [], "execution_count": None})
    document = {
        "cells": cells,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
    }
    return parse_notebook(json.dumps(document | {"nbformat": 4, "nbformat_minor": 5}).encode(), "tricky.ipynb")


def run_cells(book: Notebook, pipeline: Pipeline, shown: list[str]) -> dict[str, dict[str, str]]:
    """Runs the cells as a kernel does, last expressions displayed; returns the outputs at each step's end."""
    namespace = vars(type(sys)("__main__"))
    ends: dict[str, dict[str, str]] = {}
    for cell in book.cells:
        tree = ast.parse(cell.python)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), namespace)
            if value is not None and not cell.python.rstrip().endswith(";"):
                shown.append(repr(value))
        for step in pipeline.steps:
            if step.cells and step.cells[-1] == cell.number:
                ends[step.name] = {name: repr(namespace[name]) for name in step.outputs}
    return ends


def run_steps(pipeline: Pipeline) -> dict[str, dict[str, str]]:
    """Runs the steps with one mapping handed over, as the runtime does; returns the outputs at each step's end."""
    values: dict[str, Any] = {}
    ends: dict[str, dict[str, str]] = {}
    for step in pipeline.steps:
        module = importlib.import_module(f"{pipeline.name}.{step.module}")
        arguments = [values[value.name] for value in step.inputs]
        if step.parameters:
            arguments.insert(0, importlib.import_module(f"{pipeline.name}.params").Params())
        returned = getattr(module, step.module)(*arguments)
        values |= dict(zip(step.outputs, (returned,) if len(step.outputs) == 1 else returned or (), strict=True))
        ends[step.name] = {name: repr(values[name]) for name in step.outputs}
    return ends


@pytest.fixture
def clean_modules() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.usefixtures("clean_modules")
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_steps_mean_what_the_cells_mean(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbmlops

    book = notebook(NOTEBOOKS[name])
    result = compile_notebook(book, CompileOptions(notebook="tricky.ipynb", out="p"))
    assert result.pipeline is not None, render_diagnostics(result.diagnostics)
    for path, content in result.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path / "p"))
    # Names that nothing binds, imports that nothing uses or that stand twice, import blocks out of order.
    ruff = [
        "ruff",
        "check",
        "--isolated",
        "--no-cache",
        "--select",
        "F401,F811,F821,F823,I001,E9",
        result.pipeline.name,
    ]
    checked = subprocess.run(
        [sys.executable, "-m", *ruff], cwd=tmp_path / "p", capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout

    shown: list[str] = []
    expected_shown: list[str] = []
    monkeypatch.setattr(nbmlops, "show", lambda *values: shown.extend(repr(v) for v in values if v is not None))
    with redirect_stdout(io.StringIO()) as expected_output:
        expected = run_cells(book, result.pipeline, expected_shown)
    with redirect_stdout(io.StringIO()) as output:
        found = run_steps(result.pipeline)
    assert output.getvalue() == expected_output.getvalue()
    assert shown == expected_shown
    assert found == expected
