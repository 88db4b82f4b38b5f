"""The Python API: what `%mlops` lines call, and what compiled steps call in their place.

The same call is recorded in two places. In a step of a pipeline it goes to the step's log, which the runner sends on;
MLflow is not imported there. Anywhere else it goes to the run of this notebook, which `track` starts.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbmlops.app.data.checks import CheckFailed, May, check_value
from nbmlops.app.logged import checked_name, metric_step, metric_value, plain_value
from nbmlops.app.project import STATE_FOLDER
from nbmlops.app.session.current import current_session, required_session, start_session, stop_session
from nbmlops.app.session.place import Kernel, SessionOptions
from nbmlops.app.session.session import NotebookSession
from nbmlops.app.session.store import open_store
from nbmlops.app.show.views import (
    CheckView,
    DataView,
    FigureView,
    MetricView,
    ParamView,
    PredictionsView,
    StatusView,
    VerdictView,
    VersionView,
)
from nbmlops.core.errors import UsageError
from nbmlops.data.describe import describe
from nbmlops.data.fingerprints.files import fingerprint_file
from nbmlops.data.fingerprints.known_files import KnownFiles
from nbmlops.gate.verdict import Waiver
from nbmlops.pipeline.run_record import MetricValue
from nbmlops.runtime.step import current_step
from nbmlops.runtime.steps.recorder import StepRecorder

if TYPE_CHECKING:
    from nbmlops.app.comparing.diff_view import DiffView
    from nbmlops.app.comparing.runs_view import RunsView
    from nbmlops.app.data.views import DataDiffView
    from nbmlops.app.judging.behaviour_view import BehaviourView
    from nbmlops.app.versions.lineage_views import LineageView, MadeView
    from nbmlops.app.versions.model_card import CardView
    from nbmlops.core.records import Expectation

KNOWN_FILES = f"{STATE_FOLDER}/state/files.json"


def track(  # noqa: PLR0913 - each option of the line
    experiment: str | None = None,
    *,
    notebook: str | Path | None = None,
    name: str | None = None,
    pause: bool = False,
    resume: bool = False,
    stop: bool = False,
    autolog: bool = False,
    figures: bool = False,
) -> StatusView:
    """Returns the run of this notebook, started now or, if one is open, as it is; a paused one goes on.

    A kernel has one run at a time: running the cell again starts no second one. It ends by `stop=True` or when the
    kernel exits. In a step of a pipeline nothing happens: there the runner tracks.

    Args:
        experiment: MLflow's experiment; by default `tracking.experiment` of `nbmlops.toml`, else the notebook's name.
        notebook: Path of this notebook, where the front end does not tell it.
        name: Name of the run; by default the notebook's name and the time.
        pause: Record neither cells nor values until `track` is called again.
        resume: Without an open run, go on with the notebook's last one, which another kernel had, not with a new one.
        stop: End the run.
        autolog: Record what models are trained with, as MLflow's autologging tells it, until the run ends. MLflow is
            imported for that, here. Put it above the first training.
        figures: Keep the figures that cells show, until the run ends.

    Raises:
        UsageError: `stop` or `pause` without a run, `resume` without an earlier one, several of the three, or the open
            run has another experiment or notebook.
        EnvironmentFault: the tracking store cannot be used.
    """
    if _step() is not None:
        return StatusView()
    if pause + resume + stop > 1:
        raise UsageError("pause, resume and stop exclude each other", "ask for one of them")
    if stop:
        return stop_session()
    if pause:
        session = required_session()
        session.pause()
        return session.status()
    options = SessionOptions(experiment, None if notebook is None else Path(notebook), name, resume, autolog, figures)
    return start_session(options, _kernel(), open_store).status()


def data(value: object, name: str, *, context: str = "") -> DataView:
    """Returns the fingerprint of a frame, an array or a file, and logs it as an input of the run.

    Args:
        value: A frame, an array, or the path of a file.
        name: The name to log it under.
        context: What it is used for, such as "training".

    Raises:
        UsageError: no run is tracked, the name cannot be used, or the value cannot be fingerprinted.
    """
    recorder = _recorder()
    # A step reads every file anew: what it reads is part of what its results depend on.
    digest_of = fingerprint_file if _step() is not None else KnownFiles(recorder.root / KNOWN_FILES).digest
    record = describe(value, checked_name(name, "data input"), context, digest_of)
    recorder.data(record)
    return DataView(record)


def diff(before: object, after: object) -> DataDiffView:
    """Returns what changed between two versions of some data: names and types, rows, and how far each column moved.

    Args:
        before: A frame; or as a text a file, `NAME` or `NAME~1` (the version before) of logged data, or `RUN:NAME`.
        after: Likewise.

    Raises:
        UsageError: there is no such data.
        EnvironmentFault: a file or the tracking store cannot be read.
    """
    from nbmlops.app.data.diff import diff_values, project_versions  # noqa: PLC0415  # only who asks needs it
    from nbmlops.app.data.views import DataDiffView  # noqa: PLC0415  # likewise

    session = current_session()
    versions = project_versions(Path.cwd()) if session is None else session.versions(Path.cwd())
    return DataDiffView(diff_values(before, after, versions))


def lineage(subject: str = "", *, data: object = None, commit: str = "") -> LineageView | MadeView:
    """Returns where a run or a model version comes from, or what was made from some data or a commit.

    Args:
        subject: `MODEL`, `MODEL@alias`, `MODEL/version` or a run's id; "" for the run of this notebook.
        data: A frame, a fingerprint, a file, or the name that data was logged as.
        commit: A commit's id, or what git knows it as.

    Raises:
        UsageError: there is no such thing, or more than one was asked for.
        EnvironmentFault: a file or the tracking store cannot be read.
    """
    from nbmlops.app.session.asked_stores import asked_stores  # noqa: PLC0415  # likewise
    from nbmlops.app.versions import lineage as stories  # noqa: PLC0415  # only who asks needs it
    from nbmlops.app.versions.lineage_views import LineageView, MadeView  # noqa: PLC0415  # likewise

    if bool(subject) + (data is not None) + bool(commit) > 1:
        raise UsageError("a model or run, data and a commit exclude each other", "ask one of them at a time")
    session = current_session()
    if session is not None and not subject and data is None and not commit:
        return LineageView(session.story())
    with asked_stores(session) as opener:
        if data is not None:
            text = data if isinstance(data, str) else describe(data, "data").digest
            return MadeView(stories.made_from_data(text, Path.cwd(), opener))
        if commit:
            return MadeView(stories.made_from_commit(commit, Path.cwd(), opener))
        return LineageView(stories.lineage_of(subject, Path.cwd(), opener))


def compare(before: str = "", after: str = "") -> DiffView:
    """Returns what differs between two runs or model versions: parameters, metrics, data, code, environment.

    Args:
        before: `MODEL`, `MODEL@alias`, `MODEL/version` or a run's id; "" for the project's model, its champion.
        after: Likewise; "" for the run of this notebook.

    Raises:
        UsageError: one of them does not exist, or no run is tracked.
        EnvironmentFault: the tracking store cannot be read.
    """
    from nbmlops.app.comparing.diff import diff_of  # noqa: PLC0415  # likewise
    from nbmlops.app.comparing.diff_view import DiffView  # noqa: PLC0415  # likewise
    from nbmlops.app.session.asked_stores import asked_stores  # noqa: PLC0415  # only who asks needs it

    session = current_session() if after else required_session()
    with asked_stores(session) as opener:
        newer = after or required_session().story()
        return DiffView(diff_of(before, newer, Path.cwd(), opener))


def card(model: str = "", *, store: bool = False) -> CardView:
    """Returns the card of a model version, as Markdown and HTML; what nobody told is shown as missing.

    Args:
        model: `MODEL`, `MODEL@alias` or `MODEL/version`; "" for the project's only model.
        store: Keep it with the version.

    Raises:
        UsageError: there is no such model, version or alias.
        EnvironmentFault: the tracking store cannot be used.
    """
    from nbmlops.app.session.asked_stores import asked_stores  # noqa: PLC0415  # only who asks needs it
    from nbmlops.app.versions.model_card import model_card  # noqa: PLC0415  # likewise

    with asked_stores(current_session()) as opener:
        return model_card(model, Path.cwd(), store=store, opener=opener)


def runs(scope: str = "", *, sort: str = "started", reverse: bool = False, most: int = 50) -> RunsView:
    """Returns recent runs beside each other: parameters, metrics, the gate's answers, which is champion.

    Args:
        scope: A pipeline, a notebook or an experiment; "" for the runs of this notebook, or of the project.
        sort: A metric (the best first), a parameter, "started", "seconds" or "name".
        reverse: The other way round.
        most: How many runs, the newest ones.

    Raises:
        UsageError: there are no such runs, or they have nothing of the name to sort by.
        EnvironmentFault: the tracking store cannot be read.
    """
    from nbmlops.app.comparing.runs import RunsQuery, compare_runs  # noqa: PLC0415  # likewise
    from nbmlops.app.comparing.runs_view import RunsView  # noqa: PLC0415  # likewise
    from nbmlops.app.session.asked_stores import asked_stores  # noqa: PLC0415  # only who asks needs it

    session = current_session()
    query = RunsQuery(scope or (session.scope if session is not None else ""), sort, reverse, most)
    with asked_stores(session) as opener:
        return RunsView(compare_runs(query, Path.cwd(), opener))


def check(value: object, schema: str, *, update: bool = False) -> CheckView:
    """Returns the outcome of validating a frame against the schema file `schemas/<schema>.yaml` of the project.

    In a notebook a missing schema is inferred from the frame and written, to be reviewed and committed. A step of a
    pipeline never writes one.

    Args:
        value: The frame.
        schema: Name of the schema.
        update: In a notebook, widen the rules that the frame breaks, in the file, instead of failing.

    Raises:
        CheckFailed: the frame breaks the schema; the message names rules and rows.
        UsageError: no run is tracked, the schema file is broken, or it is missing in a pipeline.
    """
    step = _step()
    recorder = step if step is not None else required_session()
    may = May.READ if step is not None else May.WIDEN if update else May.INFER
    view = check_value(value, schema, recorder.root, may)
    recorder.check(view.record)
    if not view.passed:
        raise CheckFailed(view.record)
    return view


def param(name: str, value: object) -> ParamView:
    """Returns the parameter as it was logged.

    Args:
        name: Its name.
        value: A plain value: number, text, True, False, None, or a list or dict of those.

    Raises:
        UsageError: no run is tracked, name or value cannot be logged, or the run has another value already.
    """
    recorder = _recorder()
    plain = plain_value(checked_name(name, "parameter"), value)
    recorder.param(name, plain)
    return ParamView(name, plain)


def metric(name: str, value: object, *, step: int = 0) -> MetricView:
    """Returns the metric as it was logged.

    Args:
        name: Its name.
        value: One number; NaN and infinities are values (and fail any rule of the gate).
        step: Position in a series, for metrics that are logged more than once.

    Raises:
        UsageError: no run is tracked, or name, value or step cannot be logged.
    """
    recorder = _recorder()
    number = metric_value(checked_name(name, "metric"), value)
    recorder.metric(MetricValue(name, number, metric_step(name, step)))
    return MetricView(name, number, step)


def figure(name: str, value: object) -> FigureView:
    """Returns the figure as it was logged: `figures/NAME` with a suffix among the run's artifacts.

    Args:
        name: Its name.
        value: A figure or axes of matplotlib, a figure of plotly or altair, an image, or the path of a picture. Secrets
            in pixels are not found.

    Raises:
        UsageError: no run is tracked, the name cannot be used, or the value is no figure.
        EnvironmentFault: its file cannot be written.
    """
    from nbmlops.app.figures import log_figure  # noqa: PLC0415  # only who asks needs it

    recorder = _recorder()
    record, size = log_figure(value, checked_name(name, "figure"), recorder.root)
    recorder.artifact(record)
    return FigureView(record, size)


def predictions(  # noqa: PLR0913 - what is known of held-out rows, each by its name
    values: object,
    *,
    truth: object,
    features: object = None,
    rows: object = None,
    slices: object = None,
    threshold: float | None = None,
    training: object = None,
    model: object = None,
    name: str = "held_out",
) -> PredictionsView:
    """Returns the predictions on held-out rows as they were logged, for rules that compare models row by row.

    Args:
        values: For each row a score (of the positive class), a number or a label.
        truth: What was right, row by row.
        features: The frame that the model predicted from; kept with the run, so that a champion can be asked as well.
        rows: What tells rows apart, such as a column of ids; by default the features.
        slices: A frame of columns to make slices by, beside the features.
        threshold: From which score a row counts as positive.
        training: The rows that were trained on, to count held-out rows among them.
        model: The fitted model, to measure its size and how long one answer takes.
        name: The name to log them under.

    Raises:
        UsageError: no run is tracked, lengths differ, or rows cannot be told apart.
        EnvironmentFault: their file cannot be written.
    """
    from nbmlops.app.judging.predictions import Given, log_predictions  # noqa: PLC0415  # only who asks needs it

    recorder = _recorder()
    given = Given(values, truth, features, rows, slices, threshold, training, model)
    record, held = log_predictions(given, checked_name(name, "set of predictions"), recorder.root)
    recorder.predictions(record)
    return PredictionsView(record, tuple(held.columns.columns), dict(held.facts))


def test(*tests: object, **values: object) -> BehaviourView:
    """Returns how behaviour tests ended, as they were logged; one that fails does not raise: the gate judges it.

    A test is a function `test_...` that takes values by the names of its parameters, and fails by an assertion, by any
    other error, or by `invariance` and `directional`. A cell tagged `test` calls this for its own.

    Args:
        tests: Functions, or modules whose functions `test_...` are meant.
        values: What they may ask for, by name.

    Raises:
        UsageError: no run is tracked, there is no test, or two have one name.
    """
    from nbmlops.app.judging.behaviour import run_tests  # noqa: PLC0415  # only who asks needs it
    from nbmlops.app.judging.behaviour_view import BehaviourView  # noqa: PLC0415  # likewise

    recorder = _recorder()
    records = run_tests(tests, values)
    recorder.tests(records)
    return BehaviourView(records)


def invariance(before: object, after: object, *, within: float = 0.0, allowed: float = 0.0) -> Expectation:
    """Returns on how many rows predictions changed though they should not; in a behaviour test it must hold.

    For example `invariance(model.predict(X), model.predict(X.assign(carrier="AA")), allowed=0.01)`.

    Args:
        before: For each row what the model says: a number, a label, or a row of probabilities.
        after: The same for rows that were changed in a way that should not matter.
        within: How far a number may move.
        allowed: Which share of rows, from 0 to 1, may break it.

    Raises:
        UsageError: there are no rows, not as many on both sides, or a bound makes no sense.
    """
    from nbmlops.app.judging.behaviour import state  # noqa: PLC0415  # only who asks needs it
    from nbmlops.data.held_out import expectations  # noqa: PLC0415  # likewise

    return state(expectations.invariance(before, after, within, allowed))


def directional(before: object, after: object, towards: str, *, by: float = 0.0, allowed: float = 0.0) -> Expectation:
    """Returns on how many rows predictions did not move the way they should; in a behaviour test it must hold.

    Args:
        before: For each row the number that the model says.
        after: The same for rows that were changed in a way that should move it.
        towards: "up" or "down".
        by: How far each has to move at least; 0 lets it stay, less than 0 lets it move the other way by that much.
        allowed: Which share of rows, from 0 to 1, may break it.

    Raises:
        UsageError: there are no rows, not as many on both sides, they are no numbers, or a bound makes no sense.
    """
    from nbmlops.app.judging.behaviour import state  # noqa: PLC0415  # only who asks needs it
    from nbmlops.data.held_out import expectations  # noqa: PLC0415  # likewise

    return state(expectations.directional(before, after, towards, by, allowed))


def gate(*, waive: Sequence[str] = (), reason: str = "", by: str = "") -> VerdictView:
    """Returns the verdict of the project's rules on this run, and stores it with the run.

    A failing verdict is shown and does not fail the cell; `register` then refuses.

    Args:
        waive: Names of rules that this run may break. The verdict, the run and the version tell so for ever.
        reason: Why it may.
        by: Who answers for that.

    Raises:
        UsageError: no run is tracked, or a waiver is about no rule, gives no reason or names nobody.
        EnvironmentFault: the tracking store cannot be used.
    """
    names = [waive] if isinstance(waive, str) else waive
    return _closing("gate").gate([Waiver(rule, reason, by) for rule in names])


def register(model: object, *, data: object, name: str | None = None) -> VersionView:
    """Returns the registered version of the model; the gate must have passed on the metrics as they are now.

    Registering the same model of the same run again gives the same version.

    Args:
        model: The fitted model.
        data: The frame of features it was trained on: signature, schema and profile are stored with the version.
        name: Name in the registry; by default `model_name` of `nbmlops.toml`, else the notebook's name.

    Raises:
        GateRejected: there is no passing verdict.
        UsageError: no run is tracked.
        EnvironmentFault: the tracking store cannot be used.
    """
    return _closing("register").register(model, data, name)


def status() -> StatusView:
    """Returns what this session has recorded and where it goes; it works without a run as well."""
    session = current_session()
    return session.status() if session is not None else StatusView()


def _recorder() -> StepRecorder | NotebookSession:
    """Returns where to record: the step that runs, else the notebook's run."""
    step = _step()
    return step if step is not None else required_session()


def _step() -> StepRecorder | None:
    return current_step()


def _closing(call: str) -> NotebookSession:
    if _step() is not None:
        raise UsageError(
            f"nbmlops.{call}() was called inside a step; a pipeline judges and registers after its steps",
            f"write it as `%mlops {call}` in a cell of its own and compile the notebook again",
        )
    return required_session()


def _shell() -> Any:
    """Returns the running IPython, or None; IPython is not imported for that."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None


def _kernel() -> Kernel:
    shell = _shell()
    if shell is None:
        return Kernel(vars(sys.modules["__main__"]))
    cells = tuple(shell.history_manager.input_hist_raw)
    return Kernel(shell.user_ns, cells, "nbmlops" in shell.extension_manager.loaded, shell)
