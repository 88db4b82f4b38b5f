"""Taking secrets out of what nbmlops writes, before it is written: to the store, the spool, documents, notebooks.

A secret is known by where it stands (a variable of the environment that is called so, the password of an address, a
file of credentials), by its form (`secret_formats`), or by the name that it is given (`secret_sources`, parameters).
What is known once is taken out wherever it appears as text from then on; what only looks random is taken out where it
is given to a name. What computes is never touched: only texts on their way out.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import unquote

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.core.known_secrets import MARK, KnownSecrets, is_searchable
from nbmlops.core.secret_names import Holds, holds
from nbmlops.core.secret_settings import SecretSettings, secret_settings
from nbmlops.tracking.credential_files import credentials
from nbmlops.tracking.secret_formats import find_secrets, may_have_form, redact_addresses
from nbmlops.tracking.secret_sources import assigned_secrets, is_distinct, judge, quoted_passwords

_LEAST = 4
_LEAST_VARIABLE = 8
_LONG_WORD = 16
_MOST_FOUND = 1_000
_MOST_UNREAD = 10_000
_VALUE_OF = "value of "
_RANDOM = "random text"
_SOURCE = "source"
_NAMED = frozenset({"params", "parameters"})
"""Keys of documents below which names are the user's."""


class Redaction(Struct, frozen=True):
    """What was taken out, and of what; never the value.

    Attributes:
        what: Its kind, such as "AWS Access Key", or the name that it was known by.
        where: What it stood in, such as "parameter dsn".
    """

    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.what} in {self.where}"


