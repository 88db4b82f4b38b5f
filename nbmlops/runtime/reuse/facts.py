"""Gathers what a step depends on, from files and this interpreter: the inputs of the decisions in `plan`."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import digest_bytes
from nbmlops.pipeline.codec import recorded_files
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.runtime.ambient.ambient import AmbientState
from nbmlops.runtime.ambient.seeding import SEED_VARIABLE
from nbmlops.runtime.handover import plain_text
from nbmlops.runtime.handover.namespace import Namespace, names_read
from nbmlops.runtime.layout import Layout, pipeline_file
from nbmlops.runtime.redact import keyed_text
from nbmlops.runtime.reuse.files import current_digest
from nbmlops.runtime.reuse.libraries import installed_versions
from nbmlops.runtime.reuse.plan import Grounds
from nbmlops.runtime.reuse.records import CacheRecord, KeyParts
from nbmlops.runtime.reuse.variables import digests
from nbmlops.runtime.steps.listings import answer
from nbmlops.runtime.store.store import Store

HASH_SEED = "PYTHONHASHSEED"
_THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS", "LOKY_MAX_CPU_COUNT",
)  # fmt: skip


def kernel_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables that decide results, equal for all steps: seeds, and thread numbers where set.

    The hash seed is 0 unless the caller has fixed another one. Thread numbers are left as they are: a notebook in
    Jupyter runs with the same.

    Args:
        environment: The caller's variables.
    """
    seed = environment.get(HASH_SEED, "")
    kept = {name: environment[name] for name in (*_THREADS, SEED_VARIABLE) if name in environment}
    return {HASH_SEED: seed if seed.isdigit() else "0", **kept}


def without_decisive(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables without those that decide results, for a machine that is told them by another one."""
    decisive = {HASH_SEED, SEED_VARIABLE, *_THREADS}
    return {name: value for name, value in environment.items() if name not in decisive}


class Facts:
    """What can be looked up about steps now. One run, one object: installed versions are read once.

    Args:
        pipeline: The pipeline.
        layout: Where things are.
        environment: As `kernel_environment` gives it.
        parameters: Value of every parameter.
        variables: All environment variables of the steps.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        layout: Layout,
        environment: Mapping[str, str],
        parameters: Mapping[str, Json],
        variables: Mapping[str, str],
    ) -> None:
        self._layout, self._pipeline = layout, pipeline
        self._environment = {"python": platform.python_version(), **environment}
        self._parameters, self._variables = parameters, variables
        self._generated = recorded_files(pipeline_file(layout.folder))
        self.versions = installed_versions(sys.path)

    def parts(self, step: Step, values: Namespace) -> KeyParts:
        """Returns what the step is keyed by."""
        inputs = {name: values[name].identity(values) for name in names_read(step, values)}
        return KeyParts(
            code=step.digest,
            edited=self._edited(step),
            parameters={name: _parameter_text(name, self._parameters[name]) for name in step.parameters},
            inputs=inputs,
            environment=self._environment,
        )

    def grounds(self, record: CacheRecord, ambient: AmbientState, store: Store) -> Grounds:
        """Returns what the record depends on besides its key, as it is now.

        Args:
            record: An earlier execution.
            ambient: The random state and the settings that the step would begin with.
            store: Where its values should be.
        """
        outcome, root = record.outcome, self._layout.root
        return Grounds(
            files={path: current_digest(root / path, state) for path, state in outcome.files.items()},
            listings={ask: answer(ask, root, (self._layout.folder,)) for ask in outcome.listings},
            libraries={name: self.versions[name] for name in record.libraries if name in self.versions},
            random=ambient.random_digest,
            missing_files=tuple(path for path in outcome.written if not (root / path).exists()),
            missing_values=tuple(value.name for value in outcome.values if not store.has(value.ref))
            + tuple(part for part, found in outcome.settings.items() if not store.has(found.ref))
            + (("the random state",) if outcome.random and not store.has(outcome.random) else ()),
            root=str(root),
            variables=digests(list(outcome.variables), self._variables),
            settings={part: ambient.identity(part) for part in outcome.settings_before},
        )

    def _edited(self, step: Step) -> dict[str, str]:
        """Returns the generated files of the step whose content is not the compiler's, with their digests."""
        package = self._pipeline.name
        names = [step.notebook, *(f"{package}/{module}.py" for module in {"__init__", step.module, *step.modules})]
        edited = {}
        for name in sorted(names):
            path = self._layout.folder / name
            recorded = self._generated.get(name, "")
            digest = digest_bytes(path.read_bytes()) if path.is_file() else ""
            if digest != recorded and (digest or recorded):
                edited[name] = digest
        return edited


def _parameter_text(name: str, value: Json) -> str:
    try:
        text = plain_text.to_text(value)
    except plain_text.NotPlain:
        text = ascii(value)  # a text with lone surrogates, or a very large int
    return keyed_text(name, value, text)


def source_of(layout: Layout, step: Step) -> Path:
    """Returns the path of a step's notebook."""
    return layout.folder / step.notebook
