"""Every fault of a notebook file, with the whole message that a user sees (`tests/golden/notebook`)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nbmlops.core.diagnostics import render_diagnostics
from nbmlops.core.errors import NbmlopsError
from nbmlops.notebook.codes import CODES
from nbmlops.notebook.reader import parse_notebook, read_notebook

GOLDEN = Path(__file__).parents[2] / "golden" / "notebook"
STEP = ("x = 1", "step:load")
OTHER_LANGUAGE = {"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}, "language_info": {"name": "R"}}
V3 = {"metadata": {}, "nbformat": 3, "nbformat_minor": 0}
V3_CELL = {"cell_type": "code", "input": "x = 1", "language": "python", "metadata": {}, "outputs": []}

# Cells of notebooks that can be read, but hold faults.
CELLS = {
    "tests_that_may_be_missed": [
        ("model = X = 1", "step:train"),
        ("from checks import test_late", "test"),
        ("def test_a(model): ...", "test", "raises-exception"),
        ("def test_b(model, X): ...", "test"),
        ("# nbmlops: test\ndef test_b(): ...",),
        ("def test_c(): ...", "tests"),
    ],
    "no_step_tags": ["x = 1", "y = x"],
    "duplicate_ids": [{"cell_type": "code", "id": "same", "metadata": {}, "source": s} for s in ("x = 1", "x = 2")],
    "malformed_id": [{"cell_type": "code", "id": "not an id!", "metadata": {"tags": ["step:a"]}, "source": "x = 1"}],
    "unknown_cell_type": [STEP, {"cell_type": "heading", "id": "h", "metadata": {}, "source": "Hello"}],
    "lone_surrogate": [("x = 1\ny = '\ud83d'", "step:load")],
    "tags_as_text": [STEP, {"cell_type": "code", "id": "t", "metadata": {"tags": "step:train"}, "source": "y = 1"}],
    "no_code": ["md:# Only text"],
    "syntax_error_cell_7_line_3": [
        "md:# T",
        STEP,
        "md:a",
        "md:b",
        "md:c",
        "md:d",
        ("a = 1\nb = 2\nc = a +* b", "step:train"),
    ],
    "syntax_error_unclosed": [("x = (1,\n  2", "step:load")],
    "tabs_and_spaces": [("if x:\n\ty = 1\n        z = 2", "step:load")],
    "python_2": [("print 'hello'", "step:load")],
    "return_outside": [("return 3", "step:load")],
    "null_byte": [("x = 1\x00", "step:load")],
    "too_deep": [("(" * 300, "step:load")],
    "cell_magic_bash": [("%%bash --err problems\nls -l", "step:load")],
    "cell_magic_capture_name": [("%%capture out\nprint(1)", "step:load")],
    "cell_magic_capture": [("%%capture\nprint(1)", "step:load")],
    "cell_magic_timeit": [("%%timeit x = 1\nf(x)", "step:load")],
    "cell_magic_unknown": [("%%bassh\nls", "step:load")],
    "cell_magic_below": [("x = 1\n%%time\ny = 2", "step:load")],
    "line_magics": [("%cd data\n%env A=1\n%run other.py\n%store x\n%timeit x = 1; f(x)\n%pylab inline", "step:load")],
    "line_magic_unknown": [("%matplotlb inline", "step:load")],
    "line_magic_extension": [("%load_ext cudf.pandas", "step:load")],
    "line_magic_assigned": [("names = %who_ls", "step:load")],
    "line_magic_pictures": [("%config InlineBackend.close_figures = False", "step:load")],
    "line_magic_display": [("%config InteractiveShell.ast_node_interactivity = 'all'", "step:load")],
    "time_of_nonsense": [("%time x +", "step:load")],
    "shell": [("files = !ls data\nfor f in files:\n    !wc -l {f} &\n!wc {files}", "step:load")],
    "shell_star": [("from os import *\n!ls {sep}", "step:load")],
    "install_and_more": [("!pip install x && rm -rf data", "step:load")],
    "too_much_syntax": [("%time x\n" * 501, "step:load")],
    "mlops_subcommand": [("%mlops metrc auc", "step:load")],
    "mlops_option": [("%mlops data x --nmae y", "step:load")],
    "mlops_missing": [("%mlops register model", "step:load")],
    "mlops_expression": [("x = 1\n%mlops metric auc = roc auc", "step:load")],
    "mlops_step_line": [("%mlops step train", "step:load")],
    "mlops_cell_magic": [("%%mlops metric auc\n0.9", "step:load")],
    "gate_in_block": [("if ready:\n    %mlops gate", "step:load")],
    "gate_assigned": [("verdict = %mlops gate", "step:load")],
    "gate_call_in_code": [("import nbmlops\nverdict = nbmlops.gate()", "step:load")],
    "below_the_gate": [("x = 1\n%mlops gate\n%mlops metric x", "step:load"), "import nbmlops\nnbmlops.param('x', x)"],
    "two_gates": [("x = 1\n%mlops gate", "step:load"), "%mlops gate"],
    "register_expressions": [("m = 1\n%mlops register models[0] --data df[cols]", "step:load")],
    "register_call_without_data": [("import nbmlops\nm = 1\nnbmlops.register(m)", "step:load")],
    "waiver_in_gate": [('auc = 1\n%mlops gate --waive "auc floor" --reason asked --by Ada', "step:load")],
    "register_above_gate": [("m = X = 1\n%mlops register m --data X\n%mlops gate", "step:load")],
    "misspelt_tags": [
        ("x = 1", "stpe:train"),
        ("y = 1", "Step:x"),
        ("z = 1", "Parameters"),
        ("u = 1", "step=eval"),
        ("v = 1", "step: eval"),
        ("w = 1", "import"),
        ("p = 1", "prev load", "step:last"),
    ],
    "misspelt_comments": [
        "# nbmlops: stp=train\nx = 1",
        "# nbmlops step=train\nx = 1",
        "# nbmlop: step=a\nx = 1",
        "# nbmlops:\nx = 1",
        "# nbmlops: skp\nx = 1",
    ],
    "comment_below_first_line": [("x = 1\n# nbmlops: step=train", "step:load")],
    "spellings_disagree": [
        ("# nbmlops: step=train\nx = 1", "step:load"),
        ("%%mlops step fit\nx = 1", "step:eval"),
        ("# nbmlops: prev=load\nx = 1", "step:b", "prev:eval"),
    ],
    "two_steps_in_a_cell": [("x = 1", "step:load", "step:train")],
    "two_roles_in_a_cell": [("import os", "imports", "step:train")],
    "empty_step_name": [("x = 1", "step:"), ("# nbmlops: step=\ny = 1",), ("z = 1", "step:z", "prev:")],
    "unfit_step_names": [
        ("x = 1", "step:../x"),
        ("x = 1", "step:" + "n" * 300),
        ("x = 1", "step:train model"),
        ("x = 1", "step:1st"),
    ],
    "look_alike_steps": [("x = 1", "step:train"), ("y = 1", "step:tr\N{CYRILLIC SMALL LETTER A}in")],
    "steps_differ_by_case": [("x = 1", "step:train"), ("y = 1", "step:Train")],
    "two_parameters_cells": [("a = 1", "parameters"), ("b = 1", "pipeline-parameters"), STEP],
    "unknown_prev": [STEP, ("y = x", "step:train", "prev:laod")],
    "forward_prev": [("x = 1", "step:load", "prev:train"), ("y = x", "step:train")],
    "cycle": [
        ("x = 1", "step:a", "prev:c"),
        ("y = 1", "step:b", "prev:a"),
        ("z = 1", "step:c", "prev:b"),
        ("s = 1", "step:s", "prev:s"),
    ],
    "step_in_two_places": [STEP, ("y = 1", "step:train"), ("md:between"), ("z = 1", "step:load")],
    "empty_step": [STEP, ("# nothing yet", "step:train")],
    "prev_without_step": [("import os", "imports", "prev:load"), STEP],
    "metrics_cell_with_code": [("auc = 1", "step:load"), ("print(auc)\nprint('auc', auc)", "pipeline-metrics")],
    "raises_exception": [("1 / 0", "imports", "raises-exception"), ("1 / 0", "step:load", "raises-exception")],
    "no_step": [("import os", "imports"), ("a = 1", "parameters")],
    "kale_notebook_tag": [STEP, ("", "notebook:other")],
    "several_at_once": [
        ("a = 1", "parameters"),
        ("x = !ls", "stpe:load"),
        ("y = (", "step:train", "prev:lod"),
        ("b = 2", "parameters"),
    ],
}
# Whole files that are no notebooks.
FILES = {
    "not_json": b"import pandas as pd\n",
    "json_error": b'{"cells": [],\n "metadata": {}\n "nbformat": 4}',
    "truncated": b'{"cells": [{"cell_type": "code",\n  "source": "x = 1',
    "empty": b"",
    "only_white_space": b" \n\n",
    "latin_1": '{"cells": [],\n "title": "Qualität"}'.encode("latin-1"),
    "utf_16": "{}".encode("utf-16"),
    "json_but_no_notebook": b'{"name": "package", "version": 1}',
    "json_list": b"[1, 2]",
    "cells_no_list": b'{"cells": 3, "nbformat": 4, "metadata": {}}',
    "cell_no_object": b'{"cells": [7], "nbformat": 4, "metadata": {}}',
    "cell_without_text": b'{"cells": [{"cell_type": "code", "source": 5}], "nbformat": 4, "metadata": {}}',
    "nbformat_5": b'{"cells": [], "nbformat": 5, "nbformat_minor": 0, "metadata": {}}',
    "nbformat_text": b'{"worksheets": [], "nbformat": "4"}',
    "nbformat_3_broken": b'{"worksheets": [3], "nbformat": 3, "metadata": {}}',
    "json_bomb": b"[" * 200_000,
    "huge_number": b'{"cells": [], "nbformat": ' + b"9" * 5000 + b"}",
    "git_lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "merge_conflict": b'{\n<<<<<<< HEAD\n "cells": []\n=======\n "cells": [1]\n>>>>>>> other\n}',
}


def message_of(error: NbmlopsError) -> str:
    return f"exit code {error.exit_code.value}\nerror: {error}\n"


@pytest.mark.parametrize("case", CELLS)
def test_a_notebook_with_faults_is_read_and_every_fault_told(case, ipynb, golden):
    notebook = parse_notebook(ipynb(*CELLS[case]), "flights.ipynb")
    golden(f"notebook/{case}.txt", render_diagnostics(notebook.diagnostics) + "\n")


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_no_notebook_is_refused(case, golden):
    with pytest.raises(NbmlopsError) as raised:
        parse_notebook(FILES[case], "flights.ipynb")
    golden(f"notebook/{case}.txt", message_of(raised.value))


def test_another_kernel_language_is_refused(ipynb, golden):
    with pytest.raises(NbmlopsError) as raised:
        parse_notebook(ipynb("x <- 1", metadata=OTHER_LANGUAGE), "flights.ipynb")
    golden("notebook/other_language.txt", message_of(raised.value))


def test_an_old_format_is_upgraded_with_a_note(golden):
    data = json.dumps({**V3, "worksheets": [{"cells": [V3_CELL], "metadata": {}}]}).encode()
    golden("notebook/nbformat_3.txt", render_diagnostics(parse_notebook(data, "flights.ipynb").diagnostics) + "\n")


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("not_a_file", "fligths.ipynb"),
        ("no_notebook_there", "sub/x.ipynb"),
        ("folder", "."),
        ("control_character", "a\nb.ipynb"),
    ],
)
def test_a_path_without_a_notebook_is_refused(case, name, ipynb, golden, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("flights.ipynb").write_bytes(ipynb("x = 1"))
    with pytest.raises(NbmlopsError) as raised:
        read_notebook(Path(name))
    golden(f"notebook/{case}.txt", message_of(raised.value))


def test_a_loop_of_links_is_refused(tmp_path):
    loop = tmp_path / "loop.ipynb"
    loop.symlink_to(loop)
    with pytest.raises(NbmlopsError, match=r"loop\.ipynb"):
        read_notebook(loop)


def test_every_code_has_a_golden_case_and_every_case_a_known_code():
    texts = "".join(path.read_text(encoding="utf-8") for path in GOLDEN.glob("*.txt"))
    assert set(re.findall(r"\[(NB1\d\d)\]", texts)) == set(CODES)


def test_every_golden_has_a_case():
    own = {"other_language", "nbformat_3", "not_a_file", "no_notebook_there", "folder", "control_character"}
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {*CELLS, *FILES, *own}
