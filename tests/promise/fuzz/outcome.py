"""Runs a program as a notebook and as a pipeline, and judges the difference."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from nbmlops.compiler.program import Compiled
from nbmlops.core.diagnostics import Severity
from nbmlops.core.errors import NbmlopsError
from tests.promise.fuzz.program import Program
from tests.promise.harness import Case, Processes, Ran, compile_case


class Verdict(StrEnum):
    """What became of a program. The last two break the promise."""

    INVALID = "invalid: the notebook itself fails"
    UNSTEADY = "unsteady: the notebook itself differs from run to run"
    EQUAL = "equal"
    JOINED = "equal, with steps that are joined because of a value that cannot be stored"
    REFUSED = "refused when compiling"
    DIFFERENT = "different"
    FAILED = "failed when compiling or running"


BROKEN = frozenset({Verdict.DIFFERENT, Verdict.FAILED})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a program, in how many seconds: `detail` holds codes, or what differs or fails."""

    verdict: Verdict
    detail: str = ""
    seconds: float = 0.0


def judge(program: Program, processes: Processes) -> Outcome:
    """Returns what becomes of the program."""
    began = time.perf_counter()
    with _folder() as folder:
        verdict, detail = _judged(program.case(), processes, folder)
    return Outcome(verdict, detail, time.perf_counter() - began)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _judged(case: Case, processes: Processes, folder: Path) -> tuple[Verdict, str]:
    (folder / "notebook").mkdir()
    expected = processes.run_notebook(case, folder / "notebook")
    if expected.error:
        return Verdict.INVALID, expected.error.strip().rpartition("\n")[2]
    try:
        compiled = compile_case(case, folder / "project")
    except NbmlopsError as error:
        return Verdict.FAILED, f"compiling: {error.message}"
    codes = sorted({d.code for d in compiled.diagnostics if d.severity is Severity.ERROR})
    if codes:
        return Verdict.REFUSED, " ".join(codes)
    return _compared(case, expected, compiled, processes, folder)


def _compared(case: Case, expected: Ran, compiled: Compiled, processes: Processes, folder: Path) -> tuple[Verdict, str]:
    ran = processes.run_pipeline(case, folder / "project")
    if ran.error:
        return Verdict.FAILED, ran.error
    notebook, pipeline = _without_addresses(expected.output), _without_addresses(ran.output)
    if notebook == pipeline:
        assert compiled.pipeline is not None
        return (Verdict.EQUAL if ran.steps == len(compiled.pipeline.steps) else Verdict.JOINED), ""
    again = processes.run_notebook(case, folder / "notebook")
    if _without_addresses(again.output) != notebook:
        return Verdict.UNSTEADY, ""
    return Verdict.DIFFERENT, _first_difference(notebook, pipeline)


def _without_addresses(output: str) -> str:
    """Returns what was printed without addresses and modules of classes, which are others in a pipeline."""
    output = re.sub(r"\w+\.<locals>\.", "", output)
    return re.sub(r"(?:[\w.]+\.)?([\w<>]+)( object)? at 0x[0-9A-Fa-f]+", r"\1\2", output)


def _first_difference(notebook: str, pipeline: str) -> str:
    ours, theirs = notebook.splitlines(), pipeline.splitlines()
    for number in range(max(len(ours), len(theirs))):
        one = ours[number] if number < len(ours) else "(nothing)"
        other = theirs[number] if number < len(theirs) else "(nothing)"
        if one != other:
            return f"line {number + 1}\n  notebook: {one}\n  pipeline: {other}"
    return "only the ends of lines differ"
