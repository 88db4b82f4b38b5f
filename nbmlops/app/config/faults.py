"""What is wrong with a settings file, in words: file, line and key of every fault, all of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from nbmlops.app.config.toml_lines import KeyPath, line_of

MAX_FAULTS = 20


class Fault(Struct, frozen=True):
    """One fault: the key it is about, what is wrong with it, and the edit that helps."""

    path: KeyPath
    message: str
    hint: str = ""


def render_faults(file: str, lines: Mapping[KeyPath, int], faults: Sequence[Fault], prefix: KeyPath = ()) -> str:
    """Returns the faults in the order of the file, one line each, with their hints.

    Args:
        file: The file's name for the message.
        lines: The lines of its keys.
        faults: What is wrong.
        prefix: The table that the settings stand in (`("tool", "nbmlops")` in a `pyproject.toml`).
    """
    placed = sorted((line_of(lines, (*prefix, *fault.path)), position, fault) for position, fault in enumerate(faults))
    rows = [f"{file} has {len(faults)} faults:"] if len(faults) > 1 else []
    for line, _, fault in placed[:MAX_FAULTS]:
        rows.append(f"{file} line {line}: {dotted(fault.path)}: {fault.message}")
        if fault.hint:
            rows.append(f"  {fault.hint}")
    if len(placed) > MAX_FAULTS:
        rows.append(f"… and {len(placed) - MAX_FAULTS} more")
    return "\n".join(rows)


def dotted(path: Sequence[str | int]) -> str:
    """Returns a key as people write it, entries of an array counted from 1: `gate.rules[2].min`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += f".{part}" if text else part
    return text
