"""What an executed step notebook showed, as HTML that cannot do anything: texts are escaped, pictures are data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

_MOST_TEXT = 20_000
_MOST_PICTURE = 4_000_000
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_PICTURES = ("image/png", "image/jpeg")
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def shown_notebook(path: Path) -> Iterator[str]:
    """Yields the cells that showed something; what cannot be read is left out, as the link to the file stands above."""
    try:
        cells = json.loads(path.read_bytes())["cells"]
    except (OSError, ValueError, LookupError, TypeError):
        return
    for cell in cells:
        outputs = [text for output in cell.get("outputs", ()) if (text := _output(output))]
        if outputs:
            yield '<div class="cell">'
            yield f"<details><summary>code</summary><pre>{escape(_cut(_text(cell.get('source'))))}</pre></details>"
            yield from outputs
            yield "</div>"


def _output(output: Mapping[str, Any]) -> str:
    kind = output.get("output_type")
    if kind == "stream":
        return f"<pre>{escape(_cut(_text(output.get('text'))))}</pre>"
    if kind == "error":
        lines = "\n".join(map(str, output.get("traceback", ())))
        return f"<pre>{escape(_cut(lines))}</pre>"
    data = output.get("data")
    return _data(data) if isinstance(data, dict) else ""


def _data(data: Mapping[str, Any]) -> str:
    for kind in _PICTURES:
        picture = _text(data.get(kind)).strip()
        if picture and len(picture) <= _MOST_PICTURE and _BASE64.fullmatch(picture):
            words = escape(_text(data.get("text/plain")))
            return f'<figure><img src="data:{kind};base64,{picture}" alt="{words}"></figure>'
    text = _text(data.get("text/plain"))
    return f"<pre>{escape(_cut(text))}</pre>" if text else ""


def _text(value: object) -> str:
    """Returns a text that a notebook may hold as a list of lines."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _cut(text: str) -> str:
    text = _COLOURS.sub("", text)
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}\n… {len(text) - _MOST_TEXT} characters more"