class Redactor:
    """Takes secrets out of texts and documents. A process has one (`process_redactor`); it learns as it goes.

    Several threads may use it: no text goes out while another thread still learns what a cell calls a secret.

    Args:
        environment: The variables of this process, live.
        files: Gives the secrets of files, as (value, what it is); asked once.
        settings: Gives what the project says of secrets.
    """

    def __init__(
        self,
        environment: Mapping[str, str] = os.environ,
        files: Callable[[], Iterable[tuple[str, str]]] = credentials,
        settings: Callable[[], SecretSettings] = secret_settings,
    ) -> None:
        self._environment = environment
        self._files = files
        self._ask = settings
        self._settings = settings()
        self._of_files: dict[str, str] | None = None
        self._watched: dict[str, str] = {}
        self._names: list[str] = []
        self._learned: dict[str, str] = {}
        self._unread: deque[str] = deque(maxlen=_MOST_UNREAD)
        self._known = KnownSecrets()
        self._found: dict[Redaction, None] = {}
        self._lock = threading.RLock()

    @property
    def _allowed(self) -> frozenset[str]:
        return self._ask().allowed

    @property
    def found(self) -> tuple[Redaction, ...]:
        """What was taken out so far."""
        return tuple(self._found)

    def forget_found(self) -> None:
        """Forgets what was taken out: what is told from now on is of another run."""
        self._found = {}

    def know_variables(self, variables: Mapping[str, str]) -> None:
        """Notes the secrets in variables of another process."""
        for name, text in _watched(variables, self._ask().variables):
            for value, what in self._of_variable(name, text):
                self._learn(value, what)

    def learn_later(self, source: str) -> None:
        """Notes a cell's source, which is read when a text goes out next: who runs the cell need not wait for it."""
        self._unread.append(source)

    def learn(self, source: str) -> None:
        """Notes the secrets that a cell's source holds: those that are certain."""
        for secret in assigned_secrets(source):
            if secret.is_distinct and not {secret.value, secret.name} & self._allowed:
                self._learn(secret.value, f"{_VALUE_OF}{secret.name}")
        for value, what in find_secrets(source):
            self._learn(value, what)

    def source(self, source: str, where: str) -> str:
        """Returns the source of a cell without the secrets in it, what only looks random included where it is assigned.

        Args:
            source: The cell.
            where: What it is, for people.
        """
        self.learn(source)
        found = [one for one in assigned_secrets(source) if not {one.value, one.name} & self._allowed]
        own = KnownSecrets({one.value: f"{_VALUE_OF}{one.name}" if one.certain else _RANDOM for one in found})
        return self.text(self._without(own, source, where), where)

    def _without(self, secrets: KnownSecrets, text: str, where: str) -> str:
        text, whats = secrets.redact(text)
        for what in sorted(whats):
            self._note(what, where)
        return text

    def text(self, text: str, where: str) -> str:
        """Returns the text without secrets.

        Args:
            text: Any text.
            where: What it is, for people.
        """
        if len(text) < _LEAST:
            return text
        if may_have_form(text):
            for value, what in find_secrets(text):
                self._learn(value, what)
            passwords = KnownSecrets(
                {
                    one.value: f"{_VALUE_OF}{one.name}"
                    for one in quoted_passwords(text)
                    if not {one.value, one.name} & self._allowed
                }
            )
            text = self._without(passwords, text, where)
        text = self._without(self._current(), text, where)
        return redact_addresses(text, lambda value: value not in self._allowed)

    def value(self, name: str, value: Json, where: str) -> Json:
        """Returns what a name was given, without secrets, which may show by the name.

        Args:
            name: Of a parameter, for example.
            value: What it was given.
            where: What it is, for people.
        """
        if isinstance(value, str) and not {name, value} & self._allowed:
            verdict = judge(name, value)
            if verdict and is_distinct(value):
                self._learn(value, f"{_VALUE_OF}{name}")
            if verdict is not None:
                self._note(f"{_VALUE_OF}{name}" if verdict else _RANDOM, where)
                return MARK
        elif isinstance(value, int) and holds(name) is Holds.SECRET and not isinstance(value, bool):
            text = self.value(name, str(value), where)
            return value if text == str(value) else text
        return self.document(value, where)

    def document(self, value: Json, where: str) -> Json:
        """Returns a plain value without secrets: the same one if there are none.

        Args:
            value: As JSON has it.
            where: What it is, for people.
        """
        if not self._is_suspicious(value):
            return value
        return self._walk(value, where, named=False)

    def _walk(self, value: Json, where: str, *, named: bool) -> Json:
        if isinstance(value, str):
            return self.text(value, where)
        if isinstance(value, Mapping):
            return {self._key(key, where): self._entry(key, item, where, named=named) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._walk(item, where, named=False) for item in value]
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return MARK if is_number and str(value) in self._current().what else value

    def _key(self, key: str, where: str) -> str:
        """Returns a key without secrets; a plain word is ours, or a name, and tells nobody that it is a password."""
        return key if key.isalpha() and len(key) < _LONG_WORD else self.text(key, where)

    def _entry(self, key: str, item: Json, where: str, *, named: bool) -> Json:
        if named or (isinstance(item, str) and holds(key) is Holds.SECRET):
            return self.value(key, item, f"{where} {key}")
        if key == _SOURCE and isinstance(item, str):
            return self.source(item, f"{where} {key}")
        return self._walk(item, f"{where} {key}", named=key in _NAMED)

    def _is_suspicious(self, value: Json) -> bool:
        """Returns whether a closer look is worth its time; most documents hold names, digests and numbers."""
        texts: list[str] = []
        if _gather(value, texts):
            return True
        known = self._current()
        return known.may_be_in("\n".join(texts))

    def _current(self) -> KnownSecrets:
        """Returns what is known now; a cell may have set a variable."""
        with self._lock:
            return self._refreshed()

    def _refreshed(self) -> KnownSecrets:
        while self._unread:
            self.learn(self._unread.popleft())
        settings, names = self._ask(), list(self._environment)
        if self._of_files is None:
            self._of_files = dict(self._files())
        elif settings is self._settings and names == self._names and not self._watched_changed():
            return self._known
        self._settings = settings
        self._watched = dict(_watched(self._environment, settings.variables))
        self._names = names
        named = {value: what for name, text in self._watched.items() for value, what in self._of_variable(name, text)}
        configured = dict.fromkeys(_of_addresses(settings.address), "password of the store's address")
        known = {**self._of_files, **configured, **named, **self._learned}
        self._known = KnownSecrets(
            {
                value: what
                for value, what in known.items()
                if not {value, what.removeprefix(_VALUE_OF)} & settings.allowed
            }
        )
        return self._known

    def _watched_changed(self) -> bool:
        """Returns whether a variable that holds a secret has changed; looking at all takes ten times as long."""
        get = self._environment.get
        return any(get(name) != text for name, text in self._watched.items())

    def _of_variable(self, name: str, text: str) -> Iterator[tuple[str, str]]:
        said = Holds.SECRET if name in self._settings.variables else holds(name)
        if said is not Holds.NOTHING:
            yield text, f"{_VALUE_OF}{name}"
        for secret in _of_addresses(text):
            yield secret, f"{_VALUE_OF}{name}"

    def _learn(self, value: str, what: str) -> None:
        if value in self._allowed or not is_searchable(value) or MARK in value:
            return
        with self._lock:
            if value not in self._current().what:
                self._learned[value] = what
                self._known = KnownSecrets({**self._known.what, value: what})

    def _note(self, what: str, where: str) -> None:
        if len(self._found) < _MOST_FOUND:
            self._found[Redaction(what, where)] = None


def _gather(value: Json, texts: list[str]) -> bool:
    """Returns whether a text in a plain value may be a secret by its form or name; adds all texts to the list."""
    if isinstance(value, str):
        texts.append(value)
        return may_have_form(value)
    if isinstance(value, Mapping):
        for key, item in value.items():
            texts.append(key)
            is_users = key == _SOURCE or key in _NAMED or holds(key) is Holds.SECRET
            if is_users or may_have_form(key) or _gather(item, texts):
                return True
        return False
    if isinstance(value, list | tuple):
        return any(_gather(item, texts) for item in value)
    if isinstance(value, int) and not isinstance(value, bool):
        texts.append(str(value))
    return False


def _watched(environment: Mapping[str, str], more: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yields the variables that hold secrets or addresses."""
    for name in list(environment):
        text = environment.get(name, "")  # another thread may have removed it
        said = Holds.SECRET if name in more else holds(name)
        is_token = said is Holds.MAYBE and len(text) >= _LEAST_VARIABLE and " " not in text
        if said is Holds.SECRET or is_token or "://" in text:
            yield name, text


def _of_addresses(text: str) -> Iterator[str]:
    """Yields the secrets of the addresses in a text, as they stand there and decoded."""
    for secret, _ in find_secrets(text) if "://" in text else ():
        yield secret
        yield unquote(secret)


_REDACTOR = Redactor()


def process_redactor() -> Redactor:
    """Returns the redactor of this process."""
    return _REDACTOR
