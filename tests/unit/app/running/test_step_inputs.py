from __future__ import annotations

import subprocess
from pathlib import Path

from nbmlops.app.running.step_inputs import input_digests, step_inputs
from nbmlops.app.session.input_files import MOST_FILES
from nbmlops.core.records import DataRecord
from nbmlops.data.fingerprints.files import fingerprint_file
from nbmlops.pipeline.run_record import StepRecord, StepStatus


def record(name: str, digest: str, kind: str = "file", **version: str) -> DataRecord:
    return DataRecord(name, digest, kind, profile={"evidence": "step"}, version=version)


def test_data_that_a_step_read_is_an_input_and_what_nbmlops_keeps_is_not(tmp_path: Path):
    files = {
        "data/a.csv": "a" * 32,
        "/elsewhere/b.csv": "b" * 32,
        "helper.py": "c" * 32,
        "nbmlops.toml": "d" * 32,
        "schemas/flights.yaml": "e" * 32,
        ".hidden": "f" * 32,
    }
    assert step_inputs(files, tmp_path) == (record("data/a.csv", "a" * 32), record("file:/elsewhere/b.csv", "b" * 32))


def test_a_folder_stands_for_its_many_files(tmp_path: Path):
    (tmp_path / "parts").mkdir()
    for number in range(MOST_FILES + 1):
        (tmp_path / "parts" / f"{number}.csv").write_text(str(number))
    files = {f"parts/{number}.csv": "a" * 32 for number in range(MOST_FILES + 1)}
    digest = fingerprint_file(tmp_path / "parts")
    assert step_inputs(files, tmp_path) == (record("parts", digest, "folder"),)
    steps = [StepRecord("load", StepStatus.EXECUTED, files=files)]
    assert input_digests(steps, tmp_path) == {"parts": digest}
    assert step_inputs({name.replace("parts", "gone"): digest for name in files}, tmp_path) == ()


def test_the_version_that_dvc_keeps_is_told(tmp_path: Path):
    (tmp_path / ".dvc").mkdir()
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "a.csv").write_text("1\n")
    (tmp_path / "a.csv.dvc").write_text(
        "outs:\n- md5: b026324c6904b2a9cb4b88d6d61c81d1\n  size: 2\n  hash: md5\n  path: a.csv\n"
    )
    assert step_inputs({"a.csv": "a" * 32}, tmp_path) == (
        record(
            "a.csv",
            "a" * 32,
            dvc_file="a.csv.dvc",
            dvc_data_hash="b026324c6904b2a9cb4b88d6d61c81d1",
            dvc_state="same",
        ),
    )


def test_of_a_file_that_changed_between_steps_the_last_fingerprint_counts(tmp_path: Path):
    steps = [StepRecord(name, StepStatus.EXECUTED, files={"a.csv": name * 32}) for name in "ab"]
    assert input_digests(steps, tmp_path) == {"a.csv": "b" * 32}
