"""How generated Python is laid out: brackets wrapped, docstrings escaped, blank lines counted as ruff format does."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 88
INDENT = "    "


def bracketed(head: str, items: Sequence[str], tail: str, indent: str = "") -> list[str]:
    """Returns `head` + items + `tail` on one line if it fits, else the items below, on one line or on one each.

    `head` ends with the opening bracket, `tail` begins with the closing one.
    """
    one = f"{indent}{head}{', '.join(items)}{tail}"
    if len(one) <= WIDTH or not items:
        return [one]
    inner = f"{indent}{INDENT}{', '.join(items)}"
    if len(inner) <= WIDTH:
        return [indent + head, inner, indent + tail]
    return [indent + head, *(f"{indent}{INDENT}{item}," for item in items), indent + tail]


def names_of(items: Sequence[str]) -> str:
    """Returns the names with commas and a last "and", as in a sentence."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def cells_of(numbers: Sequence[int]) -> str:
    """Returns the cell numbers as a person writes them: "cell 4", "cells 4 and 7", "cells 4-6 and 9"."""
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1].append(number)
        else:
            ranges.append([number])
    parts: list[str] = []
    for group in ranges:
        parts += [f"{group[0]}-{group[-1]}"] if len(group) > 2 else [str(number) for number in group]
    return ("cell " if len(set(numbers)) == 1 else "cells ") + names_of(parts)


def plain_text(text: str) -> str:
    """Returns the text on one line, without control characters, runs of white space or invisible directions."""
    words = (word if word.isprintable() else "".join(filter(str.isprintable, word)) for word in text.split())
    return " ".join(filter(None, words))


def docstring(summary: str, details: Sequence[str] = (), indent: str = "") -> list[str]:
    """Returns the lines of a docstring that says exactly these texts, whatever quotes and backslashes they hold."""
    first = _escaped(summary)
    if not details:
        return [f'{indent}"""{first}"""']
    return [
        f'{indent}"""{first}',
        "",
        *(_detail(indent, detail) for detail in details),
        f'{indent}"""',
    ]


def _detail(indent: str, text: str) -> str:
    lead = text[: len(text) - len(text.lstrip(" "))]
    return (indent + lead + _escaped(text)) if text else ""


def _escaped(text: str) -> str:
    text = plain_text(text).replace("\\", "\\\\")
    return text.replace('"', '\\"') if '"""' in text or text.endswith('"') else text


def sentence(text: str) -> str:
    """Returns the text with a full stop, unless it ends in punctuation."""
    text = plain_text(text)
    return text if not text or text[-1] in ".!?…:" else f"{text}."
