"""Reading a stored model: nothing is unpickled, and only types that we trust ourselves are made.

What a file says of its own trust counts for nothing (`model_format` decides by name), and a file that unpacks to more
than it should is refused before anything of it is read.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.registry.model_format import is_trusted

MODEL_FILE = "model.skops"
MOST_BYTES = 8 << 30
"""What a model may unpack to."""
MOST_RATIO = 200
"""How many times its packed size that may be, once it is large enough to matter."""
_SMALL = 64 << 20
# What skops, the archive and the arrays in it raise for bytes that were changed; RuntimeError for encrypted parts.
_DAMAGES = (
    LookupError, ValueError, TypeError, AttributeError, OSError, EOFError, RuntimeError, ImportError,
    zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip


def read_model(folder: Path) -> object:
    """Returns the model that a folder of the registry holds.

    Args:
        folder: The folder, with `model.skops` in it.

    Raises:
        UsageError: it holds types that we do not trust, is no model of ours, or unpacks to too much.
        EnvironmentFault: the file is gone or damaged.
    """
    path = folder / MODEL_FILE
    if not path.is_file():
        raise EnvironmentFault(f"the stored model is gone: there is no {MODEL_FILE} in its folder")
    _check_size(path)
    from skops import io as skops_io

    try:
        names = sorted(skops_io.get_untrusted_types(file=path))
        refused = [name for name in names if not is_trusted(name)]
        if refused:
            raise UsageError(
                f"the stored model holds types that are not trusted: {', '.join(refused[:10])}",
                "it was not stored by nbmlops, or was changed since; register it again",
            )
        found: object = skops_io.load(path, trusted=names)
    except _DAMAGES as error:
        raise EnvironmentFault(f"the stored model cannot be read: {_told(error)}") from error
    return found


def _check_size(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except _DAMAGES as error:
        raise EnvironmentFault(f"the stored model cannot be read: {_told(error)}") from error
    total = sum(info.file_size for info in infos)
    packed = max(path.stat().st_size, 1)
    if total > MOST_BYTES or (total > _SMALL and total > MOST_RATIO * packed):
        raise UsageError(
            f"the stored model unpacks from {packed:,} to {total:,} bytes, which no model does",
            "it was changed since it was stored; register it again",
        )


def _told(error: Exception) -> str:
    # Without the name of the file: it is one of a folder for a moment, and the text stands in verdicts.
    return str(error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
