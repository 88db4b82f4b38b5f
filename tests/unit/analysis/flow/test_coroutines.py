from __future__ import annotations

import ast

import pytest

from nbmlops.analysis.flow.coroutines import awaits


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = await f()", True),
        ("async for x in y: pass", True),
        ("async with x: pass", True),
        ("[x async for x in y]", True),
        ("{f(await x) for x in y}", True),
        ("if a:\n    for b in c:\n        await b", True),
        ("def f(x=await g()): pass", True),
        ("@(await g())\ndef f(): pass", True),
        ("class A:\n    x = [y async for y in z]", True),
        ("async def f():\n    await g()", False),
        ("async def f():\n    return [x async for x in y]", False),
        ("f = lambda: [g() for g in h]", False),
        ("[x for x in y]", False),
    ],
)
def test_only_what_runs_here_is_awaited(source: str, expected: bool) -> None:
    assert awaits(ast.parse(source).body[0]) is expected
