"""What a run writes for others than the terminal: reports in its folder, and the stream of its events."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from nbmlops.app.running.event_stream import EventStream
from nbmlops.app.running.outcome import RunOutcome
from nbmlops.app.running.progress import Progress
from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import EnvironmentFault, Interrupted, NbmlopsError

STDOUT = "-"


@contextmanager
def event_stream(file: str, pipeline: str) -> Iterator[EventStream | None]:
    """Yields where to tell events to, None if nobody asked; a run that cannot be run is told at the end, too.

    Args:
        file: A file's name, "-" for standard output, "" for none.
        pipeline: What is run, as the user named it.

    Raises:
        EnvironmentFault: the file cannot be written.
        NbmlopsError: the run could not be run; told, and raised again.
        KeyboardInterrupt: likewise.
    """
    if not file:
        yield None
        return
    with ExitStack() as stack:
        try:
            target = sys.stdout if file == STDOUT else stack.enter_context(Path(file).open("w", encoding="utf-8"))
        except OSError as error:
            raise EnvironmentFault(
                f"events cannot be written to {file}: {error.strerror or error}", "name a file in a writable folder"
            ) from error
        stream = EventStream(target)
        stream.begin(pipeline)
        try:
            yield stream
        except KeyboardInterrupt:
            stream.end(None, int(Interrupted.exit_code), "interrupted")
            raise
        except NbmlopsError as error:
            stream.end(None, int(error.exit_code), error.message)
            raise


def both(listener: Callable[[Progress], None], stream: EventStream | None) -> Callable[[Progress], None]:
    """Returns a listener that tells a second one, too."""
    if stream is None:
        return listener

    def tell(event: Progress) -> None:
        stream.tell(event)
        listener(event)

    return tell


def write_report(outcome: RunOutcome, pipeline: str, cwd: Path) -> None:
    """Writes the HTML report, and the verdict as JUnit XML, to the run's folder; a run that executed nothing has none.

    Raises:
        EnvironmentFault: it cannot be written.
    """
    folder = cwd / outcome.record.folder
    if not outcome.record.folder or outcome.reused or not folder.is_dir():
        return
    from nbmlops.app.running.opened import open_pipeline  # noqa: PLC0415 - runs that execute nothing need none of it
    from nbmlops.cli.run_html import REPORT_FILE, run_html  # noqa: PLC0415 - likewise

    text = run_html(outcome, open_pipeline(pipeline, cwd).pipeline, cwd)
    write_atomically(folder / REPORT_FILE, text.encode("utf-8", "backslashreplace"))
    if outcome.verdict is not None:
        from nbmlops.app.judging.gate import GateOutcome  # noqa: PLC0415 - likewise
        from nbmlops.cli.gate_junit import JUNIT_FILE, junit  # noqa: PLC0415 - likewise

        judged = GateOutcome(outcome.record.pipeline, outcome.record.run_id, outcome.verdict)
        write_atomically(folder / JUNIT_FILE, junit(judged))
