from __future__ import annotations

import ast
import json

import pytest
from msgspec.structs import replace

from nbmlops.compiler.compile import compile_notebook
from nbmlops.compiler.digests import normal_form
from nbmlops.compiler.program import CompileOptions
from nbmlops.notebook.reader import parse_notebook
from nbmlops.pipeline.ir import Pipeline

CELLS = {
    "imports": "import math\nfrom local import shared",
    "functions": "UNIT = 2\n\ndef twice(x):\n    return x * UNIT\n\ndef other(x):\n    return x",
    "step:one": "a = twice(3)\nb = 1\na",
    "step:two": "c = math.floor(a) + shared(1)\nprint(b)",
}
OPTIONS = CompileOptions(
    notebook="n.ipynb", out="p", lock="x==1\n", local_modules={"local": "def shared(x):\n    return x"}
)


def pipeline(options: CompileOptions = OPTIONS, **changes: str) -> Pipeline:
    cells = []
    for number, (tag, source) in enumerate(CELLS.items()):
        text = changes.get(tag.replace("step:", ""), source)
        cell = {"cell_type": "code", "id": f"c{number}", "metadata": {"tags": [tag]}, "source": text}
        cells.append(cell | {"outputs": [], "execution_count": None})
    document = {
        "cells": cells,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
    }
    notebook = parse_notebook(json.dumps(document | {"nbformat": 4, "nbformat_minor": 5}).encode(), "n.ipynb")
    result = compile_notebook(notebook, options)
    assert result.pipeline is not None, result.diagnostics
    return result.pipeline


def changed(other: Pipeline) -> set[str]:
    base = pipeline()
    steps = {step.name for step, new in zip(base.steps, other.steps, strict=True) if step.digest != new.digest}
    return steps | ({"version"} if base.version != other.version else set())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, set()),
        ({"one": "# why\na = twice( 3 )\n\nb = 1  # one\na"}, {"version"}),
        ({"one": "a = twice(4)\nb = 1\na"}, {"one", "version"}),
        ({"one": "a = twice(3)\nb = 1\na;"}, {"one", "version"}),
        ({"one": "a = twice(3)\na", "two": "c = math.floor(a)"}, {"one", "two", "version"}),
        ({"functions": CELLS["functions"].replace("UNIT = 2", "UNIT = 3")}, {"one", "version"}),
        ({"functions": CELLS["functions"] + " + 1"}, {"version"}),
        ({"imports": "import math as math\nfrom local import shared"}, {"version"}),
        ({"imports": "from math import floor\nimport cmath as math\nfrom local import shared"}, {"two", "version"}),
        (
            {"imports": CELLS["imports"] + "\nimport warnings\nwarnings.simplefilter('ignore')"},
            {"one", "two", "version"},
        ),
    ],
)
def test_a_digest_changes_with_what_the_step_executes(change: dict[str, str], expected: set[str]) -> None:
    assert changed(pipeline(**change)) == expected


def test_modules_beside_the_notebook_count_for_the_steps_that_import_them() -> None:
    comment = replace(OPTIONS, local_modules={"local": "# hm\ndef shared(x):\n    return x"})
    edited = replace(OPTIONS, local_modules={"local": "def shared(x):\n    return 2 * x"})
    broken = replace(OPTIONS, local_modules={"local": "def shared(x:"})
    assert [changed(pipeline(options)) for options in (comment, edited, broken)] == [
        set(),
        {"two", "version"},
        {"two", "version"},
    ]


def test_modules_that_a_module_does_not_reach_do_not_count_for_it() -> None:
    def options(**modules: str) -> CompileOptions:
        return replace(OPTIONS, local_modules={**OPTIONS.local_modules, **modules})

    imports = {"imports": CELLS["imports"] + "\nimport alone"}
    one = {**imports, "one": "a = twice(alone.three())\nb = 1\na"}
    first = pipeline(options(alone="def three():\n    return 3"), **one)
    second = pipeline(options(alone="def three():\n    return 4"), **one)
    assert [step.name for step, new in zip(first.steps, second.steps, strict=True) if step.digest != new.digest] == [
        "one"
    ]


def test_the_lock_counts_for_the_version_only() -> None:
    assert changed(pipeline(replace(OPTIONS, lock="x==2\n"))) == {"version"}


def test_the_normal_form_is_the_same_in_all_versions_of_python() -> None:
    source = 'def f(a, *, b=1.5):\n    """D."""\n    return f"{a!r:>{b}} {b"b"}" if a else -1'.replace('b"b"', "b'b'")
    assert normal_form(ast.parse(source).body[0]) == [
        "FunctionDef",
        {
            "name": "f",
            "args": [
                "arguments",
                {
                    "args": [["arg", {"arg": "a"}]],
                    "kwonlyargs": [["arg", {"arg": "b"}]],
                    "kw_defaults": [["Constant", {"value": ["float", "1.5"]}]],
                },
            ],
            "body": [
                ["Expr", {"value": ["Constant", {"value": ["str", "'D.'"]}]}],
                [
                    "Return",
                    {
                        "value": [
                            "IfExp",
                            {
                                "test": ["Name", {"id": "a"}],
                                "body": [
                                    "JoinedStr",
                                    {
                                        "values": [
                                            [
                                                "FormattedValue",
                                                {
                                                    "value": ["Name", {"id": "a"}],
                                                    "conversion": 114,
                                                    "format_spec": [
                                                        "JoinedStr",
                                                        {
                                                            "values": [
                                                                ["Constant", {"value": ["str", "'>'"]}],
                                                                [
                                                                    "FormattedValue",
                                                                    {"value": ["Name", {"id": "b"}], "conversion": -1},
                                                                ],
                                                            ]
                                                        },
                                                    ],
                                                },
                                            ],
                                            ["Constant", {"value": ["str", "' '"]}],
                                            [
                                                "FormattedValue",
                                                {"value": ["Constant", {"value": ["bytes", "b'b'"]}], "conversion": -1},
                                            ],
                                        ]
                                    },
                                ],
                                "orelse": [
                                    "UnaryOp",
                                    {"op": ["USub", {}], "operand": ["Constant", {"value": ["int", "1"]}]},
                                ],
                            },
                        ]
                    },
                ],
            ],
        },
    ]
