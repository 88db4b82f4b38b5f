"""Figures as files: what a library draws, or what a cell has shown, as bytes with a suffix."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from nbmlops.core.errors import UsageError
from nbmlops.core.records import ArtifactRecord
from nbmlops.tracking.artifacts import MOST_BYTES, keep_artifact

FOLDER = "figures"
"""Where figures are among a run's artifacts."""
_FILES = frozenset({".gif", ".html", ".jpeg", ".jpg", ".json", ".pdf", ".png", ".svg", ".webp"})
_SHOWN = {"image/png": ".png", "image/jpeg": ".jpg", "image/svg+xml": ".svg"}
_PLOTLY = "application/vnd.plotly"
_VEGA = ("application/vnd.vegalite", "application/vnd.vega")
_KINDS = "a figure of matplotlib, plotly or altair, an image, or the path of a picture"


def log_figure(value: object, name: str, root: Path) -> tuple[ArtifactRecord, int]:
    """Returns the record of a figure and its size in bytes, after writing it below the project's root.

    Args:
        value: The figure.
        name: The name to log it under.
        root: The project's root.

    Raises:
        UsageError: it is no figure, or too large.
        EnvironmentFault: it cannot be written.
    """
    data, suffix = drawn(value, name)
    if len(data) > MOST_BYTES:
        raise UsageError(
            f"the figure {name!r} has {len(data) / 2**20:.1f} MiB, but {MOST_BYTES // 2**20} are kept at most",
            "draw it smaller, or with fewer points",
        )
    return keep_artifact(root, f"{FOLDER}/{name}{suffix}", data), len(data)


def drawn(value: Any, name: str) -> tuple[bytes, str]:
    """Returns the content of a figure and the suffix of its form.

    Args:
        value: The figure, or the path of a picture.
        name: Its name, for messages.

    Raises:
        UsageError: it is no figure, or cannot be read.
    """
    if isinstance(value, str | Path):
        return _read(Path(value), name)
    value = value if hasattr(value, "savefig") else getattr(value, "figure", value)  # axes have the figure
    if hasattr(value, "savefig"):
        buffer = BytesIO()
        # Its version would make each release of the library draw another file.
        value.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
        return buffer.getvalue(), ".png"
    if hasattr(value, "to_html"):
        return str(value.to_html()).encode(), ".html"
    if hasattr(value, "save") and hasattr(value, "convert"):  # Pillow's
        buffer = BytesIO()
        value.save(buffer, "PNG")
        return buffer.getvalue(), ".png"
    for method, suffix in (("_repr_png_", ".png"), ("_repr_svg_", ".svg"), ("_repr_jpeg_", ".jpg")):
        shown = getattr(value, method, lambda: None)()
        if shown is not None:
            return _bytes(shown, suffix), suffix
    raise UsageError(f"the figure {name!r} is of type {type(value).__name__}", f"give {_KINDS}")


def shown_figures(bundle: Mapping[str, Any]) -> tuple[bytes, str] | None:
    """Returns the figure in what a cell shows and the suffix of its form, None where that is no figure.

    Args:
        bundle: Type of content -> content, as IPython's formatters give it.
    """
    for kind, suffix in _SHOWN.items():
        if kind in bundle:
            return _bytes(bundle[kind], suffix), suffix
    for kind, content in bundle.items():
        if kind.startswith((_PLOTLY, *_VEGA)):
            suffix = ".plotly.json" if kind.startswith(_PLOTLY) else ".vega.json"
            return json.dumps(content, default=str).encode(), suffix
    return None


def _bytes(content: Any, suffix: str) -> bytes:
    """Returns a picture as bytes: pixels may come in base64, or with metadata beside them."""
    content = content[0] if isinstance(content, tuple) else content
    if isinstance(content, bytes):
        return content
    text = str(content)
    try:
        return text.encode() if suffix == ".svg" else base64.b64decode(text)
    except (binascii.Error, ValueError):  # no picture: kept as it is, like what somebody shows by hand
        return text.encode()


def _read(path: Path, name: str) -> tuple[bytes, str]:
    if path.suffix.lower() not in _FILES:
        raise UsageError(f"the figure {name!r} is {str(path)!r:.80}, which is no picture", f"give {_KINDS}")
    try:
        return path.read_bytes(), path.suffix.lower()
    except OSError as error:
        raise UsageError(f"cannot read the figure {name!r} from {path}: {error.strerror or error}") from error
