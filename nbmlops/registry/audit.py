"""The audit log of a model name: who did what, when and why, to which version; one line for each change that happened.

Lines stand as tags with the versions they are about, numbered from 1, each holding the hash of the one before; the name
itself holds number and hash of the last one. The registry is shared by all clones, so there is one log. Pure.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import digest_json
from nbmlops.core.errors import UsageError
from nbmlops.registry.registry import CHALLENGER, CHAMPION, ModelVersion, NameEntry

SCHEMA = "nbmlops/audit/1"
LINE = "nbmlops.audit."
HEAD = "nbmlops.audit_head"
TABLE_HEAD = ("line", "when", "who", "did", "version", "moved", "why")
_TEXTS = ("when", "who", "action", "model", "version", "reason", "verdict", "waived", "previous")


class Action(StrEnum):
    """What a line is about."""

    REGISTER = "register"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    ARCHIVE = "archive"
    COMPLETE = "complete"
    ABANDON = "abandon"


class AuditLine(Struct, frozen=True):
    """One line.

    Attributes:
        number: Its place, from 1.
        when: ISO 8601, UTC, by the clock of who acted.
        who: The user's name, "" for unknown.
        action: What was done.
        model: The name.
        version: The version it is about.
        aliases: The version that each of these aliases was moved to, "" for none.
        before: The version that they were at, likewise.
        reason: Why, in words.
        verdict: Digest of the gate's verdict of the version, "" for none.
        waived: Rules that were waived for it, as the version's tag has them: JSON, a list of `rule`, `reason` and `by`;
            "" for none.
        previous: Hash of the line before, "" for the first.
    """

    number: int
    when: str
    who: str
    action: Action
    model: str
    version: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    verdict: str = ""
    waived: str = ""
    previous: str = ""

    @property
    def hash(self) -> str:
        """SHA-256 of the line's canonical JSON, 64 hex digits."""
        return digest_json(line_to_json(self))


class Head(Struct, frozen=True):
    """Number and hash of the last line; 0 and "" before the first."""

    number: int = 0
    hash: str = ""


class AuditLog(Struct, frozen=True):
    """The log as the registry has it.

    Attributes:
        lines: By number; of a number that stands there twice, all.
        head: What the name says of the last one; None when it says nothing that can be read.
        unreadable: The tags that hold no line.
    """

    lines: tuple[AuditLine, ...] = ()
    head: Head | None = Head()
    unreadable: tuple[str, ...] = ()

    @property
    def end(self) -> Head:
        """What the next line follows: the head, or the last line where that is missing or behind."""
        last = self.lines[-1] if self.lines else None
        if last is not None and (self.head is None or self.head.number < last.number):
            return Head(last.number, last.hash)
        return self.head or Head()

    def last_move(self, alias: str) -> AuditLine | None:
        """Returns the line that moved an alias last, None where no line did."""
        done = (line for line in reversed(self.lines) if line.action is not Action.ABANDON)
        return next((line for line in done if alias in line.aliases), None)


def line_to_json(line: AuditLine) -> dict[str, Json]:
    """Returns a line as plain data, which is what its hash is of."""
    texts: dict[str, Json] = {name: str(getattr(line, name)) for name in _TEXTS}
    return {
        "schema": SCHEMA,
        "number": line.number,
        **texts,
        "aliases": dict(line.aliases),
        "before": dict(line.before),
    }


