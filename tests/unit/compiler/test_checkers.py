from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from nbmlops.compiler.checkers import block_comments, checker_comments, fills_later, unread_codes

CASES = [
    "x = 1",
    "x = 1\nprint(x)",
    "fig, ax = subplots()\nax.plot()",
    "x = 1\ndel x",
    "x = 0\nx += 1",
    "with open('f') as f:\n    pass",
    "with pair() as (a, b):\n    print(a)",
    "try:\n    pass\nexcept ValueError as error:\n    print()",
    "for i in range(3):\n    pass",
    "for i in range(3):\n    j = i",
    "x = [y for y in z()]",
    "if (n := f()):\n    pass",
    "x: int = 1",
    "x = 1\ndef g():\n    return x\ng()",
    "x = 1\ndef g():\n    nonlocal x\n    x = 2\ng()",
    "a, _ = f()\nprint(a)",
    "_, _unused = f()",
    "first, *rest = f()\nprint(first)",
    "x = 1\nx, y = f()\nprint(y)",
    "result = 1",
    "a = b = f()\nprint(a)",
    "x = 1\nclass A:\n    y = x\nA()",
    "(x, y), z = f()\nprint(x)",
    "x, y = 1, f()",
    "x, (y, z) = 1, f()",
    "[x, y] = [1, 2]",
    "x, y = y, z = f(), 2\nprint(y)",
]


@pytest.mark.parametrize("source", CASES)
def test_exactly_what_ruff_reports_is_suppressed(source: str, tmp_path: Path) -> None:
    body = textwrap.indent(source, "    ")
    (tmp_path / "m.py").write_text(f"def step(f, z, subplots, pair):\n{body}\n    return result\n")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F841,RUF059"]
    result = subprocess.run(
        [*command, "--output-format", "concise", "m.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    reported = sorted(set(re.findall(r"\b(F841|RUF059)\b", result.stdout)))
    assert unread_codes(ast.parse(source).body, ["result"]) == reported


@pytest.mark.parametrize(
    ("source", "later"),
    [
        ("x = []", True),
        ("x = {}\nx[1] = 2", False),
        ("x = []\nfor i in y:\n    x.append(i)", False),
        ("x = set()", True),
        ("x = dict()\nx.update(y)", False),
        ("x = [1]", False),
        ("x = list(y)", False),
    ],
)
def test_containers_that_other_steps_fill_are_noticed(source: str, later: bool) -> None:
    assert fills_later(ast.parse(source).body) is later


def test_comments_are_there_only_where_they_are_needed() -> None:
    assert checker_comments(ast.parse("x = f()").body, ["x"]) == []
    assert checker_comments(ast.parse("x = []\ny = 1").body, ["x"]) == [
        "# ruff: noqa: F841 (names that nothing reads are as the notebook has them)",
        '# mypy: disable-error-code="var-annotated"',
    ]


BLOCKS = [
    "try:\n    import json as reader\nexcept ImportError:\n    reader = None",
    "try:\n    from math import cbrt as root\nexcept ImportError:\n    from math import sqrt as root",
    "try:\n    from math import floor as down\nexcept ImportError:\n    def down(x):\n        return int(x)",
    "try:\n    from fractions import Fraction\n    HAS = True\nexcept ImportError:\n    Fraction, HAS = None, False",
    "try:\n    import tomllib\nexcept Exception:\n    import json as tomllib",
    "if CODEC:\n    import json as codec\nelse:\n    import pickle as codec",
    "if CODEC:\n    import json as codec\nelse:\n    import pickle as codec\n\n\ndef f():\n    return codec",
    "if CODEC:\n    import json as codec\nelse:\n    codec = None",
    "if CODEC:\n    def f(x):\n        return x\nelse:\n    def f(x, y):\n        return y",
    "try:\n    import json.tool\nexcept ImportError:\n    pass",
]


@pytest.mark.parametrize("source", BLOCKS)
def test_nothing_is_said_against_optional_imports_and_no_comment_is_in_vain(source: str, tmp_path: Path) -> None:
    nodes = ast.parse(source).body
    comments = block_comments(nodes[:1], nodes)
    (tmp_path / "m.py").write_text("\n".join([*comments, "CODEC = 1", source, ""]))
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F401,F811,RUF100"]
    result = subprocess.run([*command, "m.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_optional_imports_need_comments_only_where_checkers_would_speak() -> None:
    def comments(source: str) -> list[str]:
        nodes = ast.parse(source).body
        return block_comments(nodes[:1], nodes)

    unread = "# ruff: noqa: F401 (the steps import these names from here)"
    twice = '# mypy: disable-error-code="assignment, misc, no-redef"'
    assert [comments(BLOCKS[number]) for number in (0, 1, 6, 9)] == [[twice], [unread, twice], [twice], [unread]]
