"""`%mlops` lines that only ask: how runs compare, where something comes from, and how two things differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from nbmlops import api
from nbmlops.app.data.views import DataDiffView
from nbmlops.core.errors import UsageError
from nbmlops.data.fingerprints.fingerprint import is_frame
from nbmlops.notebook.mlops_lines import MlopsLine


def answer(line: MlopsLine, namespace: Mapping[str, Any]) -> object:
    """Returns what a line asks for.

    Args:
        line: A line of `card`, `runs`, `diff`, `lineage` or `data diff`.
        namespace: The notebook's variables, which may hold frames.

    Raises:
        UsageError: there is no such thing.
        EnvironmentFault: a file or the tracking store cannot be read.
    """
    options: dict[str, Any] = dict(line.options)
    if line.subcommand in {"card", "diff"}:
        return api.card(**options) if line.subcommand == "card" else api.compare(**options)
    for name in {"data", "before", "after"} & options.keys():
        options[name] = _frame_or_text(str(options[name]), namespace)
    if line.subcommand == "runs":
        options |= {"most": _count(options["most"])} if "most" in options else {}
        return api.runs(**options)
    if line.subcommand == "lineage":
        return api.lineage(**options)
    found = api.diff(**options).diff
    sides = zip(("before", "after"), found.names, strict=True)
    names = [name if isinstance(options[side], str) else str(line.options[side]) for side, name in sides]
    return DataDiffView(replace(found, names=(names[0], names[1])))


def _count(text: str) -> int:
    """Returns how many.

    Raises:
        UsageError: it is no number.
    """
    if not text.isascii() or not text.isdigit() or not int(text):
        raise UsageError(f"%mlops runs: {text!r} is no number of runs", "write --most 20")
    return int(text)


def _frame_or_text(text: str, namespace: Mapping[str, Any]) -> object:
    """Returns the frame that a variable holds, else the text, which names data that was logged."""
    value = namespace.get(text)
    return value if is_frame(value) or hasattr(value, "to_frame") else text
