import pytest

from nbmlops.notebook.model import RoleKind
from nbmlops.notebook.reader import parse_notebook
from nbmlops.notebook.retag import can_begin_step, retag


@pytest.fixture
def read(ipynb):
    return lambda *cells: parse_notebook(ipynb(*cells), "nb.ipynb")


def roles(notebook):
    return [(cell.role.kind.value, cell.role.step) for cell in notebook.cells]


def codes(notebook):
    return [diagnostic.code for diagnostic in notebook.diagnostics]


def test_cells_from_a_cut_on_belong_to_its_step(read):
    cut = retag(read("a = 1", "b = 2", "md:# Text", "c = 3", "d = 4"), {2: "load", 5: "train"})
    assert roles(cut) == [("setup", ""), ("step", "load"), ("text", ""), ("step", "load"), ("step", "train")]
    assert [cell.tags for cell in cut.cells] == [(), ("step:load",), (), (), ("step:train",)]
    assert codes(cut) == []


def test_a_cut_notebook_is_the_one_whose_file_says_so(read):
    cells = [("n = 1", "parameters"), "import os", "a = n", "md:## B", ("b = a", "keep-output"), ("c", "skip")]
    tagged = [("n = 1", "parameters"), "import os", ("a = n", "step:one"), "md:## B",
              ("b = a", "keep-output", "step:two"), ("c", "skip")]  # fmt: skip
    assert retag(read(*cells), {3: "one", 5: "two"}) == read(*tagged)


def test_other_roles_are_given_too(read):
    cells = ["n = 1", "import os", "def f():\n    pass", ("x", "imports"), "a = n"]
    tagged = [("n = 1", "parameters"), ("import os", "imports"), ("def f():\n    pass", "functions"),
              ("x", "imports"), ("a = n", "step:one")]  # fmt: skip
    roles = {1: "parameters", 2: "imports", 3: "functions", 4: "functions"}
    assert retag(read(*cells), {2: "one"}, roles) == read(*tagged)


def test_tags_of_the_notebook_do_not_count(read):
    notebook = read(("a = 1", "step:load"), ("# nbmlops: step=train prev=load\nb = 2", "wide"))
    cut = retag(notebook, {1: "all"})
    assert roles(cut) == [("step", "all"), ("step", "all")]
    assert [cell.tags for cell in cut.cells] == [("step:all",), ("wide",)]


def test_steps_with_one_name_in_a_row_are_one_and_elsewhere_a_fault(read):
    notebook = read("a = 1", "b = 2", "c = 3")
    assert retag(notebook, {1: "x", 2: "x", 3: "y"}).step_names() == ("x", "y")
    assert codes(retag(notebook, {1: "x", 2: "y", 3: "x"})) == ["NB142"]


def test_a_cut_moves_to_the_next_cell_that_can_hold_a_step(read):
    notebook = read("a = 1", "md:# Text", "# only a comment", ("n = 2", "parameters"), "%mlops gate", "b = a")
    cut = retag(notebook, {1: "one", 2: "two"})
    assert roles(cut) == [
        ("step", "one"), ("text", ""), ("step", "one"), ("parameters", ""), ("step", "one"), ("step", "two"),
    ]  # fmt: skip


def test_faults_of_the_old_steps_go_and_other_faults_stay(read):
    notebook = read(("a = 1", "step:x"), ("b = 1", "step:y"), ("c = 1", "step:x"), "d = (")
    assert codes(notebook) == ["NB142", "NB110"]
    assert codes(retag(notebook, {1: "one"})) == ["NB110"]
    assert codes(retag(notebook, {4: "two"})) == ["NB110"]


def test_no_cut_is_one_step(read):
    cut = retag(read(("a = 1", "step:x"), ("b = 1", "step:y")), {})
    assert (cut.step_names(), codes(cut)) == (("main",), ["NB101"])


def test_where_a_step_can_begin(read):
    notebook = read("a = 1", "# nothing", "md:# Text", ("n = 1", "parameters"), ("b", "skip"), "%matplotlib inline")
    assert [can_begin_step(cell) for cell in notebook.cells] == [True, False, False, False, False, False]
    assert notebook.cells[0].role.kind is RoleKind.STEP
