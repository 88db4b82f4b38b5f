"""The process of a step, for real: what it is told and tells, that it lives on for joined steps, and how it ends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from nbmlops.pipeline.run_record import MetricValue, StepLog
from nbmlops.runtime.ambient.ambient import AmbientState
from nbmlops.runtime.kernels.process import StepProcess
from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.schedule.execute import Completed, Ending, Job, KernelDied, Raised
from nbmlops.runtime.steps.context import StepContext, StepReport
from nbmlops.runtime.store.store import ObjectRef
from nbmlops.runtime.store.stored import Codec, StoredValue

VALUE = StoredValue("x", Codec.JSON, ObjectRef("ab" * 32, 1), "12", "int")
OUTCOME = StepOutcome(values=(VALUE,), log=StepLog(metrics=(MetricValue("score", 0.5),)), modules=("math",))
LISTEN = """
import os
from pathlib import Path
from nbmlops.runtime.steps.context import *
told = Path(os.environ["NBMLOPS_STEP_CONTEXT"])
context = read_context(told)
"""
REPORT = f"""
from nbmlops.pipeline.run_record import MetricValue, StepLog
from nbmlops.runtime.store.stored import Codec
from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.store.store import ObjectRef
from nbmlops.runtime.store.stored import StoredValue
write_outcome(context.report, {OUTCOME!r})
""".replace("<Codec.JSON: 'json'>", "Codec.JSON")


@pytest.fixture(scope="module")
def process() -> Iterator[StepProcess]:
    with closing(StepProcess({"OF_THE_RUN": "yes"})) as made:
        yield made


def run(process: StepProcess, folder: Path, step: str, source: str) -> tuple[Ending, StepReport, list[str]]:
    """Runs a step notebook of one cell; returns what came of it, and the lines that it printed."""
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
    document = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    notebook, target = folder / f"{step}.ipynb", folder / "executed" / f"{step}.ipynb"
    notebook.write_text(json.dumps(document))
    context = StepContext(step, folder, {"x": VALUE}, AmbientState(), None)
    ending, report = process.run(context, Job(notebook, target, folder, {}))
    executed = json.loads(target.read_bytes())["cells"] if target.exists() else []
    shown = [o for done in executed for o in done.get("outputs", ()) if o.get("name") == "stdout"]
    return ending, report, "".join("".join(output["text"]) for output in shown).splitlines()


def test_steps_of_one_process(process: StepProcess, tmp_path: Path) -> None:
    told = "print(context.step, context.joined, dict(context.values), os.environ['OF_THE_RUN'])\n"
    here = "print(context.folder == Path.cwd())"
    first = run(process, tmp_path, "a", f"{LISTEN}{REPORT}alive = [1]\n{told}{here}")
    printed = [f"a () {{'x': {VALUE!r}}} yes", "True"]
    assert first == (Completed(), StepReport(OUTCOME, StepLog(), None), printed)

    second = run(process, tmp_path, "b", "context = read_context(told)\nprint(context.step, context.joined, alive)")
    assert second == (Completed(), StepReport(None, StepLog(), None), ["b ('a',) [1]"])

    ending, report, printed = run(process, tmp_path, "c", "print(read_context(told).joined)\n1 / 0")
    assert isinstance(ending, Raised)
    assert (ending.name, ending.message) == ("ZeroDivisionError", "division by zero")
    assert (report, printed) == (StepReport(None, StepLog(), None), ["('a', 'b')"])


def test_a_process_that_dies_and_what_is_left(tmp_path: Path) -> None:
    with closing(StepProcess({})) as process:
        source = f"{LISTEN}Path('told').write_text(str(told))\nPath('pid').write_text(str(os.getpid()))\nos._exit(7)"
        ending, report, _ = run(process, tmp_path, "a", source)
        scratch = Path((tmp_path / "told").read_text()).parent
        assert isinstance(ending, KernelDied)
        assert (ending.code, report, scratch.is_dir()) == (7, StepReport(None, StepLog(), None), True)
    assert not scratch.exists()


def test_closing_ends_a_process_and_gently_lets_it_say_good_bye(tmp_path: Path) -> None:
    process = StepProcess({})
    source = (
        "import atexit, os\nfrom pathlib import Path\nhere = Path.cwd()\nPath('pid').write_text(str(os.getpid()))\n"
    )
    run(process, tmp_path, "a", f"{source}atexit.register(lambda: (here / 'bye').write_text('bye'))")
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, 0)
    process.close(gently=True)
    assert (tmp_path / "bye").read_text() == "bye"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
