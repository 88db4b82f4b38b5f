"""The tag grammar: what one cell says of its role, in tags, in a `# nbmlops:` first line, or by `%%mlops step`.

| tag | comment | meaning |
|---|---|---|
| `parameters`, `pipeline-parameters` | `parameters` | the defaults that a run can override |
| `injected-parameters` | | left by papermill; skipped |
| `imports`, `functions` | the same | shared by all steps |
| `step:NAME`, `block:NAME` | `step=NAME` | belongs to that step |
| `prev:NAME[,NAME]` | `prev=NAME[,NAME]` | runs after those steps |
| `pipeline-metrics` | the same | names the metrics by `print(name)` lines |
| `skip`, `skip-execution` | `skip` | left out |
| `test` | `test` | its functions `test_...` are behaviour tests, beside whatever else the cell is |
| `nbmlops-ignore:CODE[,CODE]` | `ignore=CODE[,CODE]` | these warnings and notes are not shown |

Kale's settings of single steps (`image:`, `limit:` and so on) are accepted and have no effect here. Other tags belong
to other programs and are ignored, unless they look like a slip of the pen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType

from msgspec import Struct

from nbmlops.notebook.behaviour import TAG
from nbmlops.notebook.codes import Fault
from nbmlops.notebook.model import RoleKind
from nbmlops.notebook.names import step_name_fault, suggested_step_name
from nbmlops.notebook.source import Translation

ROLES: Mapping[str, RoleKind] = MappingProxyType(
    {
        "parameters": RoleKind.PARAMETERS,
        "pipeline-parameters": RoleKind.PARAMETERS,
        "injected-parameters": RoleKind.SKIP,
        "imports": RoleKind.SHARED,
        "functions": RoleKind.SHARED,
        "pipeline-metrics": RoleKind.METRICS,
        "skip": RoleKind.SKIP,
        "skip-execution": RoleKind.SKIP,
    }
)
_STEP_PREFIXES = frozenset({"step", "block"})
_IGNORE_TAG = "nbmlops-ignore"
_KALE_SETTINGS = frozenset({"image", "limit", "annotation", "label", "secret", "cache", "report"})
_COMMENT_WORDS = ("parameters", "imports", "functions", "skip", "pipeline-parameters", "pipeline-metrics")
# Words of other people's tags that are one letter away from ours.
_OTHER_WORDS = frozenset({"stop", "steep", "stem", "ship", "slip", "snip", "skim", "skin", "ski", "export", "exports"})
_COMMENT_START = "# nbmlops: "
_COMMENT = re.compile(r"\s*#+\s*nbmlops\s*:\s*(.*)", re.IGNORECASE)
_ALMOST_COMMENT = re.compile(r"\s*#+\s*([A-Za-z-]+)\s*:?\s*((?:step|prev)\s*=.*)", re.IGNORECASE)
_ALMOST_TAG = re.compile(r"(step|block|prev)\s*(?:=|:|\s)\s*(\S.*?)\s*", re.IGNORECASE)


class Mark(Struct, frozen=True):
    """One thing that a cell says of itself. `written` is how, for messages; `line` is 0 for a tag."""

    kind: RoleKind | None
    step: str
    after: tuple[str, ...]
    written: str
    line: int = 0

    def __str__(self) -> str:
        return f"line {self.line} `{self.written}`" if self.line else f"the tag `{self.written}`"


class CellMarks(Struct, frozen=True):
    """What a cell says of its role; `kind` is None if it says nothing.

    Attributes:
        kind: Its role.
        step: The step it names, "" if none.
        after: Steps that it names by `prev`.
        tags: All its tags, those of the comment and the cell magic in tag form behind the others.
        ignored: Codes of warnings and notes that are not to be shown.
        line: The line that names the step, 0 for a tag.
        faults: What is wrong with all that.
    """

    kind: RoleKind | None
    step: str
    after: tuple[str, ...]
    tags: tuple[str, ...]
    line: int = 0
    faults: tuple[Fault, ...] = ()
    ignored: tuple[str, ...] = ()


def read_marks(tags: Sequence[str], source: str, translation: Translation) -> CellMarks:
    """Returns what one code cell says of its role, all spellings together.

    Args:
        tags: `metadata.tags`.
        source: The cell's source, whose first line may be a `# nbmlops:` comment.
        translation: Its translation, which knows a `%%mlops step NAME`.
    """
    faults: list[Fault] = []
    marks = [mark for tag in tags if (mark := _read_tag(tag, faults)) is not None]
    spelled = list(_read_comment(source, faults))
    if translation.step is not None:
        line = translation.step_line
        spelled.append(_step_mark(translation.step, f"%%mlops step {translation.step}", line, faults))
    all_marks = [*marks, *spelled]
    faults += _disagreements(all_marks)
    deciding = _deciding(all_marks)
    return CellMarks(
        kind=deciding.kind if deciding else None,
        step=deciding.step if deciding else "",
        after=tuple(dict.fromkeys(name for mark in all_marks for name in mark.after)),
        tags=tuple(dict.fromkeys([*tags, *(tag for mark in spelled for tag in _as_tags(mark))])),
        line=deciding.line if deciding else 0,
        faults=tuple(faults),
        ignored=tuple(dict.fromkeys(_ignored(tags, source))),
    )


def _ignored(tags: Sequence[str], source: str) -> Iterable[str]:
    """Yields the codes that tags and comment ask not to show."""
    lists = [codes for tag in tags for prefix, _, codes in [tag.partition(":")] if prefix == _IGNORE_TAG]
    lines = source.split("\n") if "ignore" in source else ()
    comment = next((found[1] for line in lines if (found := _COMMENT.fullmatch(line))), "")
    words = re.sub(r"\s*([=,])\s*", r"\1", comment).split()
    lists += [codes for word in words for name, _, codes in [word.partition("=")] if name == "ignore"]
    return (code.strip().upper() for codes in lists for code in codes.split(",") if code.strip())


def _deciding(marks: Sequence[Mark]) -> Mark | None:
    """Returns the mark that gives the role: `skip` beats every other, then the first one counts."""
    roles = [mark for mark in marks if mark.kind is not None]
    return next((mark for mark in roles if mark.kind is RoleKind.SKIP), roles[0] if roles else None)


def _disagreements(marks: Sequence[Mark]) -> list[Fault]:
    roles = [mark for mark in marks if mark.kind is not None and mark.kind is not RoleKind.SKIP]
    first = roles[0] if roles else None
    faults = []
    for mark in roles[1:]:
        if first is None or (mark.kind, mark.step) == (first.kind, first.step):
            continue
        line = mark.line or first.line
        faults.append(
            Fault(
                "NB132",
                f"{first} and {mark} disagree about this cell",
                "keep one of them, remove the other",
                line=line,
            )
        )
    tagged, spelled = ([mark for mark in marks if mark.after and bool(mark.line) is below] for below in (False, True))
    names_of = [frozenset(name for mark in side for name in mark.after) for side in (tagged, spelled)]
    if tagged and spelled and names_of[0] != names_of[1]:
        faults.append(
            Fault(
                "NB132",
                f"{tagged[0]} and {spelled[0]} disagree about what runs before this cell",
                "name all steps in one place, remove the other",
                line=spelled[0].line,
            )
        )
    return faults


def _as_tags(mark: Mark) -> Iterable[str]:
    if mark.kind is RoleKind.STEP:
        yield f"step:{mark.step}"
    elif mark.kind is not None:
        yield mark.written.removeprefix(_COMMENT_START)
    elif mark.written == f"{_COMMENT_START}{TAG}":
        yield TAG
    if mark.after:
        yield f"prev:{','.join(mark.after)}"


def _read_tag(tag: str, faults: list[Fault]) -> Mark | None:
    if tag in ROLES:
        return Mark(ROLES[tag], "", (), tag)
    prefix, colon, value = tag.partition(":")
    if colon and prefix in _STEP_PREFIXES:
        return _step_mark(value, tag, 0, faults)
    if colon and prefix == "prev":
        return _prev_mark(value, tag, 0, faults)
    if colon and prefix in {*_KALE_SETTINGS, _IGNORE_TAG}:
        return None
    if colon and prefix == "notebook":
        faults.append(
            Fault(
                "NB149",
                f"the tag `{tag}` names another notebook",
                "compile that notebook by itself, and remove the tag",
            )
        )
        return None
    meant = _meant(tag)
    if meant:
        faults.append(Fault("NB130", f"the tag `{tag}` is not known", f"write `{meant}`"))
    return None


def _step_mark(name: str, written: str, line: int, faults: list[Fault]) -> Mark:
    plain = name.strip()
    if not plain:
        faults.append(
            Fault("NB134", f"`{written}` names no step", "write a name behind it, for example `step:train`", line=line)
        )
    elif wrong := step_name_fault(plain):
        shown = plain if len(plain) <= 40 else f"{plain[:39]}…"
        faults.append(
            Fault(
                "NB135",
                f"{shown!r} is no name for a step: {wrong}",
                f"write `step:{suggested_step_name(plain)}`",
                line=line,
            )
        )
    return Mark(RoleKind.STEP, plain, (), written, line)


def _prev_mark(names: str, written: str, line: int, faults: list[Fault]) -> Mark:
    after = tuple(name.strip() for name in names.split(",") if name.strip())
    if not after:
        faults.append(
            Fault("NB134", f"`{written}` names no step", "write a step's name behind it, or remove it", line=line)
        )
    return Mark(None, "", after, written, line)


def _meant(tag: str) -> str:
    """Returns the tag that was probably meant, "" if this one is somebody else's."""
    plain = re.sub(r"[\s_]+", "-", tag.strip().lower())
    if plain in ROLES:
        return plain
    if plain == f"{TAG}s":
        return TAG
    if almost := _ALMOST_TAG.fullmatch(tag.strip()):
        return f"{almost.group(1).lower()}:{almost.group(2)}"
    prefix, colon, value = tag.partition(":")
    word = prefix.strip().lower()
    if word in _OTHER_WORDS:
        return ""
    if colon:
        near = next((known for known in ("step", "prev", "block") if _one_slip(word, known)), "")
        return f"{near}:{value.strip()}" if near else ""
    return next((known for known in ROLES if _one_slip(plain, known)), "")


