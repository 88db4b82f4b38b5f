"""Which modules a source imports, and which local ones are reached."""

from __future__ import annotations

import pytest

from nbmlops.core.imports import imported_by, package_of, reached

LOCAL = {
    "near": "import far\nimport json",
    "far": "def f():\n    from kit.tool import use",
    "kit": "from .base import BASE",
    "kit.base": "BASE = 1",
    "kit.tool": "from . import base, deep",
    "kit.deep": "from ..kit import other",
    "kit.other": "",
    "alone": "import near",
    "broken": "import near\ndef (",
}


@pytest.mark.parametrize(
    ("source", "package", "expected"),
    [
        ("import a.b, c as d", "", ["a.b", "c"]),
        ("from a import b, c as d\nfrom e import *", "", ["a", "a.b", "a.c", "e"]),
        ("def f():\n    import a", "", ["a"]),
        (
            "from . import b\nfrom .c import d\nfrom .. import e",
            "p.q",
            ["p.q", "p.q.b", "p.q.c", "p.q.c.d", "p", "p.e"],
        ),
        ("from . import b", "", ["b"]),
        ("import (", "", []),
        ("import a\0", "", []),
    ],
)
def test_imports_of_a_source(source: str, package: str, expected: list[str]) -> None:
    assert sorted(imported_by(source, package)) == sorted(expected)


def test_packages() -> None:
    assert [package_of(name, LOCAL) for name in ("near", "kit", "kit.tool")] == ["near", "kit", "kit"]


def test_local_modules_are_reached_through_each_other_and_their_packages() -> None:
    assert reached(LOCAL, ["near.f"]) == ("far", "kit", "kit.base", "kit.deep", "kit.other", "kit.tool", "near")
    assert reached(LOCAL, ["kit.base.BASE"]) == ("kit", "kit.base")
    assert reached(LOCAL, ["broken", "pandas"]) == ("broken",)
