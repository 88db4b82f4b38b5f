"""What the flow analysis carries and collects: the state at a point, what some code did, and what a function does.

`State` belongs to a program point and is copied at branches; `Record` collects over a whole statement or function body;
`Summary` is the frozen outcome for a function, which calls of it look up.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct, field

from nbmlops.analysis.flow.objects import Objects
from nbmlops.analysis.flow.scope import Key


class State(Struct):
    """What holds at one point of the code.

    Attributes:
        bound: Variables that this code has bound on every path to here.
        may: Variables that it has bound on some path.
        deleted: Names of the notebook that `del` may have unbound, and nothing has bound again.
        env: What each variable may refer to where the statement or function begins; its states share it.
        since: What the variables may refer to that have been bound since then, None for those that were unbound.
        dead: Whether no path leads here.
    """

    bound: set[Key] = field(default_factory=set)
    may: set[Key] = field(default_factory=set)
    deleted: set[Key] = field(default_factory=set)
    env: dict[Key, Objects] = field(default_factory=dict)
    since: dict[Key, Objects | None] = field(default_factory=dict)
    dead: bool = False

    def copy(self) -> State:
        """Returns an independent state of the same statement or function that holds the same."""
        return State(set(self.bound), set(self.may), set(self.deleted), self.env, dict(self.since), self.dead)

    def objects(self, key: Key) -> Objects | None:
        """Returns what a variable may refer to here, None if nothing is known of it."""
        return self.since[key] if key in self.since else self.env.get(key)

    def refer(self, key: Key, objects: Objects) -> None:
        """Notes that a variable refers to one of the objects from here on."""
        self.since[key] = objects

    def forget(self, key: Key) -> None:
        """Notes that nothing is known of a variable from here on."""
        self.since[key] = None

    def next(self) -> State:
        """Returns the state in which the next statement begins; this one must not be asked for variables any more."""
        for key, objects in self.since.items():
            if objects is None:
                self.env.pop(key, None)
            else:
                self.env[key] = objects
        return State(env=self.env)


def join(states: Iterable[State]) -> State:
    """Returns what holds where paths meet; dead ones only add what they may have bound.

    All paths come from the start of one statement or function, so that only what they have bound since can differ: of
    the thousands of variables of a notebook, a few.
    """
    everything = list(states)
    alive = [state for state in everything if not state.dead]
    if not alive:
        merged = everything[0].copy() if everything else State()
        merged.dead = True
        for state in everything[1:]:
            merged.may |= state.may
        return merged
    merged = alive[0].copy()
    for state in alive[1:]:
        merged.bound &= state.bound
        merged.deleted |= state.deleted
        for key in (*merged.since, *(key for key in state.since if key not in merged.since)):
            objects, known = state.objects(key), merged.objects(key)
            if objects is not None:
                merged.since[key] = objects if known is None else known | objects
    for state in everything:
        merged.may |= state.may
    return merged


class ProblemKind(StrEnum):
    """Constructs that the flow analysis meets and that mean something else in a function, or cannot be compiled.

    NAMESPACE asks which names there are, EVERYTHING for names that are not known before the code runs.
    """

    NAMESPACE = "namespace"
    EVERYTHING = "everything"
    STAR_IMPORT = "star-import"
    CLASS_SCOPE = "class-scope"
    HIDDEN_IN_FUNCTION = "hidden-in-function"
    NESTED_GLOBAL = "nested-global"


class Problem(Struct, frozen=True):
    """One such construct: what, where, and the name or text that it is about."""

    kind: ProblemKind
    node: ast.AST
    name: str = ""


class Record(Struct):
    """What some code did, with the first place of each thing.

    Attributes:
        reads: Names read that were not bound on every path before.
        soft: Names that would be read if a function that is only mentioned here were called.
        strict: Of `reads`, those that nothing in this code may have bound before.
        mutates: Names whose object may have been changed.
        changed: Inside a function: the objects that may have been changed.
        touched: Names that this code binds, unbinds or annotates, directly.
        mentions: Names of the notebook that occur in the source, nested scopes included.
        dependencies: Functions (`f`) and methods (`.f`) of the notebook that it may call.
        settings: Changes of ambient state, by dotted path.
        api: Calls of the nbmlops API.
        files: Literals that name files.
        problems: What means something else in a function, or cannot be compiled.
        reads_all: Where it may read any name.
        binds_all: Where it may bind and unbind any name.
    """

    reads: dict[str, ast.AST] = field(default_factory=dict)
    soft: dict[str, ast.AST] = field(default_factory=dict)
    strict: dict[str, ast.AST] = field(default_factory=dict)
    mutates: dict[str, ast.AST] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    mentions: dict[str, ast.AST] = field(default_factory=dict)
    dependencies: set[str] = field(default_factory=set)
    settings: dict[str, ast.AST] = field(default_factory=dict)
    api: list[tuple[str, ast.Call]] = field(default_factory=list)
    files: dict[str, None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    reads_all: ast.AST | None = None
    binds_all: ast.AST | None = None


class TokenKind(StrEnum):
    """What a function gives back or changes, seen from its caller."""

    ARGUMENT = "argument"
    INSIDE_ARGUMENT = "inside-argument"
    NAME = "name"
    INSIDE_NAME = "inside-name"


class Token(Struct, frozen=True):
    """An argument or a name of the notebook, or what is inside of it."""

    kind: TokenKind
    name: str


class Summary(Struct, frozen=True):
    """What calling a function of the notebook does.

    Attributes:
        arguments: Names of the positional arguments, in order.
        named: All argument names.
        variadic: Names of `*args` and `**kwargs`.
        reads: Names of the notebook that it may read before binding them.
        binds: Names of the notebook that it binds (`global`) whenever it returns.
        may_bind: Names that it may bind.
        deletes: Names that it may unbind.
        changes: What it may change in place.
        returns: What it may give back; more than one entry for a tuple, entry by entry.
        frame: Whether what it gives back is a new pandas object, if it is new.
        settings: Ambient state that it changes.
        reads_all: Whether it may read any name of the notebook.
        binds_all: Whether it may bind and unbind any.
    """

    arguments: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    variadic: tuple[str, ...] = ()
    reads: frozenset[str] = frozenset()
    binds: frozenset[str] = frozenset()
    may_bind: frozenset[str] = frozenset()
    deletes: frozenset[str] = frozenset()
    changes: frozenset[Token] = frozenset()
    returns: tuple[frozenset[Token], ...] = ()
    frame: bool = False
    settings: frozenset[str] = frozenset()
    reads_all: bool = False
    binds_all: bool = False

    def changes_arguments(self) -> bool:
        """Returns whether it may change any of its arguments in place."""
        return any(token.kind in {TokenKind.ARGUMENT, TokenKind.INSIDE_ARGUMENT} for token in self.changes)


class Callables(Struct):
    """The notebook's own functions and methods, as far as they are known yet.

    Attributes:
        functions: Name -> what each definition of it does; more than one when it is defined again.
        methods: Method name -> what each class's method of that name does.
        classes: Class name -> its methods by name.
        bases: Class name -> the classes of the notebook that it inherits from, directly or not.
        records: What was found in each function's body.
        nodes: The functions and lambdas that have a name of the notebook or of one of its classes.
    """

    functions: dict[str, dict[ast.AST, Summary]] = field(default_factory=dict)
    methods: dict[str, dict[ast.AST, Summary]] = field(default_factory=dict)
    classes: dict[str, dict[str, Summary]] = field(default_factory=dict)
    bases: dict[str, frozenset[str]] = field(default_factory=dict)
    records: dict[ast.AST, Record] = field(default_factory=dict)
    nodes: set[ast.AST] = field(default_factory=set)

    def summary(self, node: ast.AST) -> Summary:
        """Returns what is known so far of one of the functions."""
        tables = (*self.functions.values(), *self.methods.values())
        return next((table[node] for table in tables if node in table), Summary())