def line_from_json(document: object) -> AuditLine:
    """Returns the line of plain data.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"not a line of an audit log: {document!s:.80}", f"lines begin with the schema {SCHEMA}")
    wrong = [name for name in _TEXTS if not isinstance(document.get(name), str)]
    wrong += [name for name in ("aliases", "before") if not _is_map(document.get(name))]
    if wrong or type(document.get("number")) is not int or document["action"] not in set(Action):
        raise UsageError(f"a line of an audit log is malformed: {', '.join(wrong) or 'number or action'}")
    fields = {name: value for name, value in document.items() if name not in {"schema", "action"}}
    try:
        return AuditLine(action=Action(document["action"]), **fields)
    except TypeError as error:
        raise UsageError(f"a line of an audit log is malformed: {error}") from None


def moves(line: AuditLine) -> str:
    """Returns which aliases a line moved, in words."""
    return ", ".join(
        f"{alias}: {line.before.get(alias) or 'none'} → {number or 'none'}" for alias, number in line.aliases.items()
    )


def waived_words(line: AuditLine) -> str:
    """Returns which rules were waived for the version, with reasons and names, in words; "" for none."""
    if not line.waived:
        return ""
    try:
        waivers = [f"{one['rule']} by {one['by']}: {one['reason']}" for one in json.loads(line.waived)]
    except (ValueError, TypeError, KeyError):
        return line.waived  # not written by nbmlops; it is shown as it is
    return "; ".join(waivers)


def table_row(line: AuditLine) -> tuple[str, ...]:
    """Returns the row of a table under `TABLE_HEAD`."""
    waived = waived_words(line)
    why = "; ".join(filter(None, (line.reason, f"waived: {waived}" if waived else "")))
    return (str(line.number), line.when, line.who, line.action.value, line.version, moves(line), why)


def line_tags(line: AuditLine) -> dict[str, str]:
    """Returns the tag that a version keeps of a line."""
    text = json.dumps(line_to_json(line), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {f"{LINE}{line.number:06d}": text}


def head_tags(line: AuditLine) -> dict[str, str]:
    """Returns the tag that the name keeps of its last line."""
    return {HEAD: f"{line.number} {line.hash}"}


def read_log(entry: NameEntry | None, versions: Iterable[ModelVersion]) -> AuditLog:
    """Returns the log of a name, whatever its state."""
    lines: list[AuditLine] = []
    unreadable: list[str] = []
    for version in versions:
        for tag, text in version.tags.items():
            if not tag.startswith(LINE):
                continue
            try:
                lines.append(line_from_json(json.loads(text)))
            except (UsageError, ValueError):
                unreadable.append(f"{tag} of version {version.version}")
    lines.sort(key=lambda line: line.number)
    return AuditLog(tuple(lines), _head(entry), tuple(sorted(unreadable)))


def faults(log: AuditLog, entry: NameEntry | None, seen: Sequence[AuditLine] = ()) -> tuple[str, ...]:
    """Returns what is wrong with a log, in words; () for an intact one.

    Args:
        log: The log.
        entry: The name, whose aliases are to be those that the log leads to.
        seen: Lines that were exported earlier, which must be the log's first ones.
    """
    found = [f"the tag {tag} holds no line" for tag in log.unreadable]
    counts = Counter(line.number for line in log.lines)
    found += [f"line {number} stands there {count} times" for number, count in sorted(counts.items()) if count > 1]
    by_number = {line.number: line for line in log.lines}
    last = max(by_number, default=0)
    end = max(last, log.head.number if log.head else 0)
    found += [f"line {number} is missing" for number in range(1, end + 1) if number not in by_number]
    for number, line in sorted(by_number.items()):
        before = by_number.get(number - 1)
        if number == 1 and line.previous:
            found.append("line 1 follows a line that is not there")
        if before is not None and line.previous != before.hash:
            found.append(f"line {number - 1} was altered, or line {number} does not belong here")
    found += _head_faults(log, by_number, last)
    found += [
        f"line {line.number} is not what it was when it was exported" for line in seen if not _has(by_number, line)
    ]
    return tuple(found) or _alias_faults(log, entry)


def _head_faults(log: AuditLog, by_number: Mapping[int, AuditLine], last: int) -> list[str]:
    if log.head is None:
        return ["the name says nothing of the last line"] if last else []
    if log.head.number < last:
        return [f"the name says that line {log.head.number} is the last one, and there is line {last}"]
    line = by_number.get(log.head.number)
    if line is not None and line.hash != log.head.hash:
        return [f"line {line.number} was altered"]
    return []


def _alias_faults(log: AuditLog, entry: NameEntry | None) -> tuple[str, ...]:
    """Returns what was moved by others than nbmlops: the log is intact, and leads elsewhere."""
    return tuple(filter(None, (moved_by_others(log, entry, alias) for alias in (CHAMPION, CHALLENGER))))


def moved_by_others(log: AuditLog, entry: NameEntry | None, alias: str) -> str:
    """Returns what is to be said of an alias that is not where the log leads to, "" where it is.

    Args:
        log: The log.
        entry: The name, with its aliases as they are.
        alias: Which one.
    """
    move = log.last_move(alias)
    number = entry.aliases.get(alias, "") if entry is not None else ""
    if move is None:
        return (
            f"the {alias} is version {number}, and the log says nothing of it: it was made so without nbmlops"
            if number
            else ""
        )
    if move.aliases[alias] == number:
        return ""
    return (
        f"the {alias} is version {number or 'none'}, and the log says {move.aliases[alias] or 'none'}: "
        "it was moved without nbmlops"
    )


def _has(by_number: Mapping[int, AuditLine], line: AuditLine) -> bool:
    return line.number in by_number and by_number[line.number].hash == line.hash


def _head(entry: NameEntry | None) -> Head | None:
    if entry is None or HEAD not in entry.tags:
        return None
    number, _, digest = entry.tags[HEAD].partition(" ")
    return Head(int(number), digest) if number.isdecimal() and digest else None


def _is_map(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for pair in value.items() for one in pair)
