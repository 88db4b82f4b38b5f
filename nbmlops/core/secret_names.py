"""Which names say that their value is a secret, and which values look like one. Pure."""

from __future__ import annotations

import functools
import math
import re
from enum import Enum
from itertools import pairwise

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
# fmt: off
_CERTAIN = frozenset({
    "apikey", "contraseña", "credential", "credentials", "passphrase", "passwd", "password", "passwords", "passwort",
    "pgpassword", "pwd", "secret", "secrets",
})
_BEFORE_KEY = frozenset({
    "access", "account", "api", "auth", "db", "encryption", "master", "priv", "private", "secret", "service",
    "signing", "ssh", "storage",
})
_POSSIBLE = frozenset({
    "auth", "bearer", "cookie", "dsn", "jwt", "key", "pat", "sas", "signature", "token", "webhook",
})
# These say something about a secret, or where it is; they do not hold it.
_ABOUT = frozenset({
    "arn", "column", "columns", "count", "dir", "enabled", "env", "field", "file", "folder", "hash", "hint", "id",
    "ids", "len", "length", "limit", "manager", "max", "min", "name", "names", "path", "policy", "prefix", "provider",
    "required", "scope", "scopes", "server", "size", "timeout", "type", "types", "url", "var", "variable",
})
# What names a digest or a version is as random as a key, and no secret.
_DIGESTS = frozenset({
    "checksum", "commit", "crc", "digest", "etag", "fingerprint", "git", "guid", "hash", "hashes", "id",
    "ids", "md5", "rev", "revision", "run", "sha", "sha1", "sha256", "sha512", "uid", "uuid", "version",
})
# fmt: on
_PAIRS = {f"{first} key" for first in _BEFORE_KEY} | {"db pass", "database pass", "key pass", "connection string"}
_NO_SECRETS = frozenset({"PWD", "OLDPWD", "GPG_KEY"})  # folders, and the id of a public key
_RANDOM_LENGTH = 16
_LONGEST_KEY = 4_096
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.~-]+")
_RUN = re.compile(r"[A-Za-z0-9+=]{20,}")
_HEX = re.compile(r"[0-9a-fA-F]+")
_HEX_BITS = 3.0
_BASE64_BITS = 4.2
"""Bits for each character, as in detect-secrets, whose limits for strings in files are 3.0 and 4.5."""


class Holds(Enum):
    """What a name says of its value."""

    NOTHING = 0
    MAYBE = 1
    SECRET = 2


@functools.lru_cache(4096)
def holds(name: str) -> Holds:
    """Returns whether a variable, parameter or key of this name holds a secret.

    Args:
        name: For example `db_password`, `AWS_SECRET_ACCESS_KEY`, `apiKey`.
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or name in _NO_SECRETS or words[-1] in _ABOUT:
        return Holds.NOTHING
    pairs = {f"{first} {second}" for first, second in pairwise(words)}
    if _CERTAIN & set(words) or _PAIRS & pairs:
        return Holds.SECRET
    return Holds.MAYBE if words[-1] in _POSSIBLE else Holds.NOTHING


@functools.lru_cache(4096)
def is_digest(name: str) -> bool:
    """Returns whether the name says that its value is a digest, an id or a version."""
    return not _DIGESTS.isdisjoint(word.lower() for word in re.findall(r"[A-Za-z]+\d*|\d+", name.replace("_", " ")))


def looks_random(value: str) -> bool:
    """Returns whether the text is one long word of letters and digits that no person would make up."""
    if len(value) < _RANDOM_LENGTH or not _TOKEN.fullmatch(value):
        return False
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value)) and _bits(value) > _HEX_BITS


def has_entropy(value: str) -> bool:
    """Returns whether the text is as random as a key: bits for each character of a hexadecimal or base64 text.

    The measure is Shannon's, over the text's own characters, as detect-secrets has it.
    """
    if not looks_random(value) or not _RUN.search(value):
        return False
    return _bits(value) > (_HEX_BITS if _HEX.fullmatch(value) else _BASE64_BITS)


def _bits(text: str) -> float:
    text = text[:_LONGEST_KEY]
    counts = [text.count(letter) for letter in set(text)]
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
