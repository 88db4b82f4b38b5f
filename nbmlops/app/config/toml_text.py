"""Settings files as text: read, and parsed with errors that show the place."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from nbmlops.core.errors import ConfigError, EnvironmentFault

_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$|\s*\(at end of document\)$")


def read_text(path: Path) -> str | None:
    """Returns the text of a file, None when there is none.

    Raises:
        ConfigError: it is no UTF-8.
        EnvironmentFault: it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line = before.count(b"\n") + 1
        raise ConfigError(f"{path.name} line {line}: not UTF-8 text", "save the file as UTF-8") from error
    except OSError as error:
        raise EnvironmentFault(f"cannot read {path.name}: {error.strerror}", "make the file readable") from error


def parse_toml(text: str, file: str) -> dict[str, Any]:
    """Returns the tables of a TOML text.

    Raises:
        ConfigError: it is not valid; the message shows file, line and column.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        rows = text.splitlines() or [""]
        place = _PLACE.search(str(error))
        line = int(place[1]) if place and place[1] else len(rows)
        column = int(place[2]) if place and place[2] else len(rows[-1]) + 1
        message = _PLACE.sub("", str(error))
        shown = rows[min(line, len(rows)) - 1]
        key = f" (key {shown.partition('=')[0].strip()!r})" if "=" in shown else ""
        raise ConfigError(
            f"{file} line {line}:{column}{key}: not valid TOML: {message}\n   |  {shown}\n   |  {' ' * (column - 1)}^",
            _toml_hint(message),
        ) from error


def _toml_hint(message: str) -> str:
    if "overwrite" in message or "twice" in message:
        return "a key and a [table] may stand only once; an array of tables is written [[gate.rules]]"
    return "strings stand in quotes, tables in [brackets]; see https://toml.io"
