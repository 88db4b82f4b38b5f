"""Which imports are known to change nothing but the names that they bind."""

from __future__ import annotations

import pytest

from nbmlops.analysis.imports.quiet_modules import is_quiet

HARMLESS = '''"""Tools."""
import re
from dataclasses import dataclass

import other

WORD = re.compile("a+")
LIMITS: dict[str, int] = {"a": 1}
a, b = 1, 2


@dataclass(frozen=True)
class Record:
    x: int = 0


def f():
    print("called")


if __name__ == "__main__":
    f()
'''


@pytest.mark.parametrize(
    ("module", "attribute", "expected"),
    [
        ("numpy", "", True),
        ("sklearn.impute", "IterativeImputer", True),
        ("sklearn.experimental", "enable_iterative_imputer", False),
        ("sklearn.experimental.enable_iterative_imputer", "", False),
        ("os.path", "", True),
        ("this", "", False),
        ("nobody_knows", "", False),
    ],
)
def test_libraries(module: str, attribute: str, expected: bool) -> None:
    assert is_quiet(module, attribute, {}) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (HARMLESS, True),
        (HARMLESS + "print('imported')", False),
        (HARMLESS + "LIMITS['b'] = 2", False),
        (HARMLESS + "other.x = 2", False),
        (HARMLESS + "c = f()", False),
        (HARMLESS + "import nobody_knows", False),
        (HARMLESS + "@register\ndef g(): ...", False),
        (HARMLESS + "class A(Base, name='a'): ...", False),
        (HARMLESS + "for x in []: pass", False),
        ("def (", True),
    ],
)
def test_modules_beside_the_notebook(source: str, expected: bool) -> None:
    local = {"tools": source, "other": "import tools\nx = 1\n"}
    assert is_quiet("tools", "", local) is expected
    assert is_quiet("other", "x", local) is expected


def test_a_module_beside_the_notebook_counts_for_the_library_that_it_hides() -> None:
    assert [is_quiet("tqdm", "", local) for local in ({}, {"tqdm": "print()"})] == [True, False]


def test_relative_imports_count_from_their_package() -> None:
    local = {
        "kit": "from kit.base import BASE",
        "kit.base": "BASE = 1",
        "kit.tool": "from . import BASE\nfrom .base import BASE as again",
        "kit.loud": "from .tool import x\nprint()",
        "kit.user": "from . import loud",
    }
    assert [is_quiet(name, "", local) for name in ("kit.tool", "kit.loud", "kit.user")] == [True, False, False]
