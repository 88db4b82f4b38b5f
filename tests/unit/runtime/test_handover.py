from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbmlops.runtime.codecs import Codec
from nbmlops.runtime.handover import Handover, Saved, Unstorable
from nbmlops.runtime.store import DamagedObject, Store
from nbmlops.runtime.stored import StoredValue

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


def test_what_cannot_be_stored_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unstorable, match=r"cannot pickle '_thread\.lock' object") as caught:
        first(Store(tmp_path), fine=1, service=Locked())
    assert (caught.value.name, caught.value.type) == ("service", f"{__name__}.Locked")


def test_damage_is_found_before_anything_is_loaded(tmp_path: Path) -> None:
    store = Store(tmp_path)
    namespace = first(store, model={1, 2})
    ref = namespace["model"].ref
    (tmp_path / ref.digest[:2] / ref.digest[2:]).write_bytes(b"cos\nsystem\n(S'touch /tmp/never'\ntR.")
    with pytest.raises(DamagedObject):
        Handover(store, namespace, "pipe").load("model")
