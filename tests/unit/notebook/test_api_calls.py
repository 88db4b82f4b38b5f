import pytest

from nbmlops.notebook.api_calls import imported_names, lift_calls
from nbmlops.notebook.model import MagicAction
from nbmlops.notebook.source import translate


def lifted(source):
    translation = translate(source)
    return lift_calls(translation, imported_names([translation.python]))


@pytest.mark.parametrize("start", ["import nbmlops", "import nbmlops as nb", "from nbmlops import gate as judge"])
def test_a_gate_call_becomes_a_stage_under_every_name(start):
    call = {"import nbmlops": "nbmlops.gate()", "import nbmlops as nb": "nb.gate()"}.get(start, "judge()")
    found = lifted(f"{start}\n{call}  # now\nx = 1")
    assert found.python == f"{start}\n\nx = 1"
    assert [(magic.line, magic.action, magic.python) for magic in found.magics] == [
        (2, MagicAction.GATE, "nbmlops.gate()")
    ]


def test_a_register_call_over_several_lines_leaves_empty_lines():
    found = lifted("import nbmlops\nnbmlops.register(\n  model=m,\n  data=X,\n  name='q',\n)\ny = 1")
    assert found.python == "import nbmlops\n\n\n\n\n\ny = 1"
    assert found.magics[0].python == "nbmlops.register(m, data=X, name='q')"


def test_calls_that_log_stay_in_the_code():
    source = "import nbmlops\nnbmlops.track('x')\nfor i in r:\n    nbmlops.metric('a', i)"
    found = lifted(source)
    assert found.python == "import nbmlops\n\nfor i in r:\n    nbmlops.metric('a', i)"
    assert [(magic.line, magic.action) for magic in found.magics] == [(2, MagicAction.DROP), (4, MagicAction.CALL)]


@pytest.mark.parametrize(
    "line", ["v = nbmlops.gate()", "if v: nbmlops.gate()", "nbmlops.gate(); x = 1", "print(nbmlops.gate())"]
)
def test_a_stage_inside_other_code_is_refused(line):
    found = lifted(f"import nbmlops\n{line}")
    assert found.python == f"import nbmlops\n{line}"
    assert [fault.code for fault in found.faults] == ["NB121"]


def test_names_of_other_libraries_are_left_alone():
    assert lifted("import other\nother.gate()\ngate()") == translate("import other\nother.gate()\ngate()")
