import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbmlops.core.errors import UsageError
from nbmlops.notebook.digests import cell_digest, notebook_digest
from nbmlops.notebook.model import Cell, CellKind, CellRole, Magic, MagicAction, Notebook, RoleKind
from nbmlops.notebook.reader import parse_notebook, read_notebook

EXAMPLES = sorted((Path(__file__).parents[3] / "example_notebooks").glob("*.ipynb"))


def test_a_notebook_becomes_cells_with_roles(ipynb):
    data = ipynb(
        "md:# Late flights\ntext",
        ("import os", "imports"),
        ("n = 3", "parameters"),
        "seed = 1",
        ("x = n", "step:load"),
        "x",
        ("y = x\n%mlops gate", "step:train", "prev:load"),
        ("junk(", "skip"),
    )
    gate = Magic(2, "%mlops gate", MagicAction.GATE, "becomes the pipeline's gate stage", "nbmlops.gate()")
    code = CellKind.CODE
    assert parse_notebook(data, "a/late.ipynb") == Notebook(
        path="a/late.ipynb",
        name="late",
        title="Late flights",
        cells=(
            Cell("c1", 1, CellKind.MARKDOWN, "# Late flights\ntext"),
            Cell("c2", 2, code, "import os", ("imports",), CellRole(RoleKind.SHARED), "import os"),
            Cell("c3", 3, code, "n = 3", ("parameters",), CellRole(RoleKind.PARAMETERS), "n = 3"),
            Cell("c4", 4, code, "seed = 1", (), CellRole(RoleKind.SETUP), "seed = 1"),
            Cell("c5", 5, code, "x = n", ("step:load",), CellRole(RoleKind.STEP, "load"), "x = n"),
            Cell("c6", 6, code, "x", (), CellRole(RoleKind.STEP, "load"), "x"),
            Cell(
                "c7",
                7,
                code,
                "y = x\n%mlops gate",
                ("step:train", "prev:load"),
                CellRole(RoleKind.STEP, "train", ("load",)),
                "y = x\n",
                (gate,),
            ),
            Cell("c8", 8, code, "junk(", ("skip",), CellRole(RoleKind.SKIP), ""),
        ),
    )


def test_a_cell_that_only_closes_the_pipeline_makes_no_step(ipynb):
    notebook = parse_notebook(ipynb(("m = X = 1", "step:load"), ("%mlops gate", "step:gate")), "x.ipynb")
    assert notebook.step_names() == ("load",)
    assert notebook.cells[1].role == CellRole(RoleKind.TEXT)
    assert notebook.diagnostics == ()


def test_a_notebook_without_step_tags_is_one_step(ipynb):
    notebook = parse_notebook(ipynb(("import os", "imports"), "# only a comment", "x = 1"), "x.ipynb")
    assert [cell.role for cell in notebook.cells] == [
        CellRole(RoleKind.SHARED),
        CellRole(RoleKind.TEXT),
        CellRole(RoleKind.STEP, "main"),
    ]
    assert [diagnostic.code for diagnostic in notebook.diagnostics] == ["NB101"]


def test_skipped_text_and_shared_cells_do_not_split_a_step(ipynb):
    cells = [("x = 1", "step:a"), ("y", "skip"), "md:text", ("import os", "imports"), ("z = 1", "step:a")]
    assert parse_notebook(ipynb(*cells), "x.ipynb").diagnostics == ()


@pytest.mark.parametrize("encode", [lambda d: b"\xef\xbb\xbf" + d, lambda d: d.replace(b"\\n", b"\\r\\n"), lambda d: d])
def test_byte_order_mark_and_windows_line_ends_change_nothing(ipynb, encode):
    plain = parse_notebook(ipynb(("x = 1\ny = 2", "step:a")), "x.ipynb")
    assert parse_notebook(encode(ipynb(("x = 1\ny = 2", "step:a"))), "x.ipynb") == plain


def test_source_as_list_of_lines_is_the_same(ipynb):
    cell = {"cell_type": "code", "id": "c1", "metadata": {"tags": ["step:a"]}, "source": ["x = 1\n", "y = 2"]}
    assert parse_notebook(ipynb(cell), "x.ipynb") == parse_notebook(ipynb(("x = 1\ny = 2", "step:a")), "x.ipynb")


def test_cells_without_ids_get_ids_that_do_not_depend_on_other_cells(ipynb):
    def ids(*sources):
        cells = [{"cell_type": "code", "metadata": {}, "source": source} for source in sources]
        return [cell.id for cell in parse_notebook(ipynb(*cells, nbformat_minor=4), "x.ipynb").cells]

    first = ids("x = 1", "y = 2", "x = 1")
    assert len(set(first)) == 3
    assert ids("z = 3", "x = 1", "y = 2", "x = 1")[1:] == first


