"""The files that steps of a pipeline read, as inputs of its run: named and chosen as a notebook's run does it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from nbmlops.app.session.cell_files import Evidence, is_data, our_folders
from nbmlops.app.session.input_files import grouped, input_name
from nbmlops.core.errors import NbmlopsError
from nbmlops.core.records import DataRecord
from nbmlops.pipeline.run_record import StepRecord


def step_inputs(files: Mapping[str, str], root: Path) -> tuple[DataRecord, ...]:
    """Returns the inputs of a step with their fingerprints and versions.

    Args:
        files: Files that it read -> their fingerprints; paths below the root are relative to it.
        root: The project's root.
    """
    from nbmlops.data.versions.versions import version_of  # noqa: PLC0415 - it asks git; most runs are taken from the cache

    absolute = _data_of(files, root)
    records = []
    for path in grouped(dict.fromkeys(absolute, Evidence.STEP)):
        digest = absolute.get(path) or _folder_digest(path)
        if digest:
            kind = "file" if path in absolute else "folder"
            facts = {"evidence": Evidence.STEP.value}
            records.append(
                DataRecord(input_name(path, root), digest, kind, profile=facts, version=version_of(Path(path)))
            )
    return tuple(records)


def input_digests(steps: Iterable[StepRecord], root: Path) -> dict[str, str]:
    """Returns name -> fingerprint of the files that steps read, of each name the last one.

    Args:
        steps: What the run did.
        root: The project's root.
    """
    found: dict[str, str] = {}
    for step in steps:
        absolute = _data_of(step.files, root)
        for path in grouped(dict.fromkeys(absolute, Evidence.STEP)):
            digest = absolute.get(path) or _folder_digest(path)
            found |= {input_name(path, root): digest} if digest else {}
    return found


def _data_of(files: Mapping[str, str], root: Path) -> dict[str, str]:
    ours = our_folders(root)
    absolute = {os.path.join(root, path): digest for path, digest in files.items()}  # noqa: PTH118 - texts
    return {path: digest for path, digest in absolute.items() if is_data(path, ours)}


def _folder_digest(path: str) -> str:
    """Returns the fingerprint of a folder of which a step read many files; "" where it cannot be had any more."""
    from nbmlops.data.fingerprints.files import fingerprint_file  # noqa: PLC0415 - few steps read so many files

    try:
        return fingerprint_file(path)
    except NbmlopsError:
        return ""
