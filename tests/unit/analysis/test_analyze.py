"""Step interfaces of small notebooks: the rows of the table of tricky cases that static analysis decides."""

from __future__ import annotations

import sys

import pytest

from nbmlops.analysis.analyze import analyze
from nbmlops.analysis.model import ClosingNames, ImportedName, Placement, StatementKind
from nbmlops.pipeline.ir import DataUse, Input


def test_tricky_interfaces(tricky_case, interfaces):
    assert interfaces(*tricky_case.cells) == tricky_case.expected


def test_idiomatic_cells_hand_over_what_a_person_would_return(idiomatic_case, interfaces):
    assert interfaces(*idiomatic_case.cells) == idiomatic_case.expected


def test_order_edges_come_from_data_and_from_tags(analyzed):
    found = analyzed(("step:a", "x = 1"), ("step:b", "open('out', 'w')"), ("step:c prev:b", "print(x)"))
    assert {step.name: step.after for step in found.steps} == {"a": (), "b": (), "c": ("a", "b")}


LOADING = """\
# the flights
df = pd.read_csv(Path('data') / 'flights.csv')
%mlops data df --name flights --context training
y = plain(scaled(df[TARGET]))
df.to_csv('out.csv')
with open('notes.txt', 'w') as f:
    f.write('x')"""


def test_facts_of_a_step(analyzed):
    found = analyzed(
        ("imports", "import pandas as pd\nfrom pathlib import Path\nTARGET = 'late'\n\nSCALE: float = -2.5 * 60"),
        ("functions", "def scaled(x):\n    return x * SCALE * weight\n\ndef plain(x):\n    return pd.Series(x)"),
        ("parameters", "weight = 2"),
        ("step:a", LOADING),
        ("step:b", "%mlops metric size len(y)\nimport os\ndisplay(y)"),
    )  # fmt: skip
    assert found.diagnostics == ()
    first, second = found.steps
    assert (first.name, first.cells, first.parameters, first.outputs) == ("a", (4,), ("weight",), ("y",))
    assert first.imports == {"pd", "Path", "nbmlops"}
    assert first.definitions == {"plain", "TARGET", "SCALE"}
    assert first.rebuilt == ("scaled",)
    assert (first.files, first.metrics, first.data) == (("data/flights.csv",), (), (DataUse("flights", "training"),))
    assert [(s.first, s.last, s.comments_from, s.kind) for s in first.statements] == [
        (2, 2, 1, StatementKind.CODE),
        (3, 3, 3, StatementKind.CODE),
        (4, 4, 4, StatementKind.CODE),
        (5, 5, 5, StatementKind.CODE),
        (6, 7, 6, StatementKind.CODE),
    ]
    assert (second.inputs, second.metrics, second.imports) == ((Input("y", "a"),), ("size",), {"nbmlops", "display"})
    assert ImportedName("display", "IPython.display", "display") in found.imports
    assert [constant.name for constant in found.constants] == ["TARGET", "SCALE"]
    scaled, plain = found.definitions
    assert (scaled.placement, scaled.uses, scaled.reads) == (Placement.STEP, {"SCALE"}, {"weight"})
    assert (plain.placement, plain.uses, plain.imports) == (Placement.MODULE, frozenset(), {"pd"})


def test_settings_of_shared_cells(analyzed):
    found = analyzed(
        ("imports", "import os\nimport pandas as pd\npd.set_option('display.width', 9)"),
        ("imports", "pd.options.display.max_rows = 5\nos.environ['A'] = '1'"),
        ("step:a", "with pd.option_context('display.width', 7):\n    print(1)"),
    )
    assert found.diagnostics == ()
    assert [(s.cell, s.first, s.kind) for s in found.settings] == [
        (1, 3, StatementKind.SETTING),
        (2, 1, StatementKind.SETTING),
    ]
    assert [(s.cell, s.first, s.kind) for s in found.environment] == [(2, 2, StatementKind.SETTING)]
    assert [step.name for step in found.steps] == ["a"]


def test_seeding_is_code_of_the_setup_step(analyzed):
    found = analyzed(("imports", "import numpy as np\nnp.random.seed(0)"), ("step:a", "x = np.random.rand()"))
    assert [(step.name, len(step.statements)) for step in found.steps] == [("setup", 1), ("a", 1)]
    assert found.diagnostics == ()


def test_a_docstring_makes_no_setup_step(analyzed):
    found = analyzed(("imports", '"""All imports."""\nimport os'), ("step:a", "x = 1"))
    assert [step.name for step in found.steps] == ["a"]


def test_shared_code_joins_a_first_step_of_the_same_name(interfaces):
    assert interfaces(("imports", "items = []"), ("step:setup", "items.append(1)"), ("step:b", "print(items)")) == {
        "setup": "-> items",
        "b": "items@setup ->",
    }


def test_setup_definitions_that_read_data_early_stay_in_their_step(analyzed):
    found = analyzed(("step:a", "n = 3\ndef f(x=n):\n    return x\ny = f()"), ("step:b", "print(y)"))
    assert found.diagnostics == ()
    assert [(s.first, s.kind) for s in found.steps[0].statements] == [
        (1, StatementKind.CODE),
        (2, StatementKind.DEFINITION),
        (4, StatementKind.CODE),
    ]
    assert found.steps[0].rebuilt == ()


def test_closing_values_come_from_the_register_line_and_from_metrics_cells(analyzed):
    found = analyzed(
        ("step:a", "model = object()\nX = [1]\nacc = 1.0"),
        ("pipeline-metrics", "print(acc)"),
        ("", "%mlops gate\n%mlops register model --data X"),
    )
    assert found.closing == {name: Input(name, "a") for name in ("model", "X", "acc")}
    assert found.steps[0].outputs == ("model", "X", "acc")
    assert found.diagnostics == ()


def test_closing_values_come_from_the_configuration(analyzed):
    closing = ClosingNames("model", "X", {"accuracy": "acc"})
    found = analyzed(("step:a", "model = object()\nX = [1]"), ("step:b", "acc = 1.0"), closing=closing)
    assert found.closing == {"model": Input("model", "a"), "X": Input("X", "a"), "acc": Input("acc", "b")}


def test_a_notebook_without_tags_is_one_step(analyzed):
    found = analyzed(("", "x = 1"), ("", "print(x)"))
    assert [(step.name, step.cells, step.outputs) for step in found.steps] == [("main", (1, 2), ())]


def test_modules_named_in_a_formula_are_imported(analyzed):
    source = "import numpy as np\nimport statsmodels.formula.api as smf"
    found = analyzed(("imports", source), ("step:a", 'smf.ols("y ~ np.log(x)", data={})'))
    assert found.steps[0].imports == {"np", "smf"}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with Python 3.12")
def test_type_parameters_are_names_of_their_own(interfaces):
    functions = "def first[T](xs: list[T]) -> T:\n    return xs[0]\nclass Box[T: int]:\n    item: T"
    source = f"{functions}\ntype Ints[U] = list[U]\nx: Ints[int] = first([1])\nBox()"
    assert interfaces(("step:a", source), ("step:b", "print(x)")) == {"a": "-> x", "b": "x@a ->"}


def test_analysing_twice_gives_the_same(build, faulty_notebooks):
    cells = [(f"step:s{number}", case.cells[-1][1]) for number, case in enumerate(faulty_notebooks)]
    notebook = build(*cells)
    assert analyze(notebook) == analyze(notebook)
