"""Text of users in Markdown: shown as it is, never read as markup."""

from __future__ import annotations

import re

from nbmlops.compiler.layout import plain_text

_SPECIAL = re.compile(r"([\\`*\[\]|$~]|(?<![^\W_])_|_(?![^\W_]))")


def inline(text: str) -> str:
    """Returns any text so that Markdown shows it literally, on one line, also in a cell of a table."""
    escaped = _SPECIAL.sub(r"\\\1", plain_text(text))
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"^(\d*)([#+.)-])(?=\s|$)", r"\1\\\2", escaped)


def code(text: str) -> str:
    """Returns any text as inline code, with a fence that is longer than every run of backticks in it."""
    plain = plain_text(text)
    if not plain:
        return ""
    longest = max((len(run) for run in re.findall(r"`+", plain)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{padding}{plain}{padding}{fence}".replace("|", "\\|")
