"""Texts that are known to be secret, and taking them out of other texts in every way in which they may be written."""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

from msgspec import Struct, field

MARK = "[redacted]"
_LEAST = 4
_LEAST_WORD = 6
_ANYWHERE = 8
_ENCODED = 8
_RARE_LINE = 20
_HALVES = "surrogatepass"
_ANSI = r"(?:\x1b\[[0-9;]*m)*"
_CODES, _CODES_LAST = re.compile(_ANSI), re.compile(_ANSI + r"\Z")
_NEAR = 60  # characters in which the colours before a word are looked for


class KnownSecrets(Struct, frozen=True, dict=True):
    """Secrets and what each is, for people; see `redact`."""

    what: Mapping[str, str] = field(default_factory=dict)

    @functools.cached_property
    def _forms(self) -> dict[str, str]:
        """Each way of writing a secret -> the secret, the longest first."""
        found = {form: secret for secret in self.what if is_searchable(secret) for form in _forms_of(secret)}
        return dict(sorted(found.items(), key=lambda item: (-len(item[0]), item[0])))

    @functools.cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(_bounded, self._forms)))

    @functools.cached_property
    def _coloured(self) -> re.Pattern[str]:
        return re.compile("|".join(f"({_ANSI.join(map(re.escape, form))})" for form in self._forms))

    def may_be_in(self, text: str) -> bool:
        """Returns whether a secret may be in the text; a quick look."""
        return any(form in text for form in self._forms) or (bool(self._forms) and "\x1b[" in text)

    def redact(self, text: str) -> tuple[str, frozenset[str]]:
        """Returns the text with a mark in the place of each secret, and what the secrets were.

        Terminal colours within a secret, as tracebacks have them, do not hide it.
        """
        forms = self._forms
        if not self.may_be_in(text):
            return text, frozenset()
        found: set[str] = set()

        def mark(match: re.Match[str]) -> str:
            form = match[0] if match.lastindex is None else re.sub(_ANSI, "", match[0])
            if match.lastindex is not None and _is_word(form) and not _stands_alone(match):
                return match[0]
            found.add(self.what[forms[form]])
            return MARK

        text = self._pattern.sub(mark, text)
        if "\x1b[" in text:
            text = self._coloured.sub(mark, text)
        return text, frozenset(found)


def is_searchable(secret: str) -> bool:
    """Returns whether a secret can be looked for in texts: "on" or "model" would be found everywhere."""
    return len(secret) >= (_LEAST_WORD if secret.isalpha() else _LEAST)


def _forms_of(secret: str) -> Iterable[str]:
    import html  # noqa: PLC0415  # a table of 2,000 entities, which nothing without secrets needs

    forms = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        html.escape(secret),
        html.escape(secret, quote=False),
        quote(secret, safe="", errors=_HALVES),
        quote(secret, errors=_HALVES),
        quote_plus(secret, errors=_HALVES),
    }
    if len(secret) >= _ENCODED:
        forms.add(base64.b64encode(secret.encode("utf-8", _HALVES)).decode().rstrip("="))
    if "\n" in secret:
        forms |= {line.strip() for line in secret.splitlines() if len(line.strip()) >= _RARE_LINE}
    return forms


def _bounded(form: str) -> str:
    """Returns the pattern for a form; a short or plain one counts only as a word of its own."""
    pattern = re.escape(form)
    return rf"(?<!\w){pattern}(?!\w)" if _is_word(form) else pattern


def _is_word(form: str) -> bool:
    return len(form) < _ANYWHERE or form.isalpha()


def _stands_alone(match: re.Match[str]) -> bool:
    """Returns whether no letter or digit stands beside a match, colours between them left out."""
    after = _CODES.match(match.string, match.end())
    assert after is not None
    before = _CODES_LAST.sub("", match.string[max(0, match.start() - _NEAR) : match.start()])
    return re.match(r"\w", match.string[after.end() :][:1]) is None and re.search(r"\w\Z", before) is None
