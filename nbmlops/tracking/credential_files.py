"""Secrets in the files where programs look for them: `.netrc`, the credentials of MLflow and of AWS."""

from __future__ import annotations

import configparser
import netrc
import os
from collections.abc import Iterator
from pathlib import Path

from nbmlops.core.secret_names import Holds, holds

_INI_FILES = (Path(".mlflow", "credentials"), Path(".aws", "credentials"))
_MOST_BYTES = 1_000_000


def credentials() -> Iterator[tuple[str, str]]:
    """Yields the passwords and tokens of this user's files, each with what it is; of those that can be read."""
    try:
        home = Path.home()
    except RuntimeError:  # a user number without a home, as in containers
        return
    yield from _of_netrc(Path(os.environ.get("NETRC") or home / ".netrc"))
    for name in _INI_FILES:
        yield from _of_ini(home / name)


def _of_netrc(path: Path) -> Iterator[tuple[str, str]]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            return
        hosts = netrc.netrc(path).hosts
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return
    yield from (
        (password, f"password of {host} in {path.name}") for host, (_, _, password) in hosts.items() if password
    )


def _of_ini(path: Path) -> Iterator[tuple[str, str]]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        if path.stat().st_size > _MOST_BYTES:
            return
        parser.read_string(path.read_text("utf-8"))
    except (OSError, configparser.Error, UnicodeDecodeError):
        return
    for section in (parser.default_section, *parser.sections()):
        for key, value in parser[section].items():
            if holds(key) is not Holds.NOTHING and value:
                yield value, f"{key} in {Path(*path.parts[-2:])}"
