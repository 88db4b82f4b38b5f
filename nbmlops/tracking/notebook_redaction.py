"""A notebook without secrets: sources, outputs, tracebacks, metadata. Pictures are left as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbmlops.core.diagnostics import Json
from nbmlops.tracking.redaction import Redactor

_TEXTS = ("text/", "application/json", "application/javascript", "image/svg")
_BINARY = ("image/", "audio/", "video/", "application/pdf", "font/")


def redact_notebook(notebook: Mapping[str, Any], name: str, redactor: Redactor) -> dict[str, Any]:
    """Returns a notebook without secrets; what its sources call a password is known in its outputs.

    Args:
        notebook: The notebook as JSON has it, format 4.
        name: What it is called, for people.
        redactor: Knows secrets, and learns them from the sources.
    """
    cells = notebook.get("cells", [])
    for cell in cells:
        if cell.get("cell_type") == "code":
            redactor.learn(_joined(cell.get("source", "")))
    redacted = [_cell(cell, f"{name} cell {number}", redactor) for number, cell in enumerate(cells, 1)]
    rest = {key: redactor.document(value, f"{name} {key}") for key, value in notebook.items() if key != "cells"}
    return {**rest, "cells": redacted}


def _cell(cell: Mapping[str, Any], where: str, redactor: Redactor) -> dict[str, Any]:
    given = cell.get("source", "")
    source = _joined(given)
    is_code = cell.get("cell_type") == "code"
    found = {
        **cell,
        "source": _like(given, redactor.source(source, where) if is_code else redactor.text(source, where)),
        "metadata": redactor.document(cell.get("metadata", {}), f"{where} metadata"),
    }
    if is_code:
        found["outputs"] = [redact_output(one, f"output of {where}", redactor) for one in cell.get("outputs", [])]
    return found


def redact_output(output: Mapping[str, Any], where: str, redactor: Redactor) -> dict[str, Any]:
    """Returns an output of a cell without secrets.

    Args:
        output: As JSON has it.
        where: What it is, for people.
        redactor: Knows secrets.
    """
    found = dict(output)
    if "text" in output:
        found["text"] = _like(output["text"], redactor.text(_joined(output["text"]), where))
    if "data" in output:
        found["data"] = {kind: _data(kind, value, where, redactor) for kind, value in output["data"].items()}
    if "metadata" in output:
        found["metadata"] = redactor.document(output["metadata"], where)
    for key in ("ename", "evalue"):
        if key in output:
            found[key] = redactor.text(str(output[key]), where)
    if "traceback" in output:
        found["traceback"] = [redactor.text(str(text), where) for text in output["traceback"]]
    return found


def _data(kind: str, value: Any, where: str, redactor: Redactor) -> Json:
    if kind.startswith(_BINARY) and not kind.startswith(_TEXTS):
        plain: Json = value
        return plain
    is_text = isinstance(value, str) or (isinstance(value, list) and all(isinstance(line, str) for line in value))
    return _like(value, redactor.text(_joined(value), where)) if is_text else redactor.document(value, where)


def _joined(text: Any) -> str:
    """Returns a text that files may hold as a list of lines."""
    return "".join(map(str, text)) if isinstance(text, list) else str(text)


def _like(given: Any, text: str) -> Json:
    """Returns the text in the form that it was given in: files hold lists of lines, as nbformat splits them."""
    return text.splitlines(keepends=True) if isinstance(given, list) else text
