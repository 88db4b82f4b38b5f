"""Compares the values of notebook and pipeline at the borders of steps: `python -m nbmlops.runtime.witness.compare`.

A process of its own, because it loads both sides with the libraries that they need: what these do at import, and the
memory they take, ends with it.
"""

from __future__ import annotations

import builtins
import json
import os
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from nbmlops.core.errors import NbmlopsError
from nbmlops.core.unbound import UNBOUND
from nbmlops.data.compare.compare import difference
from nbmlops.data.compare.facts import WRITEABLE
from nbmlops.data.compare.shown import NOTEBOOK as IN_NOTEBOOK
from nbmlops.data.compare.shown import PIPELINE, sides
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.pipeline.fields import Fields
from nbmlops.runtime.handover import codecs
from nbmlops.runtime.handover.handover import Handover
from nbmlops.runtime.layout import pipeline_file
from nbmlops.runtime.store.store import Store
from nbmlops.runtime.store.stored import StoredValue, value_from_json
from nbmlops.runtime.witness.looks import Looker
from nbmlops.runtime.witness.records import SeenValue, border_from_json
from nbmlops.runtime.witness.verdicts import DIFFERENT, EQUAL, UNCOMPARED

Verdict = tuple[str, str, str]
"""Name, status and detail of a value."""


def main() -> None:
    """Reads a request from standard input and writes verdicts to standard output."""
    fields = Fields(json.loads(sys.stdin.buffer.read()), "request")
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    folder = Path(fields.text("folder"))
    sys.path.insert(0, str(folder))
    comparer = _Comparer(folder, fields)
    json.dump([list(comparer.border(border)) for border in fields.children("borders")], answer)
    answer.close()


class _Comparer:
    def __init__(self, folder: Path, fields: Fields) -> None:
        notebook, pipeline = map(Path, fields.texts("stores"))
        self._notebook, self._pipeline = Store(notebook), Store(pipeline)
        self._homes = frozenset(fields.texts("homes"))
        self._package = read_pipeline(pipeline_file(folder)).name
        sys.modules["__main__"] = _NotebookNames(folder, self._package)

    def border(self, fields: Fields) -> Iterator[Verdict]:
        """Yields the verdict on each value of a border."""
        border = border_from_json(fields.child("notebook"))
        stored = {value.name: value for value in map(value_from_json, fields.children("pipeline"))}
        unstored = fields.text_map("unstored")
        seen = {value.name: value for value in border.values}
        verdicts: dict[str, Verdict] = {}
        loaded = self._loaded(stored, verdicts)
        # A name that the notebook has not bound yet may be handed over as what Python has under it.
        values = {name: value for name, value in loaded if name in seen or value is not getattr(builtins, name, None)}
        for name in seen.keys() - values.keys() - verdicts.keys():
            verdicts[name] = _absent(name, unstored.get(name))
        for name in (values.keys() | unstored.keys()) - seen.keys():
            verdicts[name] = (name, DIFFERENT, "bound in the pipeline, not in the notebook")
        both = {name: values[name] for name in seen if name in values}
        looked, shared = Looker(self._homes).look(both)
        for ours in looked:
            verdicts[ours.name] = self._verdict(seen[ours.name], ours, both[ours.name])
        for name, text in _sharing(border.shared, shared, set(both)):
            if verdicts[name][1] == EQUAL:
                verdicts[name] = (name, DIFFERENT, text)
        yield from (verdicts[name] for name in dict.fromkeys([*seen, *sorted(verdicts)]))

    def _loaded(self, stored: Mapping[str, StoredValue], verdicts: dict[str, Verdict]) -> Iterator[tuple[str, Any]]:
        """Yields what the pipeline handed over; that a name is not bound is handed over as a value of its own."""
        handover = Handover(self._pipeline, stored, self._package)
        for name in stored:
            try:
                value = handover.load(name)
            except Exception as error:  # noqa: BLE001 - loading runs code of any library
                told = error.message if isinstance(error, NbmlopsError) else f"{type(error).__name__}: {error}"
                verdicts[name] = (name, DIFFERENT, f"the pipeline's value cannot be loaded: {told}")
                continue
            if value is not UNBOUND:
                yield name, value

    def _verdict(self, seen: SeenValue, ours: SeenValue, value: Any) -> Verdict:
        if not seen.fingerprint or not ours.fingerprint:
            reason = seen.reason or ours.reason
            return seen.name, UNCOMPARED, f"{seen.type} has no fingerprint: {reason}"
        if seen.fingerprint == ours.fingerprint:
            text = _facts(seen.facts, ours.facts)
            return seen.name, DIFFERENT if text else EQUAL, text
        return seen.name, DIFFERENT, self._explained(seen, ours, value)

    def _explained(self, seen: SeenValue, ours: SeenValue, value: Any) -> str:
        found = ""
        if seen.codec is not None and seen.ref is not None:
            try:
                found = difference(codecs.decode(seen.codec, seen.ref, self._notebook), value, self._homes)
            except Exception as error:  # noqa: BLE001 - loading and showing runs code of any library
                found = f"its parts cannot be shown ({type(error).__name__}: {error})"
        if not found and seen.type != ours.type:
            found = f"type {sides(seen.type, ours.type)}"
        return found or f"{seen.type}: fingerprint {sides(seen.fingerprint[:12], ours.fingerprint[:12])}"


def _absent(name: str, reason: str | None) -> Verdict:
    if reason is None:
        return name, DIFFERENT, "bound in the notebook, not in the pipeline"
    return name, UNCOMPARED, f"it cannot be stored, so its steps ran in one process: {reason}"


def _facts(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    for fact in dict.fromkeys([*ours, *theirs]):
        one, other = ours.get(fact, "none"), theirs.get(fact, "none")
        # What the notebook must not write to, it does not write to: it ran to its end.
        if one != other and not (fact.endswith(WRITEABLE) and one == str(False)):
            return f"{fact}: {sides(one, other)}"
    return ""


def _sharing(
    notebook: Sequence[Sequence[str]], pipeline: Sequence[Sequence[str]], names: set[str]
) -> Iterator[tuple[str, str]]:
    """Yields name and text for each name that shares objects with others on one side only."""
    ours, theirs = _mates(notebook, names), _mates(pipeline, names)
    for name in sorted(names):
        lost, gained = ours.get(name, set()) - theirs.get(name, set()), theirs.get(name, set()) - ours.get(name, set())
        if lost:
            yield name, f"shares objects with {', '.join(sorted(lost))} {IN_NOTEBOOK}, not {PIPELINE}"
        elif gained:
            yield name, f"shares objects with {', '.join(sorted(gained))} {PIPELINE}, not {IN_NOTEBOOK}"


def _mates(groups: Sequence[Sequence[str]], names: set[str]) -> dict[str, set[str]]:
    return {name: (set(group) & names) - {name} for group in groups for name in group if name in names}


class _NotebookNames(types.ModuleType):
    """Stands for the notebook's `__main__` when its values are loaded: names lead to the generated package."""

    def __init__(self, folder: Path, package: str) -> None:
        super().__init__("__main__")
        self.__dict__["_modules"] = [f"{package}.{path.stem}" for path in sorted((folder / package).glob("*.py"))]

    def __getattr__(self, name: str) -> Any:
        for module in self.__dict__["_modules"]:
            found = vars(import_module(module)).get(name) if not name.startswith("__") else None
            if found is not None:
                return found
        raise AttributeError(f"the pipeline has no {name!r} in its package")


if __name__ == "__main__":
    main()
