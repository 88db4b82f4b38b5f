"""Comparing two versions of data: frames at hand, files, or what runs have logged, of which nobody needs the data."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.app.config.config import load_config
from nbmlops.app.project import find_root, pipeline_names
from nbmlops.app.wiring import open_existing, tracking_uri
from nbmlops.core.errors import UsageError
from nbmlops.core.records import DataRecord
from nbmlops.data.describe import describe
from nbmlops.data.fingerprints.fingerprint import is_frame
from nbmlops.data.profiles.diff import DataDiff, diff_records
from nbmlops.data.reading import read_frame
from nbmlops.tracking.tracker import Tracker

_REFERENCE = re.compile(r"(?P<name>.+?)(?:~(?P<back>\d{1,4}))?")
_RUN = re.compile(r"(?P<run>[0-9a-f]{32})(?::(?P<name>.+))?")
HINT = "name a file, NAME or NAME~1 (the version before) as logged by `%mlops data`, or RUN:NAME"


class DataComparison(Struct, frozen=True):
    """What changed between two versions, or between all data of two runs.

    Attributes:
        diffs: One for each pair.
        alone: (name, "before" or "after") of data that only one of two runs has.
    """

    diffs: tuple[DataDiff, ...]
    alone: tuple[tuple[str, str], ...] = ()


class Versions:
    """Finds what a text means: a file, or data that a run logged.

    Args:
        tracker: Gives the tracking store; asked only for what is no file.
        experiments: Whose runs are looked through for a name.
        cwd: The folder that paths count from.
        own: What the open run has logged, which counts as the newest.
    """

    def __init__(
        self,
        tracker: Callable[[], Tracker],
        experiments: Sequence[str],
        cwd: Path,
        own: Sequence[DataRecord] = (),
    ) -> None:
        self._tracker, self._experiments, self._cwd, self._own = tracker, experiments, cwd, own

    def find(self, text: str) -> DataRecord:
        """Returns the record of the data that a text names.

        Raises:
            UsageError: there is no such data.
            EnvironmentFault: a file or the tracking store cannot be read.
        """
        reference = _REFERENCE.fullmatch(text)
        if reference is None:
            raise UsageError("an empty text names no data", HINT)
        path = self._cwd / text
        if path.exists():
            return self._of_file(path, text)
        run = _RUN.fullmatch(text)
        if run is not None and run["name"]:
            return self._of_run(run["run"], run["name"])
        return self._logged(reference["name"], int(reference["back"] or 0))

    def of_run(self, run_id: str) -> tuple[DataRecord, ...]:
        """Returns everything that a run logged.

        Raises:
            UsageError: there is no such run.
            EnvironmentFault: the tracking store cannot be read.
        """
        return self._tracker().run_data(run_id)

    def _of_file(self, path: Path, text: str) -> DataRecord:
        frame = read_frame(path)
        return describe(path if frame is None else frame, text)

    def _of_run(self, run_id: str, name: str) -> DataRecord:
        records = {record.name: record for record in self.of_run(run_id)}
        if name not in records:
            raise UsageError(
                f"run {run_id} logged no data named {name!r}", f"it logged: {', '.join(records) or 'nothing'}"
            )
        return replace(records[name], name=f"{run_id[:8]}:{name}")

    def _logged(self, name: str, back: int) -> DataRecord:
        own = [record for record in self._own if record.name == name]
        known = {record.digest: record for record in own}
        if back >= len(known):
            tracker = self._tracker()
            # The user may have named an experiment that no file knows.
            for record in tracker.data_versions(self._experiments, name) or tracker.data_versions((), name):
                known.setdefault(record.digest, record)
        versions = list(known.values())
        if not versions:
            raise UsageError(f"there is no file and no logged data named {name!r}", HINT)
        if back >= len(versions):
            count = f"{len(versions)} version{'' if len(versions) == 1 else 's'}"
            raise UsageError(f"only {count} of {name!r} were logged, so there is no {name}~{back}", HINT)
        return replace(versions[back], name=f"{name}~{back}" if back else name)


def diff_in_project(before: str, after: str, cwd: Path) -> DataComparison:
    """Returns what changed between two files, two logged versions, or all data of two runs.

    Args:
        before: A file, `NAME`, `NAME~1`, `RUN:NAME`, or a run's id.
        after: Likewise; two runs are compared name by name.
        cwd: The folder that relative paths count from.

    Raises:
        UsageError: one of them does not exist.
        ConfigError: the configuration is malformed.
        EnvironmentFault: a file or the tracking store cannot be read.
    """
    versions = project_versions(cwd)
    runs = [_RUN.fullmatch(text) for text in (before, after)]
    if all(run is not None and not run["name"] for run in runs):
        return _diff_runs(versions.of_run(before), versions.of_run(after))
    return DataComparison((diff_records(versions.find(before), versions.find(after)),))


def project_versions(cwd: Path) -> Versions:
    """Returns what the runs of a project's pipelines and notebooks can be compared by.

    Args:
        cwd: The folder that relative paths count from, in the project.

    Raises:
        ConfigError: the configuration is malformed.
    """
    root = find_root(cwd)
    config = load_config(root)
    settings = [config.for_pipeline(name) for name in ("", *pipeline_names(root))]
    experiments = tuple(dict.fromkeys(one.experiment or root.name for one in settings))

    def tracker() -> Tracker:
        return open_existing(root, tracking_uri(root, settings[0])).tracker

    return Versions(tracker, experiments, cwd)


def _diff_runs(before: Sequence[DataRecord], after: Sequence[DataRecord]) -> DataComparison:
    old, new = ({record.name: record for record in side} for side in (before, after))
    diffs = tuple(diff_records(old[name], new[name]) for name in old if name in new)
    alone = [(name, "before") for name in old if name not in new] + [(name, "after") for name in new if name not in old]
    return DataComparison(diffs, tuple(alone))


def diff_values(before: object, after: object, versions: Versions) -> DataDiff:
    """Returns what changed between two frames, or what texts name.

    Raises:
        UsageError: one of them is neither a frame nor the name of known data.
        EnvironmentFault: a file or the tracking store cannot be read.
    """
    records = [_record(value, name, versions) for value, name in ((before, "before"), (after, "after"))]
    return diff_records(*records)


def _record(value: object, name: str, versions: Versions) -> DataRecord:
    if isinstance(value, str):
        return versions.find(value)
    if is_frame(value) or hasattr(value, "to_frame"):
        return describe(value, name)
    raise UsageError(f"a value of type {type(value).__name__} cannot be compared", f"give two frames, or {HINT}")
