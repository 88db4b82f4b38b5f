from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbmlops.pipeline.run_record import LiveValue
from nbmlops.runtime.handover.handover import Handover, Saved
from nbmlops.runtime.store.store import DamagedObject, Store
from nbmlops.runtime.store.stored import Codec, StoredValue

Namespace = Mapping[str, StoredValue]


def after(store: Store, namespace: Namespace, saved: Saved) -> dict[str, StoredValue]:
    return {**namespace, **{value.name: value for value in saved.values}}


def first(store: Store, **values: Any) -> dict[str, StoredValue]:
    return after(store, {}, Handover(store, {}, "pipe").save(values))


def test_values_pass_by_name(tmp_path: Path) -> None:
    store = Store(tmp_path)
    namespace = first(store, frame=pd.DataFrame({"a": [1.5]}), grid=np.eye(2), n=3, model={1, 2})
    assert {name: value.codec for name, value in namespace.items()} == {
        "frame": Codec.ARROW,
        "grid": Codec.NPY,
        "n": Codec.JSON,
        "model": Codec.PICKLE,
    }
    step = Handover(store, namespace, "pipe")
    assert step.load("n") == 3
    assert step.load("frame") is step.load("frame")
    assert step.save({}) == Saved((), ())
    with pytest.raises(KeyError):
        step.load("other")


def test_equal_values_made_twice_have_one_identity(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one, other = first(store, f=pd.DataFrame({"a": [1]})), first(store, f=pd.DataFrame({"a": [1]}))
    assert one == other
    assert one["f"].identity(one) == other["f"].identity(other)


def test_an_input_changed_in_place_is_stored_again_and_reported(tmp_path: Path) -> None:
    store = Store(tmp_path)
    namespace = first(store, rows=[1], frame=pd.DataFrame({"a": [1]}), kept=[5])
    step = Handover(store, namespace, "pipe")
    step.load("rows").append(2)
    step.load("frame")["b"] = 3
    step.load("kept")
    saved = step.save({"n": 1})
    assert saved.changed_inputs == ("rows", "frame")
    assert {value.name for value in saved.values} == {"rows", "frame", "n"}
    later = Handover(store, after(store, namespace, saved), "pipe")
    assert (later.load("rows"), list(later.load("frame")), later.load("kept")) == ([1, 2], ["a", "b"], [5])


def test_names_that_share_stay_together_through_steps_that_know_one_of_them(tmp_path: Path) -> None:
    store = Store(tmp_path)
    rows = [1]
    namespace = first(store, rows=rows, same=rows, holder={"rows": rows})
    assert {value.codec for value in namespace.values()} == {Codec.BUNDLE}
    assert len({value.ref for value in namespace.values()}) == 1

    step = Handover(store, namespace, "pipe")
    step.load("same").append(2)
    saved = step.save({})
    assert set(saved.changed_inputs) == {"rows", "same", "holder"}
    namespace = after(store, namespace, saved)

    last = Handover(store, namespace, "pipe")
    last.load("rows").append(3)
    assert last.load("holder") == {"rows": [1, 2, 3]}
    assert last.load("holder")["rows"] is last.load("same")


def test_a_name_that_is_bound_anew_leaves_its_bundle(tmp_path: Path) -> None:
    store = Store(tmp_path)
    rows = [1]
    namespace = first(store, rows=rows, same=rows)
    before = namespace["rows"].identity(namespace)
    step = Handover(store, namespace, "pipe")
    step.load("rows")
    namespace = after(store, namespace, step.save({"rows": [9]}))
    assert namespace["same"].mates(namespace) == ("same",)
    assert namespace["same"].identity(namespace) != before

    last = Handover(store, namespace, "pipe")
    last.load("same").append(2)
    assert (last.load("rows"), last.load("same")) == ([9], [1, 2])


def test_an_output_that_refers_to_an_input_makes_them_a_bundle(tmp_path: Path) -> None:
    store = Store(tmp_path)
    namespace = first(store, grid=np.zeros((2, 2)))
    step = Handover(store, namespace, "pipe")
    namespace = after(store, namespace, step.save({"row": step.load("grid")[0]}))
    last = Handover(store, namespace, "pipe")
    last.load("row")[:] = 7
    assert last.load("grid").tolist() == [[7, 7], [0, 0]]


def test_how_names_share_is_part_of_their_identity(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one = [1]
    aliased = first(store, a=[one, one], b=one)
    apart = first(store, a=[[1], [1]], b=[1])
    half = first(store, a=[one, [1]], b=one)
    identities = {namespace["b"].identity(namespace) for namespace in (aliased, apart, half)}
    assert len(identities) == 3


class Locked:
    """Holds something that no process can hand over."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


def test_what_cannot_be_stored_is_named_and_the_rest_is_stored(tmp_path: Path) -> None:
    step = Handover(Store(tmp_path), {}, "pipe")
    service = Locked()
    saved = step.save({"fine": 1, "service": service})
    assert saved.live == (LiveValue("service", f"{__name__}.Locked", "cannot pickle '_thread.lock' object"),)
    assert [value.name for value in saved.values] == ["fine"]
    assert step.load("service") is service


def test_a_name_that_shares_objects_with_an_unstorable_one_is_stored_as_it_is_at_the_end(tmp_path: Path) -> None:
    store = Store(tmp_path)
    namespace = first(store, rows=[1])
    step = Handover(store, namespace, "pipe")
    rows = step.load("rows")
    rest = iter(rows)
    saved = step.save({"pair": [rows, (row for row in rest)]})
    assert ([value.name for value in saved.live], saved.values) == (["pair"], ())

    step.load("pair")[0].append(2)
    joined = step.save({})  # the next step in this process, which knows nothing of `rows`

    assert joined.changed_inputs == ("rows",)
    assert Handover(store, after(store, namespace, joined), "pipe").load("rows") == [1, 2]


def test_a_value_that_became_unstorable_is_no_longer_the_stored_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    step = Handover(store, first(store, rows=[1]), "pipe")
    step.load("rows").append(threading.Lock())
    saved = step.save({})
    assert (saved.values, saved.changed_inputs, [value.name for value in saved.live]) == ((), (), ["rows"])
    step.load("rows").pop()
    assert [value.name for value in step.save({}).values] == ["rows"]


def test_an_array_over_the_memory_of_a_buffer_stays_in_the_process(tmp_path: Path) -> None:
    raw = bytearray(4)
    saved = Handover(Store(tmp_path), {}, "pipe").save({"raw": raw, "view": np.frombuffer(raw, "u1")})
    assert [value.name for value in saved.values] == ["raw"]
    assert [(value.name, value.type) for value in saved.live] == [("view", "numpy.ndarray")]


def test_a_variable_that_a_live_function_bound_is_saved_like_a_change(tmp_path: Path) -> None:
    store = Store(tmp_path)
    step = Handover(store, first(store, k=1), "pipe")
    assert (step.has("k"), step.has("other")) == (True, False)
    step.bind("k", 2)
    assert [(value.name, step.load("k")) for value in step.save({}).values] == [("k", 2)]


def test_damage_is_found_before_anything_is_loaded(tmp_path: Path) -> None:
    store = Store(tmp_path)
    namespace = first(store, model={1, 2})
    ref = namespace["model"].ref
    (tmp_path / ref.digest[:2] / ref.digest[2:]).write_bytes(b"cos\nsystem\n(S'touch /tmp/never'\ntR.")
    with pytest.raises(DamagedObject):
        Handover(store, namespace, "pipe").load("model")
