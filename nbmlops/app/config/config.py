"""The project's settings: `nbmlops.toml` (or `[tool.nbmlops]` of `pyproject.toml`) read, checked, lowered to records.

Comes in: the text of one file. Goes out: a `Config`, and for one pipeline a `PipelineConfig` with the gate's `Policy`.
A missing file is no fault: the defaults hold, and only commands that need rules ask for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field

from nbmlops.app.config.demands import demands_of, faults_of_demands
from nbmlops.app.config.document import ConfigDocument, PipelineTable
from nbmlops.app.config.faults import Fault, render_faults
from nbmlops.app.config.rules import faults_of_rules, rule_of
from nbmlops.app.config.toml_lines import KeyPath, key_lines
from nbmlops.app.config.toml_tables import read_table
from nbmlops.app.config.toml_text import parse_toml, read_text
from nbmlops.app.project import CONFIG_FILE
from nbmlops.core.errors import ConfigError
from nbmlops.core.secret_settings import SecretSettings
from nbmlops.gate.policy import Policy
from nbmlops.pipeline.demands import Demands

PYPROJECT = "pyproject.toml"
_PYPROJECT_PREFIX: KeyPath = ("tool", "nbmlops")

RULE_TO_PASTE = """\
[[gate.rules]]
name = "auc floor"
metric = "auc"
min = 0.70
reason = "below this nobody would use it"
"""


class PipelineConfig(Struct, frozen=True):
    """The settings of one pipeline: the project's, with those of `[pipelines.NAME]` merged over.

    Attributes:
        name: The pipeline's name.
        tracking_uri: As configured, or "".
        experiment: Name of the MLflow experiment; by default the pipeline's name.
        promote_on_pass: Whether a passing version becomes champion at once.
        policy: The gate's rules.
        metrics: Metric name -> notebook name, for notebooks without `%mlops metric` lines.
        model: Notebook name of the model, or "".
        data: Notebook name of the frame of features that the model was trained on, or "".
        model_name: Name in the registry, as configured; "" leaves it to the notebook (or the pipeline's name).
        file: The file that the settings come from, or "" for defaults.
        demands: Tries, time and resources of its steps; when it runs, and with which secrets.
        store: The shared store, as configured, or "".
        jobs: How many steps may run at once; 0 for as many as there are cores.
        memory: What they may take together, such as "8GiB"; "" for what is free.
        warm: Whether their processes may be forked from one that has their imports.
        notebook: What of notebooks is kept with runs; None for step notebooks whole, a notebook's own run stripped.
        secrets: What looks like a secret and is none, and the other way round.
        autolog: Whether MLflow's autologging follows what notebook and steps train.
        figures: Whether the figures that a notebook's cells show are kept with its run.
    """

    name: str
    tracking_uri: str
    experiment: str
    promote_on_pass: bool
    policy: Policy
    metrics: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    data: str = ""
    model_name: str = ""
    file: str = ""
    demands: Demands = field(default_factory=Demands)
    store: str = ""
    jobs: int = 0
    memory: str = ""
    warm: bool = True
    notebook: Literal["whole", "stripped", "no"] | None = None
    secrets: SecretSettings = field(default_factory=SecretSettings)
    autolog: bool = False
    figures: bool = False


class Config(Struct, frozen=True):
    """The project's settings as the file has them; `file` is its name under the root, or "" when there is none."""

    root: Path
    file: str
    document: ConfigDocument

    def for_pipeline(self, name: str) -> PipelineConfig:
        """Returns the settings of one pipeline: its own over those of the project, rule by rule (by name)."""
        base = self.document
        own = base.pipelines.get(name, PipelineTable())
        rules = {rule.name: rule for rule in map(rule_of, base.gate.rules)}
        rules.update({rule.name: rule for rule in map(rule_of, own.gate.rules)})
        promote = own.registry.promote_on_pass
        return PipelineConfig(
            name=name,
            tracking_uri=own.tracking.uri or base.tracking.uri or "",
            experiment=own.tracking.experiment or base.tracking.experiment or name,
            promote_on_pass=bool(base.registry.promote_on_pass if promote is None else promote),
            policy=Policy(tuple(rules.values())),
            metrics=dict(own.metrics),
            model=own.model or "",
            data=own.data or "",
            model_name=own.model_name or "",
            file=self.file,
            demands=demands_of(base.steps, own),
            store=own.run.store or base.run.store or "",
            jobs=own.run.jobs or base.run.jobs or 0,
            memory=own.run.memory or base.run.memory or "",
            warm=base.run.warm is not False if own.run.warm is None else own.run.warm,
            notebook=own.tracking.notebook or base.tracking.notebook,
            autolog=bool(base.tracking.autolog if own.tracking.autolog is None else own.tracking.autolog),
            figures=bool(base.tracking.figures if own.tracking.figures is None else own.tracking.figures),
            secrets=SecretSettings(
                frozenset(base.redaction.allow), frozenset((*base.redaction.variables, *own.secrets))
            ),
        )


def load_config(root: Path) -> Config:
    """Returns the settings of the project at `root`; defaults when it has no settings.

    Raises:
        ConfigError: the file is malformed, or holds unknown keys or wrong values; the message names every one of them
            with file, line and key.
        EnvironmentFault: the file is there but cannot be read.
    """
    own = root / CONFIG_FILE
    text = read_text(own)
    shared = read_text(root / PYPROJECT)
    pyproject = _tool_table(shared) if shared is not None else None
    if text is not None and pyproject is not None:
        raise ConfigError(
            f"the project has two sets of settings: {CONFIG_FILE} and [tool.nbmlops] in {PYPROJECT}",
            f"keep one of them; move what you need from {PYPROJECT} to {CONFIG_FILE}",
        )
    if text is not None:
        return Config(root, CONFIG_FILE, parse_config(text, CONFIG_FILE))
    if shared is not None and pyproject is not None:
        return Config(root, PYPROJECT, parse_config(shared, PYPROJECT, _PYPROJECT_PREFIX))
    return Config(root, "", ConfigDocument())


def parse_config(text: str, file: str, prefix: KeyPath = ()) -> ConfigDocument:
    """Returns the settings in a TOML text; pure.

    Args:
        text: The whole file.
        file: Its name, for messages.
        prefix: The table that holds the settings, () for the whole file.

    Raises:
        ConfigError: see `load_config`.
    """
    data: Any = parse_toml(text, file)
    for key in prefix:
        data = data.get(key, {})
    document, faults = read_table(ConfigDocument, data)
    if document is not None:
        faults = tuple(_rule_faults(document))
    if document is None or faults:
        raise ConfigError(render_faults(file, key_lines(text), faults, prefix))
    return document


def _tool_table(text: str) -> dict[str, Any] | None:
    """Returns `[tool.nbmlops]`; None where a `pyproject.toml` has none. A broken one is a fault only if it names us."""
    if "nbmlops" not in text:
        return None
    table = parse_toml(text, PYPROJECT).get("tool", {}).get("nbmlops")
    return table if isinstance(table, dict) else None


def _rule_faults(document: ConfigDocument) -> Iterator[Fault]:
    yield from faults_of_rules(document.gate.rules, ("gate", "rules"))
    yield from faults_of_demands(document)
    for name, table in document.pipelines.items():
        yield from faults_of_rules(table.gate.rules, ("pipelines", name, "gate", "rules"))
        if table.model and not table.data:
            hint = 'add data = "NAME" with the name of the frame of features that the model was trained on'
            yield Fault(("pipelines", name, "model"), "a model is registered with its training data", hint)
