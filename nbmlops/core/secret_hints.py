"""Whether a cell's text may hold a secret: a quick look, before anything is loaded that knows better. Pure."""

from __future__ import annotations

import re

_CERTAIN = ("passw", "passphrase", "pwd", "secret", "credential", "contrase", "uthorization", "private key")
_PAIRED = re.compile(
    r"(?:access|account|api|auth|db|encryption|master|priv|private|service|signing|ssh|storage)[_-]?key|"
    r"(?:db|database|key)_?pass|connection_?string"
)
# Quoted, random enough to be a key, and no name of a file.
_QUOTED = re.compile(r"[\"'](?=[^\"'\n]*\d)(?![^\"'\n]*\.[A-Za-z]\w{0,6}[\"'])[A-Za-z0-9+/=_.~-]{16,}[\"']")
_ENV = re.compile(r"(?m)^[ \t]*%(?:set_)?env[ \t]+\w+[ =][^\s/]{16,}")
_LONG = re.compile(r"[A-Za-z0-9]{16,}")
_PREFIX = re.compile(
    r"\bhf_[A-Za-z]{16}|\bsk-(?:ant|proj|svcacct|admin)-|xox[abposr]-|eyJ\w|\bSG\.\w|hooks\.slack\.com"
)
_ADDRESS = re.compile(
    r"://[^\s/?#@'\"<>`\\]+@|(?i:[?&](?:x-amz|x-goog|sig|token|access_token|auth_token|api_?key|client_secret|passw|pwd|"
    r"secret))"
)


def may_name_secrets(source: str) -> bool:
    """Returns whether the source may give a secret to a name that says so, or random text to any.

    Args:
        source: Of cells; names are told by words, so that "key" alone, of which code is full, does not count.
    """
    lowered = source.lower()
    if any(word in lowered for word in _CERTAIN):
        return True
    return any(pattern.search(text) for pattern, text in ((_PAIRED, lowered), (_QUOTED, source), (_ENV, source)))


def may_show_secrets(text: str) -> bool:
    """Returns whether a secret may show by its form: a key of a service, a private key, the password of an address.

    Args:
        text: Of cells of any kind.
    """
    if "PRIVATE KEY" in text or "uthorization" in text or "UTHORIZATION" in text:
        return True
    if "://" in text and _ADDRESS.search(text) is not None:
        return True
    return any(_is_mixed(word) for word in _LONG.findall(text)) or _PREFIX.search(text) is not None


def _is_mixed(word: str) -> bool:
    return any(map(str.isdigit, word)) and any(map(str.isalpha, word))
