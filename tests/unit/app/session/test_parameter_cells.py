import pytest

from nbmlops.app.session.parameter_cells import gives_parameters, parameter_names
from nbmlops.notebook.model import Cell, CellKind, CellRole, Notebook, RoleKind

IMPORT = "from datetime import date"


def test_names_of_the_parameters_cell():
    python = '"""Settings."""\ndepth: int = 3  # deep\nrate = -0.1\nmonths = [1, 2]\nlate = later()\n'
    python += "day = date(2024, 1, 1)\n"
    cells = (
        Cell("a", 1, CellKind.CODE, IMPORT, python=IMPORT, role=CellRole(RoleKind.SHARED)),
        Cell("b", 2, CellKind.CODE, python, python=python, role=CellRole(RoleKind.PARAMETERS)),
    )
    assert parameter_names(Notebook("n.ipynb", "n", cells)) == ("depth", "rate", "months", "day")
    assert parameter_names(Notebook("n.ipynb", "n", cells[:1])) == ()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("depth = 3", True),
        ("# Parameters\ndepth = 4\nrate = 0.5\n", True),
        ('"""Doc."""\ndepth: int = 3', True),
        ("depth = depth + 1", False),
        ("depth = 3\nother = 1", False),
        ("import math\ndepth = 3\nrate = 1.5\nhalf = rate / 2", True),
        ("rate = date.fromisoformat('2024-01-01')", True),
        ("rate = date(today)", False),
        ("depth = 3\nprint(depth)", False),
        ("# nothing", False),
        ("depth =", False),
        ("%mlops track", False),
    ],
)
def test_cells_that_give_parameters(source: str, expected: bool):
    assert gives_parameters(source, ("depth", "rate")) is expected
