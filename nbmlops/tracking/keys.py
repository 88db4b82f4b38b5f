"""Names and texts as MLflow's stores take them: checked with the name in the message, never cut silently."""

from __future__ import annotations

import posixpath
import re

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import UsageError

MAX_KEY = 250
MAX_PARAM_VALUE = 6000
MAX_TAG_VALUE = 8000
_KEY = re.compile(r"[\w./ :-]+")
_SHOWN = 80


class StoredText(Struct, frozen=True):
    """A text as the store keeps it: `value` in its place, `overflow` as an artifact of the run, "" when it fits."""

    value: str
    overflow: str = ""
    artifact: str = ""


def check_key(kind: str, name: str) -> str:
    """Returns the name of a parameter, metric, input or tag if every MLflow store takes it as it is.

    Raises:
        UsageError: it is empty, too long, holds other characters, or reads as another path ("a//b", "../a").
    """
    tidy = name not in {"", ".", ".."} and posixpath.normpath(name) == name and not name.startswith(("/", "../"))
    if tidy and len(name) <= MAX_KEY and _KEY.fullmatch(name):
        return name
    shown = repr(name if len(name) <= _SHOWN else name[:_SHOWN] + "…")
    raise UsageError(
        f"{shown} cannot be the name of a {kind} in MLflow",
        f"use letters, digits, '_', '-', '.', ' ', ':' and single '/', at most {MAX_KEY} characters",
    )


def param_text(value: Json) -> str:
    """Returns a parameter's value as MLflow's own calls write it: Python's `str`."""
    return str(value)


def stored_text(text: str, limit: int) -> StoredText:
    """Returns the text, or a reference to an artifact that holds it when it is longer than the store keeps."""
    text = storable(text)
    if len(text) <= limit:
        return StoredText(text)
    digest = digest_bytes(text.encode())
    artifact = f"nbmlops/values/{digest}.txt"
    return StoredText(f"{len(text)} characters, sha256 {digest}, see artifact {artifact}", text, artifact)


def storable(text: str) -> str:
    """Returns the text with what no database and no file takes, half characters and NUL, as Python's escapes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def quoted(value: str) -> str:
    """Returns the value as a string of MLflow's search language.

    Raises:
        UsageError: it holds both kinds of quotes, for which the language has no escape.
    """
    if "'" not in value:
        return f"'{value}'"
    if '"' not in value:
        return f'"{value}"'
    raise UsageError(f"MLflow cannot be searched for {value!r}: it holds both kinds of quotes")
