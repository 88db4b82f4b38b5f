"""What a notebook's run belongs to: project, notebook, settings, store. Found out once, when the run starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from nbmlops.analysis.closing import closing_names, registered_name
from nbmlops.app.config.config import PipelineConfig, load_config
from nbmlops.app.project import find_root
from nbmlops.app.session.kernel_notebook import UNKNOWN_HINT, locate_notebook
from nbmlops.app.session.parameter_cells import parameter_names
from nbmlops.app.wiring import relative_uri, tracking_uri
from nbmlops.core.errors import UsageError
from nbmlops.core.secret_settings import know_secrets
from nbmlops.notebook.digests import notebook_digest
from nbmlops.notebook.reader import read_notebook
from nbmlops.pipeline.run_record import Lineage
from nbmlops.tracking.environment import GitState, git_state

_END_FIRST = "end it first with `%mlops track --stop`, then track again"


class SessionOptions(Struct, frozen=True):
    """What the user says when tracking starts; None where nbmlops finds out.

    Attributes:
        experiment: MLflow's experiment.
        notebook: Path of the notebook.
        name: The run's name.
        resume: Go on with the notebook's last run, which another kernel had, instead of a new one.
        autolog: Record what is trained, as MLflow's autologging tells it.
        figures: Keep the figures that cells show.
    """

    experiment: str | None = None
    notebook: Path | None = None
    name: str | None = None
    resume: bool = False
    autolog: bool = False
    figures: bool = False


class Kernel(Struct, frozen=True):
    """The interpreter that a session runs in.

    Attributes:
        namespace: Its variables, live.
        cells: Sources of the cells that have run, the running one included.
        follows_cells: Whether hooks report when cells start and end.
        shell: IPython's, None outside of it.
    """

    namespace: Mapping[str, object]
    cells: tuple[str, ...] = ()
    follows_cells: bool = False
    shell: Any = None


class SessionPlace(Struct, frozen=True):
    """Where a run belongs.

    Attributes:
        root: The project's root.
        name: The pipeline name of the notebook; "" when the notebook is not known.
        notebook: The notebook relative to the root, with "/"; "" when it is not known.
        notebook_digest: SHA-256 over what compiling reads of it, or "".
        parameters: Names that its parameters cell binds.
        registered_name: What its `%mlops register` line says with `--name`, or "".
        config: The settings that hold for it.
        tracking_uri: Where runs are stored.
        git: The repository's state.
        metrics: Metric -> variable whose value it is, by the settings and by the notebook's tags.
    """

    root: Path
    name: str
    notebook: str
    notebook_digest: str
    parameters: tuple[str, ...]
    registered_name: str
    config: PipelineConfig
    tracking_uri: str
    git: GitState
    metrics: Mapping[str, str] = field(default_factory=dict)

    @property
    def experiment(self) -> str:
        """MLflow's experiment unless the user names another: as configured, else the notebook's, else the folder's."""
        return self.config.experiment or self.root.name

    @property
    def shown_uri(self) -> str:
        """The store without password, a file of the project without the folders of this machine."""
        return relative_uri(self.tracking_uri, self.root)

    def lineage(self, run_id: str, data: Mapping[str, str] | None = None) -> Lineage:
        """Returns where the results of a run come from.

        Args:
            run_id: The run, "" before it has started.
            data: Logged name -> fingerprint of its inputs.
        """
        return Lineage(run_id, str(self.git), data or {}, self.notebook_digest)

    def notes(self) -> tuple[str, ...]:
        """Returns what the user should know of it."""
        unknown = f"which notebook this is cannot be found out here: {UNKNOWN_HINT}"
        return () if self.notebook else (unknown,)

    def check_same_notebook(self, other: SessionPlace) -> None:
        """Refuses another notebook than the one that the run belongs to.

        Raises:
            UsageError: it is another one.
        """
        if self.notebook not in {"", other.notebook}:
            raise UsageError(f"the run of this session belongs to {self.notebook}, not to {other.notebook}", _END_FIRST)

    def model_name(self, given: str | None) -> str:
        """Returns the name to register under: as configured, else as given, else the notebook's.

        Args:
            given: What `%mlops register --name` says, or None.

        Raises:
            UsageError: nothing names it.
        """
        name = self.config.model_name or given or self.registered_name or self.name
        if not name:
            raise UsageError(
                "the notebook is not known, and so its model has no name", f"{UNKNOWN_HINT}, or use --name"
            )
        return name


def check_same_run(options: SessionOptions, experiment: str, name: str) -> None:
    """Refuses options that contradict the run that is open.

    Args:
        options: What the user says on resuming.
        experiment: That of the run.
        name: Likewise.

    Raises:
        UsageError: the run has another experiment or name.
    """
    for option, wanted, has in (("experiment", options.experiment, experiment), ("name", options.name, name)):
        if wanted is not None and wanted != has:
            raise UsageError(f"the run of this session has {option} {has!r}, not {wanted!r}", _END_FIRST)


def find_place(options: SessionOptions, kernel: Kernel) -> SessionPlace:
    """Returns where a run that starts now belongs.

    Raises:
        UsageError: the given notebook is not a notebook file.
        ConfigError: the settings are malformed.
    """
    path = locate_notebook(options.notebook, kernel.namespace, os.environ, kernel.cells)
    root = find_root(path if path is not None else Path())
    notebook = read_notebook(path) if path is not None else None
    name = notebook.name if notebook is not None else ""
    config = load_config(root).for_pipeline(name)
    know_secrets(config.secrets, config.tracking_uri)
    return SessionPlace(
        root=root,
        name=name,
        notebook=Path(os.path.relpath(path, root)).as_posix() if path is not None else "",
        notebook_digest=notebook_digest(notebook) if notebook is not None else "",
        parameters=parameter_names(notebook) if notebook is not None else (),
        registered_name=registered_name(notebook) if notebook is not None else "",
        config=config,
        tracking_uri=tracking_uri(root, config),
        git=git_state(root, () if path is None else (path,)),
        metrics={**(closing_names(notebook).metrics if notebook is not None else {}), **config.metrics},
    )
