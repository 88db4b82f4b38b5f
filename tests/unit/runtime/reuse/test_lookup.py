"""Which results are reused, over real records, files and objects: of single steps, and of steps of one process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from nbmlops.core.digest import digest_bytes
from nbmlops.data.fingerprints.files import fingerprint_file
from nbmlops.pipeline.codec import pipeline_to_yaml
from nbmlops.pipeline.ir import Input, Pipeline, Step, StepMode
from nbmlops.pipeline.run_record import LiveValue
from nbmlops.runtime.handover.namespace import fold
from nbmlops.runtime.layout import layout_of
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.reuse.facts import Facts
from nbmlops.runtime.reuse.lookup import Lookup
from nbmlops.runtime.reuse.plan import step_key
from nbmlops.runtime.reuse.records import CacheRecord, FileState, StepOutcome
from nbmlops.runtime.store.store import Store
from nbmlops.runtime.store.stored import Codec, StoredValue

SHARED = (LiveValue("g", "generator", "it is a generator"),)


def step(name: str, reads: Sequence[tuple[str, str]] = (), writes: tuple[str, ...] = ()) -> Step:
    inputs = tuple(Input(value, made) for value, made in reads)
    notebook = f"notebooks/{name}.ipynb"
    return Step(
        name, name, StepMode.FUNCTION, "", (), (), inputs, writes, (), (), (), (name,), notebook, f"code {name}"
    )


A, B = step("a", writes=("x", "g")), step("b", [("x", "a"), ("g", "a")], writes=("y",))
C = step("c", [("y", "b")])


class Project(Struct):
    """A pipeline on disk, and the records of what its steps did."""

    root: Path
    pipeline: Pipeline
    facts: Facts
    cache: StepCache
    store: Store

    def value(self, name: str, text: str) -> StoredValue:
        """Returns a value that is in the store."""
        return StoredValue(name, Codec.JSON, self.store.put([text.encode()]), text, "int")

    def record(
        self, before: Sequence[StepOutcome], outcome: StepOutcome, run: str = "one", unit: str = ""
    ) -> CacheRecord:
        """Returns the record of the next step, which is kept."""
        step = self.pipeline.steps[len(before)]
        parts = self.facts.parts(step, fold(before)[0])
        made = CacheRecord(step.name, step_key(step.name, parts), parts, outcome, run=run, unit=unit)
        self.cache.add(made)
        return made

    def lookup(self, *forced: str, given: Sequence[str] = ()) -> Lookup:
        """Returns what looks for records in a run."""
        return Lookup(self.pipeline, frozenset(forced), self.facts, self.cache, self.store, frozenset(given))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "pipelines" / "p"
    texts = {f"{part}/{name}": "x" for name in "abc" for part in ("p", "notebooks")}
    files = {f"{path}.{'py' if path.startswith('p/') else 'ipynb'}": text for path, text in texts.items()}
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    pipeline = Pipeline("p", "", "../../p.ipynb", "../..", "", {}, "", (), (A, B, C))
    (folder / "pipeline.yaml").write_bytes(
        pipeline_to_yaml(pipeline, {p: digest_bytes(t.encode()) for p, t in files.items()})
    )
    layout = layout_of(folder, pipeline)
    facts = Facts(pipeline, layout, {"PYTHONHASHSEED": "0"}, {}, {})
    return Project(tmp_path, pipeline, facts, StepCache(layout.cache, layout.state), Store(layout.store))


def test_a_step_is_found_by_what_it_depends_on(project: Project) -> None:
    assert project.lookup().find([]) == ((), "new")
    first = project.record([], StepOutcome(values=(project.value("x", "1"),)))
    second = project.record([first.outcome], StepOutcome(values=(project.value("y", "2"),)))
    assert project.lookup().find([]) == ((first,), "unchanged")
    assert project.lookup().find([first.outcome]) == ((second,), "unchanged")
    other = StepOutcome(values=(project.value("x", "3"),))
    assert project.lookup().find([other]) == ((), "input x changed")
    assert project.lookup("a").find([]) == ((), "forced")


def test_what_only_running_showed_counts_too(project: Project) -> None:
    data = project.root / "data.csv"
    data.write_text("1")
    seen = {"data.csv": FileState(fingerprint_file(data))}
    value = project.value("x", "1")
    made = project.record([], StepOutcome(values=(value,), files=seen, written=("out.csv",)))
    assert project.lookup().find([]) == ((), "file is gone: out.csv")
    (project.root / "out.csv").write_text("2")
    assert project.lookup().find([]) == ((made,), "unchanged")
    data.write_text("2")
    assert project.lookup().find([]) == ((), "file changed: data.csv")
    newer = project.record([], replace(made.outcome, files={"data.csv": FileState(fingerprint_file(data))}), run="two")
    assert project.lookup().find([]) == ((newer,), "unchanged")
    data.write_text("1")
    assert project.lookup().find([]) == ((made,), "unchanged")  # an older record fits again


def test_results_whose_values_are_gone_or_that_are_never_reused(project: Project) -> None:
    value = project.value("x", "1")
    lost = StoredValue("x", Codec.JSON, replace(value.ref, digest="0" * 64), "1", "int")
    project.record([], StepOutcome(values=(lost,)))
    assert project.lookup().find([]) == ((), "stored value of x is gone")
    shell = project.record([], StepOutcome(values=(value,), unkeyable="it runs a command"), run="two")
    assert project.lookup().find([]) == ((), "never reused: it runs a command")
    assert project.lookup(given=["a"]).find([]) == ((shell,), "unchanged")


def test_steps_of_one_process_are_found_together_or_not_at_all(project: Project) -> None:
    first = project.record([], StepOutcome(values=(project.value("x", "1"),), live=SHARED), unit="a")
    assert project.lookup().find([]) == ((), "joined with b: new")
    second = project.record([first.outcome], StepOutcome(values=(project.value("y", "2"),)), unit="a")
    assert project.lookup().find([]) == ((first, second), "unchanged")
    assert project.lookup("b").find([]) == ((), "joined with b: forced")
    assert project.lookup().find([first.outcome]) == ((), "new")  # its process had run another step before


def test_steps_of_several_runs_do_not_make_one_process(project: Project) -> None:
    first = project.record([], StepOutcome(values=(project.value("x", "1"),), live=SHARED), run="one", unit="a")
    second = project.record([first.outcome], StepOutcome(values=(project.value("y", "2"),)), run="two", unit="a")
    assert project.lookup().find([])[0] == ()
    again = project.record([], first.outcome, run="two", unit="a")
    assert project.lookup().find([]) == ((again, second), "unchanged")
