"""`%mlops` lines that only ask: where something comes from, and how two things differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbmlops import api
from nbmlops.data.fingerprint import is_frame
from nbmlops.notebook.mlops_lines import MlopsLine


def answer(line: MlopsLine, namespace: Mapping[str, Any]) -> object:
    """Returns what a line asks for.

    Args:
        line: A line of `data diff` or `lineage`.
        namespace: The notebook's variables, which may hold frames.

    Raises:
        UsageError: there is no such thing.
        EnvironmentFault: a file or the tracking store cannot be read.
    """
    options: dict[str, Any] = dict(line.options)
    for name in {"data", "before", "after"} & options.keys():
        options[name] = _frame_or_text(str(options[name]), namespace)
    return api.lineage(**options) if line.subcommand == "lineage" else api.diff(**options)


def _frame_or_text(text: str, namespace: Mapping[str, Any]) -> object:
    """Returns the frame that a variable holds, else the text, which names data that was logged."""
    value = namespace.get(text)
    return value if is_frame(value) or hasattr(value, "to_frame") else text