def _one_slip(word: str, known: str) -> bool:
    """Returns whether one slip (a letter left out, added or replaced, two exchanged) separates the two words."""
    if word == known:
        return True
    if abs(len(word) - len(known)) > 1 or len(word) < 3:
        return False
    start = next((i for i, (a, b) in enumerate(zip(word, known, strict=False)) if a != b), min(len(word), len(known)))
    rest, known_rest = word[start:], known[start:]
    exchanged = rest[:2] == known_rest[:2][::-1] and rest[2:] == known_rest[2:]
    return exchanged or rest[1:] == known_rest or rest == known_rest[1:] or rest[1:] == known_rest[1:]


def _read_comment(source: str, faults: list[Fault]) -> Iterable[Mark]:
    lines = source.split("\n")
    first = next((number for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("%%")), 0)
    for number, line in enumerate(lines, 1):
        found = _COMMENT.fullmatch(line)
        if found and number == first:
            yield from _comment_marks(found.group(1), number, faults)
        elif found:
            faults.append(
                Fault(
                    "NB147",
                    "a `# nbmlops:` line counts only as first line of the cell",
                    "move it to the top of the cell",
                    line=number,
                )
            )
        elif number == first and (almost := _ALMOST_COMMENT.fullmatch(line)) and _is_our_name(almost.group(1)):
            faults.append(
                Fault(
                    "NB131", f"`{line.strip()}` is only a comment", f"write `# nbmlops: {almost.group(2)}`", line=number
                )
            )


