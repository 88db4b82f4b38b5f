"""Tables in files, read as frames where the name says how."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbmlops.core.errors import UsageError


def read_frame(path: Path) -> Any:
    """Returns the frame in a CSV, TSV, Parquet, Feather or JSON-lines file; None for files of any other name.

    Raises:
        UsageError: the file is not what its name says.
    """
    import pandas as pd

    readers: dict[str, Callable[[Path], Any]] = {
        ".csv": pd.read_csv,
        ".tsv": lambda place: pd.read_csv(place, sep="\t"),
        ".parquet": pd.read_parquet,
        ".feather": pd.read_feather,
        ".arrow": pd.read_feather,
        ".jsonl": lambda place: pd.read_json(place, lines=True),
    }
    suffixes = [suffix for suffix in path.suffixes if suffix not in {".gz", ".bz2", ".xz", ".zst", ".zip"}]
    reader = readers.get(suffixes[-1].lower() if suffixes else "")
    if reader is None or not path.is_file():
        return None
    try:
        return reader(path)
    except (ValueError, UnicodeError) as error:
        raise UsageError(f"{path} cannot be read as {suffixes[-1]}: {str(error).splitlines()[0]}") from error
