"""Importing papermill: the grammar of IRIs is built when one is checked, and checks are the same."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from nbmlops.runtime.kernels.papermill_import import import_papermill, late_grammar

TEXTS = ["http://a.b/ü", "http://a.b", "::", "", "a b", "//x/y?z#ü"]
CHECK = """
import json, sys
{how}
import jsonschema
checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
before = "lark" in sys.modules
found = {{name: [checker.conforms(text, name) for text in {texts!r}] for name in sorted(checker.checkers)}}
print(json.dumps([before, "rfc3987_syntax" in sys.modules, found]))
"""


def checked(how: str) -> tuple[bool, bool, dict[str, list[bool]]]:
    program = CHECK.format(how=how, texts=TEXTS)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    before, loaded, found = json.loads(done.stdout)
    return before, loaded, found


def test_the_grammar_waits_for_the_first_check_and_is_the_same() -> None:
    pytest.importorskip("rfc3987_syntax")
    eager = checked("import papermill")
    late = checked("from nbmlops.runtime.kernels.papermill_import import import_papermill; import_papermill()")
    assert (eager[0], late[0]) == (True, False)
    assert "iri" in late[2]
    assert late[1:] == eager[1:]


def test_where_jsonschema_is_loaded_nothing_is_put_in_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", sys)
    monkeypatch.delitem(sys.modules, "rfc3987_syntax", raising=False)
    with late_grammar():
        assert "rfc3987_syntax" not in sys.modules


def test_the_module_is_papermill() -> None:
    assert callable(import_papermill().execute_notebook)
