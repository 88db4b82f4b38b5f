"""Every rule with the whole of its messages, which stand in one golden text; and what rules must not report."""

from __future__ import annotations

import re

from nbmlops.analysis.model import ClosingNames
from nbmlops.analysis.rules import RULES
from nbmlops.core.diagnostics import Severity, render_diagnostics


def rendered(analyzed, cells):
    found = [d for d in analyzed(*cells).diagnostics if d.code != "NB101"]
    assert found
    assert all(d.severity in {Severity.ERROR, Severity.NOTE} and d.hint and d.message for d in found)
    return render_diagnostics(found)


def test_messages(analyzed, faulty_notebooks, golden):
    texts = [f"== {case.name}\n{rendered(analyzed, case.cells)}\n" for case in faulty_notebooks]
    golden("analysis/diagnostics.txt", "\n".join(texts))


def test_every_code_is_reported_by_some_case(analyzed, faulty_notebooks):
    everything = "".join(rendered(analyzed, case.cells) for case in faulty_notebooks)
    # These are about modules beside the notebook: test_local_state.py, test_late_environment.py.
    expected = (RULES.keys() - {"NB219", "NB404"}) | {"NB302", "NB303", "NB304"}
    assert set(re.findall(r"\[(NB[234]\d\d)\]", everything)) == expected


def test_every_rule_has_a_page_that_begins_with_its_code():
    for code, rule in RULES.items():
        assert rule.__doc__.startswith(code), rule.__name__
        assert len(rule.__doc__.splitlines()) > 2


def test_sound_notebooks(sound_case, faults):
    assert faults(*sound_case.cells) == []


def test_a_cell_that_the_reader_refused_causes_no_further_errors(faults):
    found = faults(("step:a", "x = = 1"), ("step:b", "print(x)"))
    assert [line.split()[0] for line in found] == ["NB110"]


def test_a_closing_name_of_the_configuration_has_no_cell(analyzed):
    found = analyzed(("step:a", "x = 1"), closing=ClosingNames(model="y")).diagnostics
    assert [(d.code, str(d.span), d.message) for d in found] == [
        ("NB218", "small.ipynb", "'y' is the model to register, but no step makes it")
    ]
