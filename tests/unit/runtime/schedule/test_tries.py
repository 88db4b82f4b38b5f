from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from nbmlops.pipeline.ir import Step, StepMode
from nbmlops.runtime.schedule.tries import set_aside, wait_before

STEP = Step("a", "a", StepMode.FUNCTION, "", (1,), ("c",), (), (), (), (), (), (), "", "", retries=2, backoff=3.0)


def test_steps_are_tried_again_as_often_as_each_of_them_says() -> None:
    assert [wait_before([STEP], tries) for tries in (1, 2, 3)] == [3.0, 6.0, None]
    assert [wait_before([replace(STEP, retries=1), STEP], tries) for tries in (1, 2)] == [3.0, None]
    assert wait_before([replace(STEP, retries=0), STEP], 1) is None


def test_the_notebook_of_a_failed_try_is_kept(tmp_path: Path) -> None:
    (tmp_path / "03_a.ipynb").write_text("first")
    set_aside(tmp_path / "03_a.ipynb", 1)
    set_aside(tmp_path / "03_a.ipynb", 2)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"03_a.try1.ipynb": "first"}
