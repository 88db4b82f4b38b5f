"""Which literals in code name files that it reads."""

from __future__ import annotations

import ast

_SUFFIXES = """
    .csv .tsv .txt .json .jsonl .ndjson .parquet .feather .arrow .ipc .xlsx .xls .ods .pkl .pickle .joblib .npy .npz
    .h5 .hdf5 .hdf .nc .zip .gz .bz2 .xz .zst .tar .db .sqlite .sqlite3 .duckdb .xml .yaml .yml .toml .ini .cfg
    .sas7bdat .dta .sav .orc .avro .png .jpg .jpeg .tif .tiff .bmp .gif .wav .mp3 .flac .geojson .shp .gpkg .onnx
    .pt .pth .skops .sql .html .data .dat .libsvm .arff .mat .md
"""
_WRITING = """
    savefig save savetxt savez savez_compressed dump write_text write_bytes imsave save_model makedirs mkdir unlink
    remove rmtree write_image write_html write_parquet write_csv write_json
"""
_SUFFIX_LIST = tuple(_SUFFIXES.split())
_WRITERS = frozenset(_WRITING.split())
_LONGEST_PATH = 260


def names_file(text: str) -> bool:
    """Returns whether a string looks like the path of a local data file."""
    if not 2 < len(text) <= _LONGEST_PATH or "\n" in text or "://" in text or "{" in text or "*" in text:
        return False
    lowered = text.lower()
    return lowered.endswith(_SUFFIX_LIST) and lowered not in _SUFFIX_LIST


def writes_file(name: str, call: ast.Call) -> bool:
    """Returns whether a call of this bare name writes to the files that its literals name."""
    if name == "open":
        modes = [argument for argument in call.args[:2] if isinstance(argument, ast.Constant)]
        modes += [k.value for k in call.keywords if k.arg == "mode" and isinstance(k.value, ast.Constant)]
        return any(
            isinstance(mode.value, str)
            and 0 < len(mode.value) <= 3
            and set(mode.value) & set("wax")
            and not names_file(mode.value)
            for mode in modes
        )
    return name in _WRITERS or (name.startswith("to_") and name not in {"to_datetime", "to_numeric", "to_numpy"})


def literal_path(node: ast.expr) -> str:
    """Returns the path that a literal, `Path("a") / "b"` or `os.path.join("a", "b")` spells, or ""."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _joined([literal_path(left), literal_path(right)])
        case ast.Call(func=ast.Name(id="Path") | ast.Attribute(attr="Path" | "join"), args=arguments) if arguments:
            return _joined([literal_path(argument) for argument in arguments])
    return ""


def _joined(parts: list[str]) -> str:
    return "/".join(part.rstrip("/") for part in parts) if all(parts) else ""