def _is_our_name(word: str) -> bool:
    return bool(get_close_matches(word.lower(), ["nbmlops"], cutoff=0.75))


def _comment_marks(text: str, line: int, faults: list[Fault]) -> Iterable[Mark]:
    text = re.sub(r"\s*([=,])\s*", r"\1", text.strip())
    if not text:
        faults.append(
            Fault("NB131", "`# nbmlops:` says nothing", "write `# nbmlops: step=NAME`, or remove the line", line=line)
        )
    for word in text.split():
        name, equals, value = word.partition("=")
        written = f"{_COMMENT_START}{word}"
        if equals and name in _STEP_PREFIXES:
            yield _step_mark(value, written, line, faults)
        elif equals and name == "prev":
            yield _prev_mark(value, written, line, faults)
        elif not equals and word in _COMMENT_WORDS:
            yield Mark(ROLES[word], "", (), written, line)
        elif word == TAG:
            yield Mark(None, "", (), written, line)
        elif not equals or name != "ignore" or not value:
            faults.append(_unknown_word(word, line))


def _unknown_word(word: str, line: int) -> Fault:
    name, separator, value = re.sub("[:=]", "=", word, count=1).partition("=")
    if separator:
        near = get_close_matches(name.lower(), ["step", "prev", "ignore"], n=1, cutoff=0.5)
        meant = f"{near[0]}={value}" if near else ""
    else:
        meant = next(iter(get_close_matches(word.lower(), (*_COMMENT_WORDS, TAG), n=1)), "")
    known = "`step=NAME`, `prev=NAME`, `ignore=CODE`, `test`, `skip`, `parameters`, `imports`, `functions`"
    hint = f"write `# nbmlops: {meant}`" if meant else f"known are {known}"
    return Fault("NB131", f"`# nbmlops:` does not know `{word}`", hint, line=line)
