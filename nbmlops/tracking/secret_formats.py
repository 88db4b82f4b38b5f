"""Secrets that show by their form: keys and tokens of services, private keys, passwords and signatures in addresses.

The forms are those of detect-secrets, of which nothing but its patterns is used: it neither reads files nor asks
services here. Added are forms that it does not know yet.
"""

from __future__ import annotations

import functools
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nbmlops.core.known_secrets import MARK

# A line without such a word holds no key; looking for one is a hundred times faster than looking for all forms.
_LONG_WORD = re.compile(r"(?a:[\w+/=.:-]{16,})")
# Names, paths and numbers, made of words: most long words are. No key is.
_WORDS = re.compile(
    r"(?:(?<=[0-9]\.)[0-9]++(?:e[+-]?[0-9]++)?(?![A-Za-z0-9])|"
    r"[A-Z]?[a-z]{2,}+|[A-Z]{2,12}+(?![A-Za-z0-9])|[_./:=+-]|(?<![A-Za-z0-9])[0-9]{1,8}+(?![A-Za-z0-9]))++"
)
_WINDOW = 4_000
_OVERLAP = 400
_KEY_LENGTH = 16
_LEAST = 8
_DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{16,128}")
_REST = re.compile(r"[\w+/=.-]*")

_ADDRESS = re.compile(r"(?<=://)[^\s/?#@:'\"<>`\\]*:([^\s/?#'\"<>`\\]*)@(?=[\w\[.-])")
_LONE_TOKEN = re.compile(r"(?<=://)([^\s/?#@:'\"<>`\\]{16,})@(?=[\w\[.-])")
_QUERY = re.compile(
    r"(?i)[?&](?:x-amz-(?:signature|security-token|credential)|x-goog-signature|sig|signature|access_token|auth_token|"
    r"token|api_?key|client_secret|password|pwd|secret)=([^&#\s\"'<>\\)]{4,})"
)
_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_HEADER = re.compile(
    r"(?i)\b(?:proxy-)?authorization\b[\"']?\s*[:=]\s*[\"']?(?:basic|bearer|token)\s+([^\s\"',]{8,})",
)

_ADDED = {
    "Anthropic API Key": r"sk-ant-[A-Za-z0-9_-]{20,}",
    "Databricks Token": r"\bdapi[0-9a-f]{32}\b",
    "GitHub Token": r"github_pat_[A-Za-z0-9_]{22,}",
    "Google API Key": r"AIza[0-9A-Za-z_-]{35}",
    "Hugging Face Token": r"\bhf_[A-Za-z0-9]{30,}\b",
    "OpenAI Token": r"\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}",
}

# Names and random text are judged by `nbmlops.core.secret_names`, which knows what a line assigns; passwords in
# addresses are above; a public address is no secret; npm's pattern takes the square of a line's length in time.
_LEFT_OUT = (
    "Base64HighEntropyString",
    "BasicAuthDetector",
    "HexHighEntropyString",
    "IPPublicDetector",
    "KeywordDetector",
    "NpmDetector",
    "PrivateKeyDetector",
)


def find_secrets(text: str) -> Iterator[tuple[str, str]]:
    """Yields the secrets in a text that show by their form, each with what it is.

    Args:
        text: Any text; long ones cost about 0.1 µs for each character.
    """
    if "://" in text:
        yield from ((match[1], "Password in an Address") for match in _ADDRESS.finditer(text) if match[1])
        yield from ((match[1], "Token in an Address") for match in _LONE_TOKEN.finditer(text))
        yield from ((match[1], "Signature in an Address") for match in _QUERY.finditer(text))
    if "PRIVATE KEY" in text:
        yield from ((match[0], "Private Key") for match in _BLOCK.finditer(text))
    if "uthorization" in text or "UTHORIZATION" in text:
        yield from ((match[1], "Authorization Header") for match in _HEADER.finditer(text))
    for line in text.split("\n"):
        yield from _in_line(line)


def may_have_form(text: str) -> bool:
    """Returns whether `find_secrets` may find something: False at once for short texts, digests and plain words."""
    return len(text) >= _LEAST and ("://" in text or "\n" in text or "'" in text or '"' in text or _is_long(text))


def _is_long(text: str) -> bool:
    if len(text) < _KEY_LENGTH or _DIGEST.fullmatch(text) is not None:
        return False
    return _has_key(text)


def _has_key(text: str) -> bool:
    return any(_WORDS.fullmatch(found[0]) is None for found in _LONG_WORD.finditer(text))


def redact_addresses(text: str, is_secret: Callable[[str], bool]) -> str:
    """Returns the text with a mark in the place of the passwords of its addresses, however short they are.

    Args:
        text: Any text.
        is_secret: Says whether a password has to go.
    """
    if "://" not in text:
        return text
    return _ADDRESS.sub(lambda found: _marked(found) if is_secret(found[1]) else found[0], text)


def _marked(found: re.Match[str]) -> str:
    start = found.start(1) - found.start()
    return f"{found[0][:start]}{MARK}{found[0][start + len(found[1]) :]}" if found[1] else found[0]


def _in_line(line: str) -> Iterator[tuple[str, str]]:
    # Some forms take the square of a text's length in time, so a long line is looked at in pieces.
    starts = range(0, max(1, len(line) - _OVERLAP), _WINDOW - _OVERLAP)
    for piece in (line[start : start + _WINDOW] for start in starts):
        if not _has_key(piece):
            continue
        for what, pattern in _patterns():
            for match in pattern.finditer(piece):
                yield _secret_of(match), what


def _secret_of(match: re.Match[str]) -> str:
    """Returns the secret within what a pattern matched: a group that holds a key, else the whole word."""
    group = max((group or "" for group in match.groups()), key=len, default="")
    if len(group) >= _KEY_LENGTH:
        return group
    text = match.string
    rest = _REST.match(text, match.end())
    assert rest is not None
    return text[match.start() : rest.end()].strip(" \t\"':=.")


@contextmanager
def warnings_kept() -> Iterator[None]:
    """Leaves a user's warnings where they are shown: detect-secrets sends all of them to a log when it is imported."""
    shown = warnings.showwarning
    yield
    if warnings.showwarning is not shown:
        logging.captureWarnings(capture=False)


@functools.cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Returns name and pattern of each form; loads detect-secrets, which takes 0.2 s unless requests is loaded."""
    with warnings_kept():
        from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class  # noqa: PLC0415 - see above

    plugins: dict[str, Any] = get_mapping_from_secret_type_to_class()
    known = [
        (what, pattern)
        for what, plugin in plugins.items()
        if plugin.__name__ not in _LEFT_OUT
        for pattern in plugin.denylist
    ]
    return (*known, *((what, re.compile(pattern)) for what, pattern in _ADDED.items()))


def load_patterns() -> None:
    """Loads what `find_secrets` needs, so that its first call need not."""
    _patterns()
