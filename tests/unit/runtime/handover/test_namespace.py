from __future__ import annotations

from nbmlops.pipeline.run_record import LiveValue
from nbmlops.runtime.ambient.ambient import AmbientState, Setting
from nbmlops.runtime.handover.namespace import Folding, fold
from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.store.store import ObjectRef
from nbmlops.runtime.store.stored import Codec, StoredValue


def value(name: str, content: str) -> StoredValue:
    return StoredValue(name, Codec.JSON, ObjectRef(content * 64, 1), content, "int")


REF = ObjectRef("e" * 64, 3)
SETTING = Setting(ObjectRef("d" * 64, 1), "dark")
OUTCOMES = (
    StepOutcome(values=(value("x", "1"), value("y", "2"))),
    StepOutcome(values=(value("x", "3"),), random_used=True, random=REF, settings={"style": SETTING}),
    StepOutcome(live=(LiveValue("y", "list", "it cannot"),)),
)


def test_the_namespace_is_what_the_steps_left_in_notebook_order() -> None:
    assert fold(OUTCOMES) == ({"x": value("x", "3")}, AmbientState(REF, {"style": SETTING}))
    assert fold(()) == ({}, AmbientState(None, {}))


def test_a_folding_gives_the_same_whatever_it_was_asked_before() -> None:
    folding = Folding()
    other = StepOutcome(values=(value("z", "4"),))
    for outcomes in ([], OUTCOMES[:2], OUTCOMES, OUTCOMES[:1], [OUTCOMES[0], other], [other, *OUTCOMES], OUTCOMES):
        assert folding.after(outcomes) == fold(outcomes)


def test_what_was_given_before_stays_as_it_was() -> None:
    folding = Folding()
    first = folding.after(OUTCOMES[:1])
    folding.after(OUTCOMES)
    assert first == fold(OUTCOMES[:1])
