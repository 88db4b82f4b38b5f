"""Outputs of cells against those of a step: whole verdicts."""

from datetime import UTC, datetime
from typing import Any

import pytest

from nbmlops.data.compare.noise import Noise
from nbmlops.data.compare.outputs import DIFFERENT, EQUAL, CellOutputs, compare_outputs

NOISE = Noise("churn", datetime(2026, 3, 1, tzinfo=UTC))
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAAD"


def printed(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def result(plain: str, kind: str = "execute_result", **forms: str) -> dict[str, Any]:
    data = {"text/plain": plain, **{name.replace("_", "/"): text for name, text in forms.items()}}
    return {"output_type": kind, "data": data, "metadata": {}}


def compared(cells: dict[int, list[Any]], pipeline: list[Any]) -> list[tuple[int, str, str, tuple[str, ...]]]:
    found = compare_outputs(list(cells.items()), pipeline, NOISE)
    return [(cell.cell, cell.status, cell.detail, cell.removed) for cell in found]


@pytest.mark.parametrize(
    ("cells", "pipeline"),
    [
        ({1: [], 2: []}, []),
        ({1: [printed("a\n")], 2: [printed("b\n")]}, [printed("a\nb\n")]),
        ({1: [printed("a")], 2: [printed("b\n")]}, [printed("ab\n")]),
        ({1: [printed("a\n"), printed("c\n")]}, [printed("a\nc\n")]),
        ({1: [printed("a\n"), result("1")]}, [printed("a\n"), result("1", "display_data")]),
        ({1: [printed("a\n"), printed("e\n", "stderr")]}, [printed("e\n", "stderr"), printed("a\n")]),
        (
            {1: [{"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}, result("1")]},
            [{**result("Traceback …"), "metadata": {"nbmlops": {"error": "ValueError: no"}}}, result("1")],
        ),
        ({1: [printed("50%\r100%\n")]}, [printed("100%\n")]),
        ({1: [result("x", text_html=["<b>", "x</b>"])]}, [result("x", text_html="<b>x</b>")]),
    ],
)
def test_the_same_in_other_pieces_is_equal(cells: dict[int, list[Any]], pipeline: list[Any]) -> None:
    assert compared(cells, pipeline) == [(number, EQUAL, "", ()) for number, outputs in cells.items() if outputs]


@pytest.mark.parametrize(
    ("cells", "pipeline", "verdicts"),
    [
        (
            {1: [printed("a\n")], 2: [printed("b\n")]},
            [printed("a\nc\n")],
            [(1, EQUAL, "", ()), (2, DIFFERENT, "printed: 'b' in the notebook, 'c' in the pipeline", ())],
        ),
        (
            {1: [printed("a\nb\n")], 2: [printed("c\n")]},
            [printed("c\n")],
            [(1, DIFFERENT, "the pipeline does not show printed 'a' (and 1 more piece)", ()), (2, EQUAL, "", ())],
        ),
        (
            {1: [printed("a\n")], 2: []},
            [printed("a\nb\n")],
            [(1, DIFFERENT, "the pipeline shows more: printed 'b'", ())],
        ),
        ({1: [], 2: []}, [printed("b\n")], [(1, DIFFERENT, "the pipeline shows more: printed 'b'", ())]),
        (
            {1: [printed("a\n")], 2: [result("1")]},
            [result("1"), printed("a\n")],
            [(1, DIFFERENT, "the pipeline shows more: the result '1'", ()),
             (2, DIFFERENT, "the pipeline does not show the result '1'", ())],
        ),
        (
            {1: [result("x", text_html="<b>x</b>")]},
            [result("x", text_html="<b>y</b>")],
            [(1, DIFFERENT, "text/html: '<b>x</b>' in the notebook, '<b>y</b>' in the pipeline", ())],
        ),
        (
            {1: [result("x", text_html="<b>x</b>")]},
            [result("x")],
            [(1, DIFFERENT, "shown as text/plain, text/html in the notebook, text/plain in the pipeline", ())],
        ),
        (
            {1: [result("<Figure>", image_png=PNG)]},
            [result("<Figure>", image_png=PNG + "AAAA")],
            [(1, DIFFERENT, ("image/png: the pictures differ: 2×3, 24 bytes in the notebook, "
              "2×3, 27 bytes in the pipeline"), ())],
        ),
        (
            {1: [{"output_type": "error", "ename": "ValueError", "evalue": "no"}]},
            [printed("ok\n")],
            [(1, DIFFERENT, "error 'ValueError: no' in the notebook, printed 'ok' in the pipeline", ())],
        ),
    ],
)  # fmt: skip
def test_a_difference_is_blamed_on_its_cell(cells: dict[int, list[Any]], pipeline: list[Any], verdicts: Any) -> None:
    assert compared(cells, pipeline) == verdicts


def test_what_was_left_out_is_told_for_its_cell_only() -> None:
    ours = {1: [printed("<f at 0x7fffaaaa0000>\n")], 2: [printed("Wall time: 3 ms\nb\n")], 3: [printed("c\n")]}
    theirs = [printed("<f at 0x7fffbbbb0000>\nb\nc\n")]
    assert compared(ours, theirs) == [
        (1, EQUAL, "", ("memory addresses",)),
        (2, EQUAL, "", ("times",)),
        (3, EQUAL, "", ()),
    ]


def test_the_line_of_code_below_a_warning_is_no_output() -> None:
    ours = {1: [printed("/tmp/ipykernel_1/2.py:3: UserWarning: careful\n  warn('careful')\n  x\n", "stderr")]}
    same = [printed("/x/churn/train.py:9: UserWarning: careful\n  nbmlops.show(warn('careful'))\n  x\n", "stderr")]
    other = [printed("/x/churn/train.py:9: UserWarning: careful\n  warn('careful')\n  y\n", "stderr")]
    assert compared(ours, same) == [(1, EQUAL, "", ("where code stands",))]
    assert compared(ours, other) == [
        (1, DIFFERENT, "stderr: '  x' in the notebook, '  y' in the pipeline", ("where code stands",))
    ]


def test_the_places_of_differences_are_known_so_that_another_run_can_be_held_against_them() -> None:
    ours = [(1, [printed("a\nb\nc\n"), printed("e\n", "stderr")])]
    assert compare_outputs(ours, [printed("a\nx\nc\n"), printed("f\n", "stderr")], NOISE) == (
        CellOutputs(
            1,
            DIFFERENT,
            "printed: 'b' in the notebook, 'x' in the pipeline",
            places=frozenset({("printed", 1), ("stderr", 0)}),
        ),
    )
