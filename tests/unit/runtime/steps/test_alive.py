from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from types import CellType, ModuleType

import pytest

from nbmlops.pipeline.ir import Step, StepMode
from nbmlops.pipeline.run_record import LiveValue
from nbmlops.runtime.handover.handover import Handover
from nbmlops.runtime.steps.alive import Alive
from nbmlops.runtime.store.store import Store


def step(mode: StepMode) -> Step:
    return Step("a", "a", mode, "", (), (), (), (), (), (), (), (), "", "")


@pytest.fixture
def alive(tmp_path: Path) -> Alive:
    return Alive(Handover(Store(tmp_path), {}, "tiny"))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The namespace of a kernel in which the function of a step `a` has run."""
    main = ModuleType("__main__")
    module = ModuleType("tiny.a")
    vars(module)["a"] = lambda: None
    for name, made in {"__main__": main, "tiny": ModuleType("tiny"), "tiny.a": module}.items():
        monkeypatch.setitem(sys.modules, name, made)
    vars(main).update(dict.fromkeys(["In", "Out", "_", "_i1", "get_ipython", "open", "step", "open_step", "a", "x"], 1))
    return vars(main)


def test_the_names_of_a_step_that_is_over_go(alive: Alive, names: dict[str, object]) -> None:
    alive.leave(step(StepMode.FUNCTION), "tiny", {"step", "open_step"})
    assert {name for name in names if not name.startswith("_")} == {"In", "Out", "get_ipython", "open"}


def test_the_names_of_a_verbatim_step_stay_for_its_functions(alive: Alive, names: dict[str, object]) -> None:
    alive.leave(step(StepMode.VERBATIM), "tiny", {"step", "open_step"})
    assert "step" not in names
    names["later"] = 2
    names["x"] = 3
    alive.leave(step(StepMode.FUNCTION), "tiny", set())
    assert {name: names[name] for name in ("a", "x")} == {"a": 1, "x": 3}
    assert "later" not in names


def test_variables_of_live_functions_and_the_namespace_agree(alive: Alive) -> None:
    alive.handover.save({"k": 1, "n": 1})
    alive.shared.cells |= {"k": CellType(5), "n": CellType(5), "other": CellType(5), "empty": CellType()}
    alive.take_variables({"n": 7})
    assert alive.handover.load("k") == 5
    assert dict(alive.shared.values()) == {"k": 5, "n": 7, "other": 5}
    assert not alive.handover.has("other")


def test_a_temporary_folder_without_a_name_keeps_the_process(alive: Alive) -> None:
    handed_over, kept = tempfile.TemporaryDirectory(), tempfile.TemporaryDirectory()
    alive.handover.bind("folder", handed_over)
    reason = "its folder is removed when its process ends"
    assert alive.keep_folders([]) == ()
    assert alive.keep_folders([handed_over]) == ()
    assert alive.keep_folders([kept]) == (LiveValue("temporary folder", "tempfile.TemporaryDirectory", reason),)
    kept.cleanup()
    handed_over.cleanup()
    assert alive.keep_folders([]) == ()
