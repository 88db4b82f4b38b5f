from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

from msgspec.structs import replace

from nbmlops.core.digest import digest_bytes
from nbmlops.data.fingerprints.files import fingerprint_file
from nbmlops.pipeline.codec import pipeline_to_yaml
from nbmlops.pipeline.ir import Input, Pipeline, Step, StepMode
from nbmlops.runtime.ambient.ambient import AmbientState, Setting
from nbmlops.runtime.layout import Layout, layout_of
from nbmlops.runtime.reuse.facts import Facts, kernel_environment
from nbmlops.runtime.reuse.plan import Grounds
from nbmlops.runtime.reuse.records import CacheRecord, FileState, KeyParts, StepOutcome
from nbmlops.runtime.store.store import ObjectRef, Store
from nbmlops.runtime.store.stored import Codec, StoredValue


def test_the_hash_seed_is_fixed_and_other_seeds_and_thread_numbers_are_left_as_they_are() -> None:
    assert kernel_environment({"PATH": "/bin"}) == {"PYTHONHASHSEED": "0"}
    assert kernel_environment({"PYTHONHASHSEED": "random"}) == {"PYTHONHASHSEED": "0"}
    assert kernel_environment({"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "2", "NBMLOPS_RANDOM_SEED": "3"}) == {
        "PYTHONHASHSEED": "7",
        "OMP_NUM_THREADS": "2",
        "NBMLOPS_RANDOM_SEED": "3",
    }


def written(root: Path) -> tuple[Pipeline, Layout, Step]:
    folder = root / "pipelines" / "flights"
    (folder / "flights").mkdir(parents=True)
    (folder / "notebooks").mkdir()
    contents = {"flights/train.py": "x", "flights/helpers.py": "y", "notebooks/01_train.ipynb": "{}"}
    for path, text in contents.items():
        (folder / path).write_text(text)
    step = Step(
        name="train",
        module="train",
        mode=StepMode.FUNCTION,
        reason="",
        cells=(1,),
        cell_ids=("a",),
        inputs=(Input("X", "load"),),
        outputs=(),
        after=(),
        parameters=("depth",),
        files=(),
        modules=("train", "helpers"),
        notebook="notebooks/01_train.ipynb",
        digest="code",
    )
    pipeline = Pipeline("flights", "", "../../flights.ipynb", "../..", "", {}, "", (), (step,))
    files = {path: digest_bytes(text.encode()) for path, text in contents.items()}
    (folder / "pipeline.yaml").write_bytes(pipeline_to_yaml(pipeline, files))
    return pipeline, layout_of(folder, pipeline), step


def test_a_step_is_keyed_by_code_parameters_inputs_environment_and_edits_by_hand(tmp_path: Path) -> None:
    pipeline, layout, step = written(tmp_path)
    facts = Facts(pipeline, layout, {"PYTHONHASHSEED": "0"}, {"depth": 3, "other": 1}, {})
    values = {"X": StoredValue("X", Codec.ARROW, ObjectRef("ab", 1), "12", "pandas.DataFrame")}
    environment = {"python": platform.python_version(), "PYTHONHASHSEED": "0"}
    expected = KeyParts("code", {}, {"depth": "3"}, {"X": "pandas.DataFrame 12"}, environment)
    assert facts.parts(step, values) == expected

    (layout.package / "helpers.py").write_text("edited")
    (layout.folder / "notebooks" / "01_train.ipynb").unlink()
    edited = {"flights/helpers.py": digest_bytes(b"edited"), "notebooks/01_train.ipynb": ""}
    assert facts.parts(step, values) == replace(expected, edited=edited)


def test_the_ground_of_a_record_is_looked_up_as_it_is_now(tmp_path: Path) -> None:
    pipeline, layout, _ = written(tmp_path)
    facts = Facts(pipeline, layout, {}, {}, {"KEY": "secret"})
    store = Store(layout.store)
    kept, gone = store.put([b"kept"]), ObjectRef("ab" * 32, 1)
    (tmp_path / "x.csv").write_text("x")
    outcome = StepOutcome(
        values=(StoredValue("a", Codec.JSON, kept, "1", "int"), StoredValue("b", Codec.JSON, gone, "2", "int")),
        files={"x.csv": FileState("12", 1, 0), "/absent/y.csv": FileState("34")},
        written=("made.csv", "x.csv"),
        settings_before={"pandas options": "12", "warning filters": ""},
        settings={"pandas options": Setting(kept, "34"), "warning filters": Setting(gone, "56")},
    )
    record = CacheRecord("train", "key", KeyParts("", {}, {}, {}, {}), outcome, {"pandas": "0.1", "absent": "1"})
    ambient = AmbientState(kept, {"pandas options": Setting(gone, "78"), "locale": Setting(gone, "90")})
    assert facts.grounds(record, ambient, store) == Grounds(
        files={"x.csv": fingerprint_file(tmp_path / "x.csv"), "/absent/y.csv": ""},
        libraries={"pandas": version("pandas")},
        random=kept.digest,
        missing_files=("made.csv",),
        missing_values=("b", "warning filters"),
        root=str(layout.root),
        settings={"pandas options": "78", "warning filters": ""},
    )
