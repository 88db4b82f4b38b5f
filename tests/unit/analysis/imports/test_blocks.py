from __future__ import annotations

import pytest

OPTIONAL = "try:\n    import fast\nexcept ImportError:\n    fast = None"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (OPTIONAL, {"fast": True}),
        ("try:\n    import fast\nexcept ImportError:\n    pass", {"fast": False}),
        ("import sys\nif sys.version_info > (3, 9):\n    def f(x=()):\n        return x", {"f": False}),
        ("if len('ab') == 2:\n    from math import pi\nelse:\n    pi = 3", {"pi": True}),
        (
            "import warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n    import fast",
            {"fast": True},
        ),
        (
            "try:\n    import fast\n    HAVE = True\nexcept ImportError as error:\n    HAVE = False",
            {"fast": False, "HAVE": True},
        ),
        ("LIMIT = 3\nif LIMIT:\n    class Base:\n        size = LIMIT", {"Base": False, "LIMIT": True}),
    ],
)  # fmt: skip
def test_blocks_that_decide_once_live_in_the_package(analyzed, source, names):
    found = analyzed(("imports", source), ("step:a", "print(1)"))
    assert {constant.name: constant.certain for constant in found.constants} == names
    assert [step.name for step in found.steps] == ["a"]


@pytest.mark.parametrize(
    "block",
    [
        "try:\n    import fast\n    print('there')\nexcept ImportError:\n    fast = None",
        "if value:\n    import fast",
        "if value[0]:\n    def fast():\n        return 1",
        "if True:\n    def fast():\n        return value",
        "if True:\n    fast = uses_value",
        "if True:\n    import fast\n    values = []",
        "if True:\n    def fast(x={}):\n        return x",
        "if True:\n    def fast(x=print()):\n        return x",
        "import contextlib\nwith open('x') as f:\n    import fast",
        "if True:\n    import fast\nfast = 2",
        "for i in range(2):\n    import fast",
        "if True:\n    fast = 1",
    ],
)
def test_other_blocks_run_where_they_stand(analyzed, block):
    cells = [("imports", "def uses_value():\n    return value"), ("step:a", f"value = [1]\n{block}\nprint(fast)")]
    found = analyzed(*cells)
    assert "fast" not in {constant.name for constant in found.constants}
    assert len(found.steps[0].statements) >= 3


def test_a_block_tells_what_it_uses(analyzed):
    source = "import sys\nclass Base:\n    pass\nif sys.platform:\n    class Child(Base): ...\nelse:\n    Child = Base"
    (found,) = (c for c in analyzed(("imports", source), ("step:a", "print(Child())")).constants if c.is_block)
    assert (found.name, found.imports, found.uses) == ("Child", frozenset({"sys"}), frozenset({"Base"}))


def test_names_of_functions_and_comprehensions_inside_are_their_own(analyzed):
    block = "if True:\n    def f(x):\n        y = [z for z in x]\n        return y, (lambda w: w)(1)"
    found = analyzed(("imports", block), ("step:a", "x = y = z = w = [1]\nprint(f(x), y, z, w)"))
    assert [constant.name for constant in found.constants] == ["f"]
