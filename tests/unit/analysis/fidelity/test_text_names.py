from __future__ import annotations

import ast

import pytest

from nbmlops.analysis.fidelity.text_names import names_bound_by_text
from nbmlops.analysis.fidelity.whole import accesses


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("exec('f = 1; g[0] = h')", {"f": [""]}),
        (
            "exec('import math, a.b as c\\nfrom d import e\\nimport f.g')",
            {"math": ["math"], "c": ["a.b"], "e": ["d.e"], "f": ["f"]},
        ),
        ("exec('import math\\nmath = 1')", {"math": ["", "math"]}),
        ("exec('def f():\\n    global x\\n    y = 1')", {"f": [""], "x": [""]}),
        ("exec('f = 1')\nprint('g')", {"f": [""]}),
        ("globals()['f'] = 'g = 1'", {"f": [""], "g": [""]}),
        ("globals().update(f=1)\nprint('g')", {"f": [""]}),
        ("globals().setdefault('f', 1)", {"f": [""]}),
        ("exec(text)\nnames = ['f', 'not a name:', 'a, b', 'c d']", {name: [""] for name in "fabcd"}),
        ("exec(text)\ndef g():\n    'f'\n    return 'h'", {"h": [""]}),
        ("exec(f'value_{i} = {i}; f += {k}; del g_{i}')", {"value_": [""], "f": [""], "g_": [""]}),
        ("globals()[name] = 1\nprint('Seen: what f does!')", {}),
        ("globals().update(space)\nspace = dict(f=1)\nother = {'g': 1}", {"g": [""]}),
    ],
)
def test_names_that_texts_bind(source: str, expected: dict[str, list[str]]) -> None:
    tree = ast.parse(source)
    found = names_bound_by_text(tree.body, accesses(tree))
    assert {name: sorted(paths) for name, paths in found.items()} == expected
