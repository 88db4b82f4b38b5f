"""The writer of programs: it draws choices, knows the scope, and collects the constructs that it writes.

Productions are functions from a `Writer` to lines of code, registered with `@statement` or `@expression`. One that does
not fit the scope raises `NotHere`; the writer then takes another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.promise.fuzz.scope import MUTABLE, Function, Kind, Scope

Lines = list[str]
_POOL = (*"abcdxyz", "xs", "ys", "total", "data", "rows", "left", "right", "value", "n", "k", "result", "frame", "item")
_BUILTINS = ("sum", "max", "id", "type", "input", "filter")
_LOCALS = ("acc", "out", "tmp", "x", "n", "data", "value", "item")
_TRIES = 6


class NotHere(Exception):
    """The production needs a name of a kind that is not in scope."""


@dataclass(frozen=True, slots=True)
class Production:
    """A way to write a statement or an expression."""

    construct: str
    weight: int
    write: Callable[[Writer], Any]


STATEMENTS: list[Production] = []
EXPRESSIONS: dict[Kind, list[Production]] = {}


def statement(construct: str, weight: int = 2) -> Callable[[Callable[[Writer], Lines]], Callable[[Writer], Lines]]:
    """Registers a production of statements: lines without indentation."""

    def register(write: Callable[[Writer], Lines]) -> Callable[[Writer], Lines]:
        STATEMENTS.append(Production(construct, weight, write))
        return write

    return register


def expression(
    kind: Kind, construct: str, weight: int = 2
) -> Callable[[Callable[[Writer], str]], Callable[[Writer], str]]:
    """Registers a production of expressions of a kind."""

    def register(write: Callable[[Writer], str]) -> Callable[[Writer], str]:
        EXPRESSIONS.setdefault(kind, []).append(Production(construct, weight, write))
        return write

    return register


class Writer:
    """Writes code at one place of a program.

    Args:
        choices: Where choices come from.
    """

    def __init__(self, choices: Random) -> None:
        self._choices = choices
        self.scope = Scope()
        self.constructs: set[str] = set()
        # How many blocks that may not run, and how many expressions, are open.
        self.blocks = 0
        self.depth = 0
        # Names that functions read and nothing binds yet: late binding is only tested where somebody binds them.
        self.wanted: dict[str, Kind] = {}
        self._serial = 0

    # Choices

    def integer(self, low: int, high: int) -> int:
        """Returns a number between the two, both included."""
        return self._choices.randint(low, high)

    def chance(self, percent: int) -> bool:
        """Returns True in about that share of the cases."""
        return self.integer(0, 99) < percent

    def pick(self, options: Sequence[Any]) -> Any:
        """Returns one of the options."""
        if not options:
            raise NotHere
        return options[self.integer(0, len(options) - 1)]

    def fill(self, templates: Sequence[str], **parts: str) -> str:
        """Returns one of the templates with its `<parts>` filled in."""
        text: str = self.pick(templates)
        for name, part in parts.items():
            text = text.replace(f"<{name}>", part)
        return text

    def choose(self, productions: Sequence[Production]) -> Any:
        """Returns what one of the productions writes, by their weights.

        Raises:
            NotHere: none that was tried fits.
        """
        total = sum(production.weight for production in productions)
        for _ in range(_TRIES):
            at = self.integer(0, total - 1)
            for production in productions:
                at -= production.weight
                if at < 0:
                    break
            before, known = self.scope.copy(), set(self.constructs)
            try:
                written = production.write(self)
            except NotHere:
                self.scope, self.constructs = before, known
            else:
                self.constructs.add(production.construct)
                return written
        raise NotHere

    # Names

    def visible(self, *kinds: Kind) -> list[str]:
        """Returns the names of these kinds that code may read here."""
        return [name for name, kind in self.scope.names.items() if kind in kinds]

    def name(self, *kinds: Kind) -> str:
        """Returns a name of one of the kinds, noted as read.

        Raises:
            NotHere: there is none.
        """
        found: str = self.pick(self.visible(*kinds))
        self.scope.note(found, self.scope.names[found])
        return found

    def need(self, name: str, kind: Kind = Kind.MODULE) -> str:
        """Returns the name, noted as read, if it is what one expects.

        Raises:
            NotHere: it is not.
        """
        if self.scope.names.get(name) is not kind:
            raise NotHere
        self.scope.note(name, kind)
        return name

    def builtin(self, name: str) -> str:
        """Returns the name of a builtin if nothing hides it.

        Raises:
            NotHere: something does.
        """
        scope = self.scope
        hidden = scope.names.keys() | scope.functions.keys() | scope.maybe.keys() | (scope.own or set())
        if name in hidden:
            raise NotHere
        return name

    def new(self, kind: Kind, *, fresh: bool = False) -> str:
        """Returns the name to bind to a value of the kind, noted as bound: a new one, or one that is bound again."""
        name = self._target(kind, fresh=fresh)
        if self.blocks and name not in self.scope.names:
            self.scope.maybe[name] = kind
            if self.scope.own is not None:
                self.scope.own.add(name)
        else:
            self.scope.bind(name, kind)
        return name

    def _target(self, kind: Kind, *, fresh: bool) -> str:
        scope = self.scope
        if scope.own is not None:
            same = [name for name in scope.own | scope.declared if scope.names.get(name) is kind]
            free = [name for name in _LOCALS if name not in scope.outside and name not in scope.declared]
            free = [name for name in free if not self.blocks or name not in scope.names]
            free = [name for name in free if name not in scope.functions and name not in scope.maybe]
            found: str = self.pick(sorted(same)) if same and self.chance(50) else self.pick(free)
            return found
        wanted = [name for name, known in self.wanted.items() if known is kind and name not in scope.names]
        if wanted and not self.blocks and self.chance(60):
            return str(self.pick(wanted))
        same = self.visible(kind)
        if same and not fresh and self.chance(35):
            return str(self.pick(same))
        taken = scope.maybe.keys() | scope.functions.keys() | scope.classes.keys()
        taken |= {name for name, known in scope.names.items() if known in {Kind.MODULE, Kind.SEED}}
        if self.blocks or fresh:
            taken |= scope.names.keys()
        if self.chance(2) and not self.blocks and kind in {Kind.INT, Kind.FLOAT}:
            self.constructs.add("names: builtin shadowed")
            return str(self.pick([name for name in _BUILTINS if name not in taken]))
        return str(self.pick([name for name in _POOL if name not in taken]))

    def fresh(self, stem: str) -> str:
        """Returns a name that no other has, for functions and classes."""
        self._serial += 1
        return f"{stem}{self._serial}"

    # Code

    def expr(self, kind: Kind) -> str:
        """Returns an expression of the kind: a name, a literal, or something that is made from others."""
        names = self.visible(kind)
        deep = self.depth >= 2
        if names and self.chance(50 if not deep else 80):
            return self.name(kind)
        productions = EXPRESSIONS.get(kind, [])
        simple = [production for production in productions if production.construct.startswith("literal")]
        self.depth += 1
        try:
            found: str = self.choose(simple if deep and simple else productions)
        finally:
            self.depth -= 1
        return found

    def statement(self) -> Lines:
        """Returns a statement."""
        found: Lines = self.choose(STATEMENTS)
        return found

    def block(self, most: int = 2) -> Lines:
        """Returns the indented lines of a block that may not run, or may run several times."""
        self.blocks += 1
        try:
            lines = [line for _ in range(self.integer(1, most)) for line in self._inner()]
        finally:
            self.blocks -= 1
        return indented(lines)

    def _inner(self) -> Lines:
        if self.blocks > 2:
            raise NotHere
        return self.statement()

    def run(self, function: str) -> Function:
        """Returns the function, its call noted: what it needs is read, what it binds is bound.

        Raises:
            NotHere: it cannot be called here.
        """
        found = self.scope.functions[function]
        if not self.scope.satisfies(found.needs) or (found.binds and (self.blocks or self.scope.own is not None)):
            raise NotHere
        self.scope.note_all(found.needs)
        for name, kind in found.binds.items():
            self.scope.bind(name, kind)
        return found

    @contextmanager
    def inside(self, parameters: dict[str, Kind]) -> Iterator[Scope]:
        """Opens the body of a function; the scope around comes back afterwards, what the body read stays known."""
        around, blocks = self.scope, self.blocks
        inner = around.copy()
        inner.outside, inner.declared, inner.maybe = {}, set(), {}
        inner.own = set()
        inner.top = dict(around.names) if around.top is None else around.top
        for name, kind in parameters.items():
            inner.bind(name, kind)
        self.scope, self.blocks = inner, 0
        try:
            yield inner
        finally:
            self.scope, self.blocks = around, blocks


def indented(lines: Sequence[str]) -> Lines:
    """Returns the lines moved to the right."""
    return ["    " + line for line in lines]


def mutable(writer: Writer) -> str:
    """Returns a name whose value can change in place.

    Raises:
        NotHere: there is none.
    """
    return writer.name(*MUTABLE)