def test_older_formats_are_upgraded_with_the_same_ids_each_time():
    cells = [
        {"cell_type": "heading", "level": 1, "source": "Old", "metadata": {}},
        {
            "cell_type": "code",
            "input": ["x = 1"],
            "language": "python",
            "metadata": {"tags": ["step:a"]},
            "outputs": [],
        },
    ]
    data = json.dumps({"metadata": {}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells}]}).encode()
    notebook = parse_notebook(data, "x.ipynb")
    assert notebook == parse_notebook(data, "x.ipynb")
    assert (notebook.title, notebook.cells[1].source, notebook.step_names()) == ("Old", "x = 1", ("a",))
    assert [diagnostic.code for diagnostic in notebook.diagnostics] == ["NB104"]


def test_nothing_of_a_run_counts_in_the_digest(ipynb):
    ran = {
        "cell_type": "code",
        "id": "other",
        "metadata": {"tags": ["step:a"], "collapsed": True},
        "source": "x = 1",
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}],
        "execution_count": 7,
    }
    before = parse_notebook(ipynb(("x = 1", "step:a")), "x.ipynb")
    after = parse_notebook(ipynb(ran, metadata={"language_info": {"name": "python", "version": "3.12"}}), "y.ipynb")
    assert notebook_digest(before) == notebook_digest(after)
    assert cell_digest(before.cells[0]) == cell_digest(after.cells[0])


@pytest.mark.parametrize("cells", [[("x = 2", "step:a")], [("x = 1", "step:b")], [("x = 1", "step:a"), "md:text"]])
def test_source_tags_and_text_count_in_the_digest(ipynb, cells):
    plain = parse_notebook(ipynb(("x = 1", "step:a")), "x.ipynb")
    assert notebook_digest(plain) != notebook_digest(parse_notebook(ipynb(*cells), "x.ipynb"))


@pytest.mark.parametrize(
    ("text", "title"),
    [("# A # ", "A"), ("```\n# no\n```\n## B", "B"), ("text", ""), ("#no", ""), ("   ### C", "C"), ("#\n# D", "D")],
)
def test_the_title_is_the_first_heading(ipynb, text, title):
    assert parse_notebook(ipynb(f"md:{text}", "x = 1"), "x.ipynb").title == title


def test_control_characters_of_a_file_do_not_reach_the_terminal(ipynb):
    notebook = parse_notebook(ipynb(("x = '\x1b[31m' +", "step:a\n::error::x")), "x.ipynb")
    texts = [f"{d.message}{d.hint}{d.span.source_line}" for d in notebook.diagnostics]
    assert len(texts) == 2
    assert all(text.isprintable() for text in texts)


def test_a_package_is_not_named_like_a_module_that_the_notebook_imports(ipynb):
    data = ipynb(("import churn.model", "imports"), ("x = 1", "step:a"))
    assert parse_notebook(data, "churn.ipynb").name == "churn_pipeline"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_have_no_faults_and_no_outputs(path):
    notebook = read_notebook(path)
    assert notebook.diagnostics == ()
    assert notebook.name == path.stem
    stored = json.loads(path.read_bytes())
    assert (stored["nbformat"], stored["nbformat_minor"]) == (4, 5)
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_the_flights_example_has_five_steps():
    (path,) = (path for path in EXAMPLES if path.stem == "flight_delays")
    assert read_notebook(path).step_names() == ("load", "clean", "features", "train", "evaluate")


@settings(max_examples=150)
@given(st.data())
def test_reading_mutated_bytes_raises_nothing_but_usage_errors(ipynb, data):
    original = bytearray(ipynb(("%time x = 1\n%mlops gate", "step:a", "prev:b"), "md:# T", "# nbmlops: step=b\n!ls"))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(original) - 1))
        original[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        notebook = parse_notebook(bytes(original), "x.ipynb")
    except UsageError:
        return
    assert all(
        cell.python.count("\n") == cell.source.count("\n") for cell in notebook.cells if cell.kind is CellKind.CODE
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(["cells", "metadata", "source", "cell_type", "tags", "id", "input", "worksheets", "level"]),
            children,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200)
@given(st.sampled_from([1, 2, 3, 4]), JSON, JSON, JSON)
def test_reading_any_json_raises_nothing_but_usage_errors(version, cells, worksheets, metadata):
    document = {"nbformat": version, "cells": cells, "worksheets": worksheets, "metadata": metadata}
    for body in (document, {**document, "cells": [cells]}, {**document, "worksheets": [{"cells": [cells]}]}):
        try:
            parse_notebook(json.dumps(body).encode(), "x.ipynb")
        except UsageError:
            continue
