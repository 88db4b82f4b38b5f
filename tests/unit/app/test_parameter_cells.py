import pytest

from nbmlops.app.parameter_cells import binds_only, parameter_names
from nbmlops.notebook.model import Cell, CellKind, CellRole, Notebook, RoleKind


def test_names_of_the_parameters_cell():
    python = '"""Settings."""\ndepth: int = 3  # deep\nrate = -0.1\nmonths = [1, 2]\nlate = later()\n'
    cells = (
        Cell("a", 1, CellKind.CODE, "x = 1", python="x = 1", role=CellRole(RoleKind.STEP, "load")),
        Cell("b", 2, CellKind.CODE, python, python=python, role=CellRole(RoleKind.PARAMETERS)),
    )
    assert parameter_names(Notebook("n.ipynb", "n", cells)) == ("depth", "rate", "months")
    assert parameter_names(Notebook("n.ipynb", "n", cells[:1])) == ()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("depth = 3", True),
        ("# Parameters\ndepth = 4\nrate = 0.5\n", True),
        ('"""Doc."""\ndepth: int = 3', True),
        ("depth = depth + 1", False),
        ("depth = 3\nother = 1", False),
        ("depth = 3\nprint(depth)", False),
        ("# nothing", False),
        ("depth =", False),
        ("%mlops track", False),
    ],
)
def test_cells_that_only_bind_parameters(source: str, expected: bool):
    assert binds_only(source, ("depth", "rate")) is expected
