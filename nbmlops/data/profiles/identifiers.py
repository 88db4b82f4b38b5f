"""Which columns hold what points at single people or things: their frequent values are left out of profiles."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORDS = frozenset({
    "account", "address", "birthday", "dob", "email", "firstname", "fullname", "guid", "iban", "id", "identifier",
    "ids", "ip", "lastname", "license", "login", "mail", "mobile", "passport", "password", "phone", "ssn", "surname",
    "tel", "telephone", "token", "user", "username", "uuid", "vat",
})  # fmt: skip
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_VALUE = re.compile(
    r"[^@\s]+@[^@\s]+\.[^@\s]+"  # a mail address
    r"|\{?[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?"  # a UUID
    r"|\+?[\d][\d ()/.-]{7,}\d"  # a telephone, account or card number
    r"|(\d{1,3}\.){3}\d{1,3}"  # an internet address
    r"|(?=.*\d)[0-9a-fA-F]{32,}"  # a digest or token
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d.*")
_FEW = 50


def looks_like_identifier(name: str, distinct: int, present: int, values: Iterable[str]) -> bool:
    """Returns whether a column seems to identify single people or things.

    Its name says so, or its values rarely repeat, or one of the frequent ones looks like an address or a number.

    Args:
        name: The column's name.
        distinct: How many different values there are.
        present: How many values there are.
        values: The most frequent ones.
    """
    words = {word.lower() for word in _WORD.findall(name)}
    if words & _WORDS:
        return True
    if distinct > _FEW and 2 * distinct > present:
        return True
    return any(_VALUE.fullmatch(value) and not _DATE.fullmatch(value) for value in values)
