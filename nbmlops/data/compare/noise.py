"""What is left out when outputs are compared: memory addresses, times, where code stands. Every rule has a name.

Only what cannot be a result is left out. A number that merely looks like a duration stays: if it is one, the notebook
itself shows another one when it runs a second time, and that is told apart there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

ADDRESSES = "memory addresses"
TIMES = "times"
PLACES = "where code stands"
MODULES = "the module of the notebook's own code"
IDS = "ids of elements"

_DURATION = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_UNIT = r"(?:ns|us|µs|μs|ms|s|sec|seconds|min|minutes|h)"
# The second form is an address whose beginning was left out where a long text was cut: `<object at...x7f…>`.
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b|(?<=\.\.\.)x[0-9a-f]{6,16}\b")
_TIMINGS = re.compile(rf"(?:CPU times: .*|Wall time: {_DURATION} ?{_UNIT}\b.*)")
# What `%timeit` shows, and that it doubts what it measured.
_MEASURED = re.compile(
    rf"(?:{_DURATION} ?{_UNIT} ?)+ ?(?:±|\+-) ?(?:{_DURATION} ?{_UNIT} ?)+ ?per loop \(mean .* loops? each\)"
    r"|The slowest run took [\d.]+ times longer than the fastest\. .*"
)
_BAR = re.compile(r"\[(?:\d+:)?\d+:\d+<(?:(?:\d+:)?\d+:\d+|\?)[^\]]*\]")
_PACE = re.compile(rf"(?:\b{_DURATION}{_UNIT}\s+)?\b{_DURATION}{_UNIT}/(?:step|epoch|sample|batch|it)\b")
_STAMP = re.compile(r"\b(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_WARNING = re.compile(r"^\S.*?:\d+: (?=\w*(?:Warning|Error)\b)")
_KERNEL_FILE = re.compile(r"\S*[/\\]ipykernel_\d+[/\\]\d+\.py(?::\d+)?")
_LOCAL = re.compile(r"\b(?:\w+\.)?\w+\.<locals>\.")
_ID = re.compile(r"""\b(?:id|for|data-target|headers|href(?==["']#))=(["'])#?([^"'\s]+)\1""")
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_SLACK = timedelta(hours=27)
"""A clock may be shown in any time zone, and runs take a while."""


class Cleaned(Struct, frozen=True):
    """A text without noise, and the names of what was left out. `is_nothing`: only noise stood there."""

    text: str
    removed: frozenset[str]
    is_nothing: bool = False


class Noise:
    """Leaves out what is no part of a result.

    Args:
        package: The generated package.
        now: When both sides ran: only times near it are taken for the clock's.
    """

    def __init__(self, package: str, now: datetime) -> None:
        self._now = now.replace(tzinfo=None)
        own = rf"(?<![\w.])(?:__main__|{re.escape(package)}\.\w+)\.(?=[A-Za-z_<])"
        self._rules: Sequence[tuple[str, re.Pattern[str], str]] = (
            (ADDRESSES, _ADDRESS, "0x…"),
            (MODULES, re.compile(own), ""),
            (MODULES, _LOCAL, ""),
            (TIMES, _BAR, "[…]"),
            (TIMES, _PACE, "…"),
            (PLACES, _KERNEL_FILE, "…"),
        )

    def cleaned(self, text: str, kind: str) -> Cleaned:
        """Returns the text without noise.

        Args:
            text: A printed line, or a result of one form.
            kind: The form, such as "text/html", "printed" or "stderr".
        """
        if kind.startswith("image/") and kind != "image/svg+xml":
            return Cleaned(text, frozenset())
        if kind in {"printed", "stderr"} and any(told.fullmatch(text.strip()) for told in (_TIMINGS, _MEASURED)):
            return Cleaned("", frozenset({TIMES}), is_nothing=True)
        removed = set()
        if kind == "stderr":
            text, count = _WARNING.subn("", text)
            removed |= {PLACES} if count else set()
        for name, pattern, instead in self._rules:
            text, count = pattern.subn(instead, text)
            removed |= {name} if count else set()
        timeless = _STAMP.sub(self._stamp, text)
        removed |= {TIMES} if text != timeless else set()
        text = timeless
        if kind in {"text/html", "image/svg+xml"}:
            numbered = _numbered_ids(text)
            removed |= {IDS} if text != numbered else set()
            text = numbered
        return Cleaned(text, frozenset(removed))

    def is_echo(self, line: str, before: str) -> bool:
        """Returns whether a line of standard error is the line of code that a warning shows below itself.

        Args:
            line: The line.
            before: The line above it.
        """
        return line.startswith("  ") and _WARNING.match(before) is not None

    def _stamp(self, found: re.Match[str]) -> str:
        try:
            moment = datetime.fromisoformat(f"{found[1]}T{found[2]}")
        except ValueError:
            return found[0]
        return "<time>" if abs(moment - self._now) < _SLACK else found[0]


def _numbered_ids(html: str) -> str:
    """Returns the text with ids of elements numbered in the order in which they stand, wherever they are mentioned."""
    found = [match[2] for match in _ID.finditer(html)] + _UUID.findall(html)
    ids = {name: f"id{number}" for number, name in enumerate(dict.fromkeys(found))}
    if not ids:
        return html
    longest_first = sorted(ids, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])")
    return pattern.sub(lambda match: ids[match[0]], html)
