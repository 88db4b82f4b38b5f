"""The libraries of a run beside a lock: every difference by its name."""

from __future__ import annotations

import pytest

from nbmlops.app.judging.pinned import imported_modules, pin_differences

ENVIRONMENT = {"python_version": "3.12", "python_full_version": "3.12.1", "sys_platform": "linux", "extra": ""}
PACKAGES = {"numpy": "2.1.0", "scikit-learn": "1.5.0", "torch": "2.3.0+cu121", "tzdata": "2024.1"}


@pytest.mark.parametrize(
    ("lock", "told"),
    [
        ("# python 3.11\nnumpy==2.1.0\nscikit_learn==1.5.0\n", ()),
        ("numpy==2.1\ntorch==2.3.0+cu121\ntzdata==2024.01", ()),
        ("numpy==2.1.0 \\\n    --hash=sha256:a \\\n    --hash=sha256:b\n    # via pandas\n", ()),
        ("--index-url https://host/simple\nnumpy==2.1.0 --hash=sha256:a  # why", ()),
        ("pywin32==306 ; sys_platform == 'win32'\nnumpy==2.1.0; python_version < '3.12'", ()),
        ("numpy==1.26.4 ; python_version >= '3.12'\nnumpy==2.1.0 ; python_version < '3.12'", ()),
        ("# python 3.12\nnumpy==2.1.0", ("Python is 3.11, locked 3.12",)),
        ("numpy==2.0.2\nscipy==1.14.0", ("numpy is 2.1.0, locked 2.0.2", "scipy is not installed, locked 1.14.0")),
        ("numpy==2.1.0\ntorch==2.3.0+cpu", ("torch is 2.3.0+cu121, locked 2.3.0+cpu",)),
        ("numpy==2.1.0\nscipy>=1\n-e .", ("scipy>=1 names no version", "-e . names no version")),
        ("numpy==2.*\nscikit-learn==1.5.0", ("numpy==2.* names no version",)),
        ("numpy==2.1.0 ; what is this", ()),
        ("numpy==1 ; what is this", ("numpy is 2.1.0, locked 1",)),
        (
            "numpy==2.1.0\n--requirement base.txt\n-r base.txt\n--constraint c.txt",
            (
                "--requirement base.txt names no version",
                "-r base.txt names no version",
                "--constraint c.txt names no version",
            ),
        ),
        ("numpy==1.26.4\nNumPy==2.1.0", ("numpy is locked twice: 1.26.4 and 2.1.0", "numpy is 2.1.0, locked 1.26.4")),
        ("# nothing\n\n", None),
        ("pywin32==306 ; sys_platform == 'win32'", None),
    ],
)
def test_differences(lock: str, told: tuple[str, ...] | None) -> None:
    assert pin_differences(lock, "3.11.9", PACKAGES, ENVIRONMENT) == told


def test_a_run_that_does_not_say_its_python_differs_from_a_lock_that_does() -> None:
    assert pin_differences("# python 3.11\nnumpy==2.1.0", "", PACKAGES, ENVIRONMENT) == (
        "Python is not known, locked 3.11",
    )


def test_what_cells_import_and_the_lock_does_not_name_is_told() -> None:
    imported = {"sklearn": ("scikit-learn",), "torch": ("torch",), "json": (), "numpy": ("numpy",)}
    assert pin_differences("numpy==2.1.0\nscikit-learn==1.5.0", "3.11.9", PACKAGES, ENVIRONMENT, imported) == (
        "torch is imported (torch 2.3.0+cu121), and not locked",
    )


def test_the_modules_that_cells_import() -> None:
    cells = [
        "%matplotlib inline\nimport numpy as np, os.path",
        "from sklearn.svm import SVC",
        "from . import x",
        "y = (",
    ]
    assert imported_modules(cells) == ("numpy", "os", "sklearn")
