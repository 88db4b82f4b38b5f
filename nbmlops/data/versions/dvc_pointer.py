"""The `.dvc` files of DVC 3: what a pointer says, read from and written as the text that `dvc add` would write.

Pure. An existing text keeps its comments, order and other keys: only the values that changed are replaced.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from msgspec import Struct

from nbmlops.core.errors import UsageError

MAX_BYTES = 1 << 20
_HASH = re.compile(r"[0-9a-f]{32}(\.dir)?")
_ENTRY = re.compile(
    r"(?m)^(?P<indent>[ ]*)(?P<dash>-[ ]+)?(?P<key>md5|size|nfiles|isexec|hash|path):(?P<value>[^\n#]*)"
)
# The words that YAML 1.2, which DVC writes, takes for something other than a text. PyYAML's own list is that of 1.1.
_NOT_TEXT = re.compile(
    r"""true|True|TRUE|false|False|FALSE|~|null|Null|NULL|=|<<
    |[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+)|[-+][0-9_]+|[0-9][0-9_]*
    |[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+|\.[0-9_]+(?:[eE][-+][0-9]+)?)
    |[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)
    |\d{4}-\d\d?-\d\d?(?:(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?)?""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:U([0-9A-F]{8})|.)")  # DVC's writer leaves characters beyond 16 bits as they are


class Pointer(Struct, frozen=True):
    """What a `.dvc` file says of the file or folder beside it.

    Attributes:
        path: Its name, relative to the pointer's folder.
        md5: The hash of its bytes; of a folder the hash of its listing with the suffix ".dir".
        size: Bytes, those of all files of a folder; -1 where the pointer does not say.
        files: Number of files of a folder, -1 for a file.
        executable: Whether its owner may execute it.
    """

    path: str
    md5: str
    size: int = -1
    files: int = -1
    executable: bool = False


def read_pointer(text: str | bytes, source: str) -> Pointer:
    """Returns what a pointer says, also one that DVC 1 or 2 wrote.

    Args:
        text: The file's content.
        source: Its name, for messages.

    Raises:
        UsageError: it is no pointer to one file or folder with an MD5 hash.
    """
    hint = f"make it again: nbmlops data add {source.removesuffix('.dvc')}"
    if len(text) > MAX_BYTES:
        raise UsageError(f"{source} is larger than {MAX_BYTES} bytes, so it is no pointer", hint)
    try:
        # As texts: an MD5 of digits alone is a number to YAML.
        document: Any = yaml.load(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{source} is not YAML: {str(error).splitlines()[0]}", hint) from error
    outs = document.get("outs") if isinstance(document, dict) else None
    out = outs[0] if isinstance(outs, list) and len(outs) == 1 else None
    if not isinstance(out, dict) or not isinstance(out.get("path"), str):
        raise UsageError(f"{source} does not point to one file or folder: `outs` must have one entry with a path", hint)
    if not _HASH.fullmatch(str(out.get("md5", ""))):
        raise UsageError(f"{source}: outs[0].md5 is {str(out.get('md5', 'missing'))!r:.60}, no MD5 hash", hint)
    executable = str(out.get("isexec", "")).lower() == "true"
    return Pointer(out["path"], out["md5"], _count(out, "size"), _count(out, "nfiles"), executable)


def _count(out: dict[str, Any], key: str) -> int:
    text = str(out.get(key, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1


def pointer_text(pointer: Pointer) -> str:
    """Returns the pointer as `dvc add` writes a new one."""
    lines = [f"{key}: {value}" for key, value in _entries(pointer).items()]
    return "outs:\n- " + "\n  ".join(lines) + "\n"


def updated_text(text: str, pointer: Pointer) -> str:
    """Returns the text of an existing pointer to the same path with the new values in it, everything else as it was.

    A pointer of DVC 2, which has no `hash`, gets one: its MD5 ignored kinds of line ends, the new one does not.
    """
    entries = _entries(pointer)
    begin = re.search(r"(?m)^outs:", text)
    start = begin.end() if begin else 0
    found = [match for match in _ENTRY.finditer(text, start) if _in_first_entry(text, start, match)]
    present = {match["key"]: match for match in found}
    for match in reversed(found):
        value = entries.get(match["key"])
        if match["key"] in {"nfiles", "isexec"} and value is None:
            end = text.find("\n", match.end()) + 1
            text = text[: match.start()] + text[end:]
        elif value is not None and match["key"] != "path":
            blanks = match["value"][len(match["value"].rstrip()) :]
            text = text[: match.start("value")] + f" {value}{blanks}" + text[match.end("value") :]
    missing = {key: value for key, value in entries.items() if key not in present}
    if missing:
        end = _end_of_entry(text, start)
        text = text[:end] + "".join(f"  {key}: {value}\n" for key, value in missing.items()) + text[end:]
    return text


def _in_first_entry(text: str, start: int, match: re.Match[str]) -> bool:
    return match.start() < _end_of_entry(text, start)


def _end_of_entry(text: str, start: int) -> int:
    """Returns where the first entry of `outs:` ends: at the next line that is indented less than its keys."""
    position = text.find("\n", start) + 1
    while position < len(text):
        end = text.find("\n", position) + 1 or len(text)
        line = text[position:end]
        if not line.startswith(("-", " ")):
            break
        position = end
    return position


def _entries(pointer: Pointer) -> dict[str, str]:
    entries = {"md5": yaml_text(pointer.md5), "size": str(pointer.size)}
    if pointer.files >= 0:
        entries["nfiles"] = str(pointer.files)
    if pointer.executable:
        entries["isexec"] = "true"
    return entries | {"hash": "md5", "path": yaml_text(pointer.path)}


def yaml_text(text: str) -> str:
    """Returns a text of one line as a YAML 1.2 scalar: plain where that reads back as the text, else in quotes."""
    style = "'" if _NOT_TEXT.fullmatch(text) else None
    scalar = _dumped(text, style)
    if scalar.startswith('"') or (scalar.startswith("'") and "'" in text):
        scalar = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[0], _dumped(text, '"'))
    return scalar


def _dumped(text: str, style: str | None) -> str:
    dumped: str = yaml.dump([text], Dumper=_Dumper, default_style=style, allow_unicode=True, width=float("inf"))
    return dumped.removeprefix("- ").removesuffix("\n")


class _Dumper(yaml.SafeDumper):
    """Writes texts that only YAML 1.1 takes for something else ("yes", "1:30") without quotes, as YAML 1.2 does."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # PyYAML's own way
