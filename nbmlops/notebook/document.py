"""From bytes to raw cells: everything about the `.ipynb` format, nothing about what the cells mean."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from nbmlops.core.digest import digest_json
from nbmlops.core.errors import UsageError
from nbmlops.notebook.codes import Fault
from nbmlops.notebook.model import CellKind

# Far above any notebook that a person opens; below what fills the memory of a small CI machine.
_MOST_BYTES = 512 * 1024 * 1024
_MOST_CELLS = 100_000
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PYTHON_KERNELS = ("python", "ipython", "xpython", "pyspark", "sagemath", "cython")


class RawCell(Struct, frozen=True):
    """A cell as the file has it; `id` is its own or a derived one."""

    id: str
    number: int
    kind: CellKind
    source: str
    tags: tuple[str, ...] = ()


def read_cells(data: bytes, path: str) -> tuple[tuple[RawCell, ...], tuple[Fault, ...]]:
    """Returns the cells of a notebook file of any version of the format up to 4.x, and what is odd about them.

    Raises:
        UsageError: the bytes are no notebook, one of a later format, or one of another language.
    """
    faults: list[Fault] = []
    document = _latest_format(_parse(data, path), path, faults)
    _check_language(document.get("metadata"), path)
    cells = document.get("cells")
    if not isinstance(cells, list):
        raise UsageError(
            f"{path} is not a notebook: it has no list of cells", "name a .ipynb file that Jupyter can open"
        )
    if len(cells) > _MOST_CELLS:
        raise UsageError(f"{path} has {len(cells)} cells, and {_MOST_CELLS} is the most", "split the notebook")
    raw = [_read_cell(cell, number, path, faults) for number, cell in enumerate(cells, 1)]
    return tuple(_with_ids(raw, faults)), tuple(faults)


def _parse(data: bytes, path: str) -> Mapping[str, Any]:
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{path} has {len(data)} bytes, and {_MOST_BYTES} is the most", "clear the notebook's outputs")
    text = _decode(data, path)
    if not text.strip():
        raise UsageError(f"{path} is empty", "save the notebook in Jupyter, or restore it from version control")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise _json_error(error, text, path) from error
    except RecursionError as error:
        raise UsageError(
            f"{path} is nested too deeply to be a notebook", "name a .ipynb file that Jupyter can open"
        ) from error
    except ValueError as error:
        hint = "name a .ipynb file that Jupyter can open"
        raise UsageError(f"{path} holds a number with too many digits to be a notebook", hint) from error
    if not isinstance(document, dict) or not (
        "cells" in document or "worksheets" in document or "nbformat" in document
    ):
        raise UsageError(f"{path} is JSON, but not a notebook", "name a .ipynb file that Jupyter can open")
    return document


def _decode(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, col = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        raise UsageError(
            f"{path} is not UTF-8: line {line}:{col} holds the byte 0x{data[error.start]:02x}",
            "save the file as UTF-8, the only encoding of notebooks",
        ) from error


def _json_error(error: json.JSONDecodeError, text: str, path: str) -> UsageError:
    place = f"line {error.lineno}:{error.colno}"
    start = text.lstrip()
    if start.startswith("version https://git-lfs"):
        return UsageError(f"{path} is a pointer of Git LFS, not the notebook", "run `git lfs pull`")
    if not start.startswith(("{", "[")):
        return UsageError(
            f"{path} is not a notebook: it is no JSON ({place}: {error.msg})",
            "name a .ipynb file; a script becomes one by `jupytext --to ipynb FILE`",
        )
    if re.search(r"^(<{7}|={7}|>{7})", text, re.MULTILINE):
        return UsageError(f"{path} holds an unfinished merge: it is no JSON ({place}: {error.msg})", "finish the merge")
    if error.pos >= len(text.rstrip()) or "Unterminated" in error.msg:
        return UsageError(
            f"{path} ends too early: {place}: {error.msg}", "restore the file from version control or a checkpoint"
        )
    return UsageError(
        f"{path} is not valid JSON: {place}: {error.msg}", "mend the place, or save the notebook again in Jupyter"
    )


def _latest_format(document: Mapping[str, Any], path: str, faults: list[Fault]) -> Mapping[str, Any]:
    """Returns the notebook in format 4, upgraded by nbformat where it is older.

    Raises:
        UsageError: the format is unknown.
    """
    version = document.get("nbformat")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        if "cells" not in document:
            raise UsageError(
                f"{path} is not a notebook: nbformat is {version!r}", "name a .ipynb file that Jupyter can open"
            )
        return document
    if version > 4:
        raise UsageError(
            f"{path} has notebook format {version}, but this version of nbmlops reads formats up to 4",
            "save it in format 4, or update nbmlops",
        )
    if version == 4:
        return document
    faults.append(
        Fault(
            "NB104", f"the notebook has format {version} and is upgraded in memory", "open and save it in Jupyter once"
        )
    )
    return _upgraded(document, path, version)


def _upgraded(document: Mapping[str, Any], path: str, version: int) -> Mapping[str, Any]:
    import nbformat

    failures = (
        AttributeError,
        NameError,
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        RecursionError,
        nbformat.ValidationError,
    )
    try:
        upgraded = nbformat.convert(nbformat.from_dict(document), 4)
    except failures as error:
        raise UsageError(
            f"{path} says it has notebook format {version}, but cannot be upgraded: {type(error).__name__}: {error}",
            "open and save it in Jupyter once",
        ) from error
    for cell in upgraded.get("cells", []):
        cell.pop("id", None)  # nbformat makes random ones, and ids must be the same each time
    return dict(upgraded)


def _check_language(metadata: object, path: str) -> None:
    kernel, info = (_mapping(_mapping(metadata).get(key)) for key in ("kernelspec", "language_info"))
    for language in (kernel.get("language"), info.get("name")):
        if isinstance(language, str) and language and not language.lower().startswith(_PYTHON_KERNELS):
            name = kernel.get("name", "unknown")
            raise UsageError(
                f"{path} is a notebook for {language} (kernel {name!r}), but nbmlops compiles Python",
                "choose a Python kernel in Jupyter (Kernel > Change Kernel) and save, or name another notebook",
            )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _read_cell(cell: object, number: int, path: str, faults: list[Fault]) -> RawCell:
    if not isinstance(cell, dict):
        raise UsageError(
            f"{path} is not a notebook: cell {number} is no JSON object", "restore the file from version control"
        )
    text = cell.get("source", "")
    if isinstance(text, list) and all(isinstance(part, str) for part in text):
        text = "".join(text)
    if not isinstance(text, str):
        raise UsageError(
            f"{path} is not a notebook: cell {number} has no text", "restore the file from version control"
        )
    source = _clean(text, number, faults).replace("\r\n", "\n").replace("\r", "\n")
    kind = cell.get("cell_type")
    if not isinstance(kind, str) or kind not in {"code", "markdown", "raw"}:
        faults.append(
            Fault(
                "NB103",
                f"the cell has the unknown type {kind!r} and is taken as text",
                "change its type in Jupyter",
                number,
            )
        )
        kind = "raw"
    own_id = cell.get("id")
    tags = tuple(_clean(tag, number, faults) for tag in _tags(cell.get("metadata"), number, faults))
    return RawCell(own_id if isinstance(own_id, str) else "", number, CellKind(kind), source, tags)


def _tags(metadata: object, number: int, faults: list[Fault]) -> Sequence[str]:
    tags = metadata.get("tags", []) if isinstance(metadata, dict) else []
    if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
        return tags
    shown = json.dumps(tags, ensure_ascii=True)
    shown = shown if len(shown) <= 60 else f"{shown[:59]}…"
    faults.append(
        Fault(
            "NB106",
            f"the cell's tags are {shown}, but must be a list of strings",
            'write `"tags": ["step:train"]`',
            number,
        )
    )
    return []


def _clean(text: str, number: int, faults: list[Fault]) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        faults.append(
            Fault(
                "NB105",
                f"the text holds half a character (\\u{ord(text[error.start]):04x})",
                "write the character again",
                number,
                line,
            )
        )
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _with_ids(cells: Sequence[RawCell], faults: list[Fault]) -> Iterable[RawCell]:
    """Yields the cells, each with an id of its own: those without one get a digest of their source.

    The digest counts equal sources, not positions: inserting a cell does not change the ids of the others.
    """
    used = {cell.id for cell in cells if _ID.fullmatch(cell.id)}
    seen: set[str] = set()
    copies: dict[tuple[str, str], int] = {}
    for cell in cells:
        own = cell.id
        if _ID.fullmatch(own) and own not in seen:
            seen.add(own)
            yield cell
            continue
        if own:
            wrong = "is used by another cell" if own in seen else "is not one"
            faults.append(
                Fault(
                    "NB102",
                    f"the cell's id {own[:70]!r} {wrong}; a digest takes its place",
                    "save the notebook in Jupyter",
                    cell.number,
                )
            )
        key = (cell.kind.value, cell.source)
        derived = ""
        while not derived or derived in used:
            copies[key] = copies.get(key, 0) + 1
            derived = digest_json([*key, copies[key]])[:12]
        used.add(derived)
        yield RawCell(derived, cell.number, cell.kind, cell.source, cell.tags)
