from __future__ import annotations

import io
import sys

import pytest

from nbmlops.runtime.steps.output_limit import OutputLimit


class Stream(io.StringIO):
    """A text stream whose `write` can be replaced, as that of a kernel."""


def test_what_a_cell_prints_beyond_the_limit_is_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = Stream(), Stream()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    limit = OutputLimit(10)
    limit.begin_cell()
    assert [out.write(text) for text in ("12345678", "90abc", "def")] == [8, 5, 3]
    err.write("gone")
    limit.end_cell()
    out.write("12345678901")
    limit.begin_cell()
    out.write("again")
    limit.end_cell()
    mark = "\n[a cell printed more than 9.53674e-06 MiB; the rest is left out]\n"
    assert out.getvalue() == f"1234567890{mark}[left out: 0.0 MiB]\n12345678901again"
    assert err.getvalue() == ""


def test_half_a_surrogate_pair_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Stream()
    monkeypatch.setattr(sys, "stdout", out)
    limit = OutputLimit()
    limit.begin_cell()
    out.write("é \ud800")
    limit.end_cell()
    assert out.getvalue() == "é \\ud800"


def test_bytes_count_and_no_letter_is_cut_in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Stream()
    monkeypatch.setattr(sys, "stdout", out)
    limit = OutputLimit(5)
    limit.begin_cell()
    out.write("ééé")
    limit.end_cell()
    assert out.getvalue().splitlines()[0] == "éé"
