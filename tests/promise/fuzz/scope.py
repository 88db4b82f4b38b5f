"""What the grammar knows while it writes a program: which names exist, of what kind they are, and what functions need.

Every kind comes with an invariant that every production keeps ("a LIST is a list of at least one int"), so that a
program is valid whatever its names share. What the model cannot know, the linear run decides: it discards the program.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace


class Kind(StrEnum):
    """What a name holds."""

    INT = "int"
    FLOAT = "float"
    TEXT = "text"
    FLAG = "bool"
    LIST = "list of ints, at least one"
    ROWS = "list of lists of ints, at least one"
    DICT = "dict from text to int, with the keys a and b"
    TABLE = "dict from text to list of ints, with the key a"
    SET = "set of ints"
    TUPLE = "tuple of ints, at least one"
    PAIR = "tuple of two lists of ints"
    ARRAY = "numpy array of one dimension, at least one element"
    GRID = "numpy array of two dimensions, at least one element"
    SCALAR = "numpy scalar"
    FRAME = "frame with the columns a (int), b (float) and g (text or category), at least one row"
    SERIES = "series of numbers, at least one"
    GENERATOR = "numpy Generator"
    DICE = "random.Random"
    THING = "instance of a class of the notebook, with n (int), items (LIST), add(int) and total()"
    RECORD = "dataclass instance with n (int) and items (LIST)"
    POINT = "named tuple with x (int) and y (LIST)"
    COLOR = "member of an enum of the notebook"
    CALLABLE = "function or partial from int to int, kept in a variable"
    HANDLERS = "dict from text to CALLABLE, with the key a"
    QUEUE = "deque of ints, at least one"
    COUNTS = "collections.Counter or defaultdict(int)"
    STREAM = "iterator of ints, which never fails with a default"
    MODULE = "imported module"
    SEED = "a global random generator that was seeded"


# Kinds whose values can change in place, so that it matters who shares them.
MUTABLE = (
    Kind.LIST, Kind.ROWS, Kind.DICT, Kind.TABLE, Kind.SET, Kind.PAIR, Kind.ARRAY, Kind.GRID, Kind.FRAME, Kind.SERIES,
    Kind.GENERATOR, Kind.DICE, Kind.THING, Kind.RECORD, Kind.POINT, Kind.QUEUE, Kind.COUNTS,
)  # fmt: skip
# Kinds whose text is the same in every process: no addresses in it.
SHOWN = (
    Kind.INT, Kind.FLOAT, Kind.TEXT, Kind.FLAG, Kind.LIST, Kind.ROWS, Kind.DICT, Kind.TABLE, Kind.SET, Kind.TUPLE,
    Kind.PAIR, Kind.ARRAY, Kind.GRID, Kind.SCALAR, Kind.FRAME, Kind.SERIES, Kind.RECORD, Kind.POINT, Kind.COLOR,
    Kind.QUEUE, Kind.COUNTS,
)  # fmt: skip
# Kinds that any name of a function's or block's own may get.
PLAIN = (Kind.INT, Kind.FLOAT, Kind.TEXT, Kind.LIST, Kind.DICT, Kind.TUPLE, Kind.SET)


class Function(Struct, frozen=True):
    """A function of the notebook.

    Attributes:
        parameters: The kind of each positional parameter.
        returns: What it gives back.
        needs: Names of the notebook that calling it reads, with the kind that each must have.
        binds: Names of the notebook that calling it binds.
    """

    parameters: tuple[Kind, ...]
    returns: Kind
    needs: dict[str, Kind] = field(default_factory=dict)
    binds: dict[str, Kind] = field(default_factory=dict)


class Made(Struct, frozen=True):
    """A class of the notebook: what its instances are, and what making and using one needs."""

    kind: Kind
    needs: dict[str, Kind] = field(default_factory=dict)


class Scope(Struct):
    """The names at one point of a program.

    Attributes:
        names: Bound names by kind.
        functions: Functions of the notebook by name.
        classes: Classes of the notebook by name.
        maybe: Names that only some path binds.
        own: Inside a function: its local names; None at the top level.
        declared: Inside a function: names declared `global`.
        outside: Inside a function: names of the notebook that it read, with their kinds.
        top: Inside a function: the names of the notebook.
    """

    names: dict[str, Kind] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, Made] = field(default_factory=dict)
    maybe: dict[str, Kind] = field(default_factory=dict)
    own: set[str] | None = None
    declared: set[str] = field(default_factory=set)
    outside: dict[str, Kind] = field(default_factory=dict)
    top: dict[str, Kind] | None = None

    def copy(self) -> Scope:
        """Returns an independent scope that holds the same."""
        return replace(
            self,
            names=dict(self.names),
            functions=dict(self.functions),
            classes=dict(self.classes),
            maybe=dict(self.maybe),
            own=None if self.own is None else set(self.own),
            declared=set(self.declared),
            outside=dict(self.outside),
        )

    def satisfies(self, needs: dict[str, Kind]) -> bool:
        """Returns whether all those names of the notebook are bound, each to the kind."""
        names = self.names if self.top is None else self.top
        return all(names.get(name) is kind for name, kind in needs.items())

    def bind(self, name: str, kind: Kind) -> None:
        """Notes that the name is bound here."""
        self.names[name] = kind
        self.functions.pop(name, None)
        self.classes.pop(name, None)
        self.maybe.pop(name, None)
        if self.own is not None and name not in self.declared:
            self.own.add(name)

    def unbind(self, name: str) -> None:
        """Notes that the name is gone."""
        for table in (self.names, self.functions, self.classes, self.maybe):
            table.pop(name, None)

    def note(self, name: str, kind: Kind) -> None:
        """Notes that code in this scope reads the name."""
        if self.own is not None and name not in self.own:
            self.outside[name] = kind

    def note_all(self, needs: dict[str, Kind]) -> None:
        """Notes that code in this scope calls something that reads these names of the notebook."""
        if self.own is not None:
            self.outside |= needs
