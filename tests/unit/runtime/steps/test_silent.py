"""What imports show that are made once more."""

from __future__ import annotations

import sys

from nbmlops.runtime.steps.silent import import_silently


def test_nothing_is_shown_and_the_module_is_there(tmp_path, monkeypatch, capsys):
    (tmp_path / "talkative.py").write_text("import sys\nprint('out')\nprint('err', file=sys.stderr)\nX = 1\n")
    (tmp_path / "broken.py").write_text("print('before')\n1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    import_silently(["broken", "no_such_module", "talkative"])

    assert sys.modules.pop("talkative").X == 1
    assert "broken" not in sys.modules
    assert capsys.readouterr() == ("", "")


def test_without_ipython(tmp_path, monkeypatch, capsys):
    (tmp_path / "talkative2.py").write_text("print('out')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "IPython", raising=False)

    import_silently(["talkative2"])

    assert sys.modules.pop("talkative2") is not None
    assert capsys.readouterr() == ("", "")
