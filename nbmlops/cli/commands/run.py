"""`nbmlops run`."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import FrameType

import click

from nbmlops.app.running.run import RunRequest, run
from nbmlops.cli.console import show, show_error, stray_output
from nbmlops.cli.options import JSON, emit, format_option
from nbmlops.cli.progress import Listener, progress
from nbmlops.cli.render_run import run_blocks
from nbmlops.cli.run_documents import run_document
from nbmlops.cli.run_files import STDOUT, both, event_stream, write_report
from nbmlops.core.errors import EnvironmentFault, Terminated, UsageError
from nbmlops.core.interrupts import careful_interrupts, comes_later

HELP = """\
Run a compiled pipeline: its steps with papermill, then the gate, then the registration of the model. PIPELINE is its
folder or its name. Steps whose code, parameters, inputs and files are unchanged are not executed again. What happened
is left in runs/PIPELINE/: the executed notebooks with their plots, run.json, verdict.json and gate.xml (JUnit).

With several values of a parameter, or a sweep file, every point is a run of its own, steps in common are executed
once, and the best point goes through the gate to the registry.

\b
Examples:
  nbmlops run pipelines/churn
  nbmlops run churn -p max_depth=8 -p 'columns=["age", "plan"]'
  nbmlops run churn -p max_depth=3,5,8 -p rate=0.05,0.1
  nbmlops run churn --sweep sweep.toml --best auc
  nbmlops run churn --from train --no-register
  nbmlops run churn --format json > run.json
  nbmlops run churn --events events.jsonl
  nbmlops run churn --store s3://team-bucket/nbmlops
  nbmlops run churn --store s3://team-bucket/nbmlops --executor dask://scheduler:8786

Exit codes: 1 a step failed, 3 the gate rejected the run, 130 interrupted (the next run resumes).
"""


@click.command(name="run", help=HELP, short_help="Run a compiled pipeline: steps, gate, registration.")
@click.argument("pipeline")
@click.option(
    "-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Set a parameter; repeatable."
)
@click.option("--force", is_flag=True, help="Execute every step, cached or not.")
@click.option("--from", "from_step", default="", metavar="STEP", help="Execute this step and those that need it.")
@click.option("--to", "to_step", default="", metavar="STEP", help="Stop after this step; no gate, no registration.")
@click.option(
    "--only",
    multiple=True,
    metavar="STEP",
    help="Execute this step and no other, over what earlier runs left; repeatable. For engines: track and judge later.",
)
@click.option(
    "--in-order",
    is_flag=True,
    help="With --only: execute earlier steps first that have no results and are not known to leave it alone.",
)
@click.option("--once", is_flag=True, help="Do not try a step again that failed: the engine does that.")
@click.option("--no-register", is_flag=True, help="Judge, but register nothing; for pull requests.")
@click.option("--judge", is_flag=True, help="Judge again even if no step was executed.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Run up to N independent steps at once; default: the number of cores. 1 runs them in notebook order.",
)
@click.option(
    "--memory", default="", metavar="SIZE", help="What they may take together, such as 8GiB; default: what is free."
)
@click.option("--cold", is_flag=True, help="Start the process of each step from nothing.")
@click.option(
    "--store",
    default="",
    metavar="URL",
    help="Share results with others: s3://BUCKET/PREFIX, file:///FOLDER, a folder.",
)
@click.option(
    "--executor",
    default="",
    metavar="WHERE",
    help="Execute the steps on a Dask cluster: dask (on this machine), dask://HOST:PORT (needs --store).",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Stop a step that takes longer and has no limit of its own.",
)
@click.option("--strict", is_flag=True, help="Exceptions in threads and tasks nobody awaited make a step fail.")
@click.option(
    "--sweep", "sweep_file", default="", metavar="FILE", help="Run at the points that a sweep file describes."
)
@click.option("--best", default="", metavar="METRIC[:higher|lower]", help="What is best; default: the first rule's.")
@click.option("--events", default="", metavar="FILE", help="Write every event as a line of JSON; - for stdout.")
@format_option
def command(  # noqa: PLR0913, PLR0917 - one for each option
    pipeline: str,
    parameters: tuple[str, ...],
    force: bool,
    from_step: str,
    to_step: str,
    only: tuple[str, ...],
    in_order: bool,
    once: bool,
    no_register: bool,
    judge: bool,
    timeout: float | None,
    strict: bool,
    cold: bool,
    jobs: int | None,
    memory: str,
    store: str,
    executor: str,
    sweep_file: str,
    best: str,
    events: str,
    output: str,
) -> int:
    """Runs the pipeline; returns the exit code.

    Raises:
        NbmlopsError: it cannot be run; `main` shows it.
        UsageError: an option belongs to a sweep, and this is none, or the other way round.
    """
    request = RunRequest(
        pipeline=pipeline,
        cwd=Path.cwd(),
        parameters=parameters,
        force=force,
        from_step=from_step,
        to_step=to_step,
        only=only,
        in_order=in_order,
        once=once,
        register=not no_register,
        judge=judge,
        timeout=timeout,
        strict=strict,
        cold=cold,
        jobs=jobs or 0,
        memory=memory,
        store=store,
        executor=executor,
    )
    if only and sweep_file:
        raise UsageError("--only and --sweep exclude each other", "name the point: -p NAME=VALUE")
    if sweep_file or (not only and any("," in text for text in parameters)):
        from nbmlops.cli.sweep import run_sweep  # noqa: PLC0415 - most runs are none

        code = run_sweep(request, sweep_file, best, output)
        if code is not None:
            return code
    elif best:
        raise UsageError("--best is about a sweep", "give a parameter several values: -p NAME=VALUE,VALUE")
    if events == STDOUT and output == JSON:
        raise UsageError("stdout takes one document or the events", "write the events to a file: --events FILE")
    with event_stream(events, pipeline) as stream:
        with working() as listener:
            outcome = run(request, both(listener, stream))
        if stream is not None:
            stream.end(outcome.record, int(outcome.exit_code), outcome.fault.message if outcome.fault else "")
    try:
        write_report(outcome, pipeline, request.cwd)
    except EnvironmentFault as error:  # the run itself is what it is
        show_error(error)
    if events == STDOUT:
        show(run_blocks(outcome), stderr=True)
    else:
        emit(output, lambda: run_document(outcome), lambda: run_blocks(outcome))
    if outcome.fault is not None:
        show_error(outcome.fault)
    return int(outcome.exit_code)


@contextmanager
def working() -> Iterator[Listener]:
    """Yields what a run tells its events to, while nothing else gets to stdout and SIGTERM ends it in order."""
    with careful_interrupts(), termination_as_exception(), progress() as listener, redirect_stdout(stray_output()):
        yield listener


@contextmanager
def termination_as_exception() -> Iterator[None]:
    """Makes SIGTERM, which CI systems send, an exception like that of Ctrl-C, so that the run is closed in order."""

    def terminate(number: int, frame: FrameType | None) -> None:
        if not comes_later(number, frame):
            raise Terminated("terminated")

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
