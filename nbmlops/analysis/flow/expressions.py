"""Flow analysis of expressions: what they read, and which objects their value may be.

`ExpressionWalker` is the lowest of the three layers of the flow analysis (expressions, calls, statements). It holds the
walk's context: the open scope, the state at this point, and the record that collects.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from msgspec import Struct, field

from nbmlops.analysis.fidelity.whole import Access
from nbmlops.analysis.files import literal_path, names_file
from nbmlops.analysis.flow.knowledge import BUILTINS, FRAME_NAMESPACES, SELF_ATTRIBUTES, VIEW_ATTRIBUTES
from nbmlops.analysis.flow.objects import NONE, Heap, ObjectKind, Objects
from nbmlops.analysis.flow.record import Callables, Problem, ProblemKind, Record, State, Summary
from nbmlops.analysis.flow.scope import Frame, FrameKind, Key
from nbmlops.core.syntax import children, walk


class Names(Struct):
    """What is known of the notebook's names before the flow analysis starts.

    Attributes:
        bound: Names that any cell binds, by statement, import, definition or `global`.
        imports: Imported name -> dotted path of what it is.
        data: Names that hold values made while running (not imports, definitions or constants).
        definitions: Names of functions and classes with one meaning.
        walrus: Whether `:=` occurs in the notebook.
        accesses: Calls that reach names which are not known before they run.
    """

    bound: frozenset[str] = frozenset()
    imports: Mapping[str, str] = field(default_factory=dict)
    data: frozenset[str] = frozenset()
    definitions: frozenset[str] = frozenset()
    walrus: bool = True
    accesses: Mapping[ast.AST, Access] = field(default_factory=dict)


class ExpressionWalker(ABC):
    """Walks expressions. Methods return the objects that a value may be."""

    def __init__(self, names: Names, callables: Callables, heap: Heap) -> None:
        self.names = names
        self.callables = callables
        self.heap = heap
        self.frame = Frame(FrameKind.MODULE)
        self.state = State()
        self.record = Record()
        self.local_imports: dict[Key, str] = {}
        self.local_functions: dict[Key, tuple[Summary, ...]] = {}
        # Values of tuples, item by item, so that unpacking them right away stays exact.
        self.items: dict[ast.expr, tuple[Objects, ...]] = {}
        self.uncertain = 0
        # How many open `try` blocks catch that a name is not bound.
        self.forgiving = 0
        self.writing = 0
        self._serial = 0
        self._rules: dict[type[ast.expr], Callable[..., Objects]] = {
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.Call: self.call,
            ast.Constant: self._constant,
            ast.Tuple: self._display,
            ast.List: self._display,
            ast.Set: self._display,
            ast.Dict: self._dict,
            ast.BinOp: self._binary,
            ast.BoolOp: self._boolean,
            ast.UnaryOp: self._unary,
            ast.Compare: self._compare,
            ast.IfExp: self._conditional,
            ast.NamedExpr: self._walrus,
            ast.Lambda: self.lambda_,
            ast.ListComp: self._comprehension,
            ast.SetComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
            ast.DictComp: self._comprehension,
            ast.Starred: self._starred,
            ast.Await: self._await,
            ast.Yield: self._yield,
            ast.YieldFrom: self._yield,
        }

    @abstractmethod
    def call(self, node: ast.Call) -> Objects:
        """Returns what a call may give back."""

    @abstractmethod
    def lambda_(self, node: ast.Lambda) -> Objects:
        """Returns the object of a lambda."""

    @abstractmethod
    def mention_function(self, name: str, node: ast.AST) -> None:
        """Notes that one of the notebook's own functions occurs where it is not called."""

    @abstractmethod
    def assign(self, target: ast.expr, objects: Objects, value: ast.expr | None) -> None:
        """Binds or changes a target."""

    def evaluate(self, node: ast.expr) -> Objects:
        """Walks an expression and returns what its value may be."""
        rule = self._rules.get(type(node))
        return rule(node) if rule is not None else self._parts_of_syntax(node)

    def evaluate_all(self, nodes: list[ast.expr]) -> Objects:
        """Walks expressions in order and returns what any of their values may be."""
        found = NONE
        for node in nodes:
            found |= self.evaluate(node)
        return found

    def owner(self, node: ast.expr) -> Objects:
        """Returns the objects that are changed when something is stored in the value of this expression.

        Unlike a value taken out of a pandas object, which is a new one, a store through `df["a"]` does reach `df`.
        """
        if isinstance(node, ast.Attribute | ast.Subscript) and self.dotted(node) is None:
            below = self.owner(node.value)
            if isinstance(node, ast.Subscript):
                self.evaluate(node.slice)
            elif node.attr in SELF_ATTRIBUTES:
                return below | self.heap.parts(below)
            return self.heap.parts(below)
        return self.evaluate(node)

    def dotted(self, node: ast.expr) -> str | None:
        """Returns the dotted path of an imported thing or builtin ("pandas.read_csv"), or None for any other value."""
        if isinstance(node, ast.Attribute):
            below = self.dotted(node.value)
            return f"{below}.{node.attr}" if below is not None else None
        if not isinstance(node, ast.Name):
            return None
        key = self.frame.resolve(node.id)
        if not isinstance(key, str):
            return self.local_imports.get(key)
        path = self.names.imports.get(key)
        if path is None and key not in self.names.bound:
            if key in BUILTINS:
                return f"builtins.{key}"
            if key in {"nbmlops", "matplotlib_inline"}:  # what stands for magics
                return key
        return path

    def read(self, name: str, node: ast.AST, *, soft: bool = False) -> None:
        """Notes that a name of the notebook is read here."""
        if name in self.state.bound:
            return
        if soft:
            self.record.soft.setdefault(name, node)
            return
        self.record.reads.setdefault(name, node)
        if name not in self.state.may and not self.forgiving:
            self.record.strict.setdefault(name, node)

    def look_up(self, key: Key) -> Objects:
        """Returns what a variable may refer to."""
        found = self.state.objects(key)
        if found is not None:
            return found
        if isinstance(key, str) and (key in self.names.imports or key not in self.names.data):
            return NONE
        found = self.heap.make(("variable", key))
        if not self.frame.in_function():
            self.refer(key, found)
        return found

    def refer(self, key: Key, objects: Objects) -> None:
        """Notes to what a variable may refer from here on."""
        self.state.refer(key, objects)
        if isinstance(key, str):
            self.heap.name(objects, key)

    def bind(self, name: str, objects: Objects) -> None:
        """Notes that a name is bound here to one of the objects."""
        frame = self.frame
        key = frame.resolve(name)
        state = self.state
        if isinstance(key, str):
            if frame.in_function():
                self.record.mentions.setdefault(key, ast.Name(name, ast.Store()))
            else:
                self.record.touched.add(name)
        state.may.add(key)
        self.local_imports.pop(key, None)
        self.local_functions.pop(key, None)
        if self.uncertain:
            self.refer(key, (state.objects(key) or NONE) | objects)
            return
        state.bound.add(key)
        state.deleted.discard(key)
        self.refer(key, objects)

    def problem(self, kind: ProblemKind, node: ast.AST, name: str = "") -> None:
        """Notes a construct that cannot be compiled."""
        found = Problem(kind, node, name)
        if found not in self.record.problems:
            self.record.problems.append(found)

    @contextmanager
    def maybe(self) -> Iterator[None]:
        """Marks what is walked inside as code that may not run."""
        self.uncertain += 1
        yield
        self.uncertain -= 1

    def new_serial(self) -> int:
        """Returns a number that no other scope has."""
        self._serial += 1
        return self._serial

    def _name(self, node: ast.Name) -> Objects:
        key = self.frame.resolve(node.id)
        if isinstance(key, str):
            self.record.mentions.setdefault(key, node)
            if key in self.callables.functions or key in self.callables.classes:
                self.mention_function(key, node)
            self.read(key, node)
        elif self.frame.kind is FrameKind.CLASS and key[0] == self.frame.serial and key not in self.state.bound:
            # Python looks such a name up among the class's names, then among the module's, never in a function around.
            self.record.mentions.setdefault(node.id, node)
            self.read(node.id, node)
            self.problem(ProblemKind.CLASS_SCOPE, node, node.id)
            return self.look_up(key) | self.look_up(node.id)
        return self.look_up(key)

    def _attribute(self, node: ast.Attribute) -> Objects:
        if self.dotted(node) is not None:
            self.mention_root(node)
            return NONE
        below = self.evaluate(node.value)
        if node.attr in FRAME_NAMESPACES:
            self.problem(ProblemKind.NAMESPACE, node, node.attr)
        self.property_read(node.attr, node)
        if node.attr in VIEW_ATTRIBUTES and self._kind(below) is ObjectKind.OPAQUE:
            return below
        return self._taken_out(below, node)

    @abstractmethod
    def property_read(self, name: str, node: ast.AST) -> None:
        """Notes that an attribute is read, which may run a property of the notebook's own classes."""

    def mention_root(self, node: ast.expr) -> None:
        """Notes the occurrence of the name that a dotted path starts with."""
        while isinstance(node, ast.Attribute):
            node = node.value
        self.evaluate(node)

    def _subscript(self, node: ast.Subscript) -> Objects:
        below = self.evaluate(node.value)
        self.evaluate(node.slice)
        if _selects(node.slice):
            # Selecting by a list or a mask copies, in pandas and in numpy.
            return self.heap.make(node, self._kind(below))
        if isinstance(node.slice, ast.Slice):
            containers = frozenset(item for item in below if self.heap.kind(item) is ObjectKind.CONTAINER)
            if containers:
                return self.heap.make(node, ObjectKind.CONTAINER, self.heap.parts(containers)) | (below - containers)
        return self._taken_out(below, node)

    def _taken_out(self, below: Objects, node: ast.expr) -> Objects:
        found = self.inside(below)
        if any(self.heap.kind(item) is ObjectKind.FRAME for item in below):
            found |= self.heap.make(node, ObjectKind.FRAME)
        return found

    def inside(self, below: Objects) -> Objects:
        """Returns what an item may be that is already there; from pandas objects one gets new ones."""
        return self.heap.parts(frozenset(item for item in below if self.heap.kind(item) is not ObjectKind.FRAME))

    def _kind(self, objects: Objects) -> ObjectKind:
        is_frame = bool(objects) and all(self.heap.kind(item) is ObjectKind.FRAME for item in objects)
        return ObjectKind.FRAME if is_frame else ObjectKind.OPAQUE

    def _constant(self, node: ast.Constant) -> Objects:
        if isinstance(node.value, str) and not self.writing and names_file(node.value):
            self.record.files.setdefault(node.value)
        return NONE

    def _display(self, node: ast.Tuple | ast.List | ast.Set) -> Objects:
        values = tuple(self.evaluate(item) for item in node.elts)
        self.items[node] = values
        return self.heap.make(node, ObjectKind.CONTAINER, frozenset().union(*values))

    def _dict(self, node: ast.Dict) -> Objects:
        contents: Objects = NONE
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None:
                contents |= self.evaluate(key)
                contents |= self.evaluate(value)
            else:
                contents |= self.heap.parts(self.evaluate(value))
        return self.heap.make(node, ObjectKind.CONTAINER, contents)

    def _binary(self, node: ast.BinOp) -> Objects:
        path = literal_path(node) if isinstance(node.op, ast.Div) else ""
        if path:
            if names_file(path) and not self.writing:
                self.record.files.setdefault(path)
            with self.literals_unnoted():
                self.evaluate_all([node.left, node.right])
            return NONE
        left = self.evaluate(node.left)
        right = self.evaluate(node.right)
        kinds = {self.heap.kind(item) for item in left | right}
        if not kinds:
            return NONE
        if ObjectKind.CONTAINER in kinds:
            return self.heap.make(node, ObjectKind.CONTAINER, self.heap.parts(left | right))
        return self.heap.make(node, ObjectKind.FRAME if ObjectKind.FRAME in kinds else ObjectKind.OPAQUE)

    @contextmanager
    def literals_unnoted(self) -> Iterator[None]:
        """Keeps string literals walked inside from counting as files that are read."""
        self.writing += 1
        yield
        self.writing -= 1

    def _boolean(self, node: ast.BoolOp) -> Objects:
        first = self.evaluate(node.values[0])
        with self.maybe():
            return first | self.evaluate_all(node.values[1:])

    def _unary(self, node: ast.UnaryOp) -> Objects:
        below = self.evaluate(node.operand)
        return self.heap.make(node, self._kind(below)) if below else NONE

    def _compare(self, node: ast.Compare) -> Objects:
        below = self.evaluate_all([node.left, *node.comparators])
        return self.heap.make(node, self._kind(below)) if below else NONE

    def _conditional(self, node: ast.IfExp) -> Objects:
        self.evaluate(node.test)
        with self.maybe():
            return self.evaluate(node.body) | self.evaluate(node.orelse)

    def _walrus(self, node: ast.NamedExpr) -> Objects:
        objects = self.evaluate(node.value)
        inner, self.frame = self.frame, self.frame.holder()
        self.bind(node.target.id, objects)
        self.frame = inner
        return objects

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Objects:
        first, *_ = node.generators
        iterated = self.evaluate(first.iter)
        outer = self.frame
        targets = {
            name.id for generator in node.generators for name in walk(generator.target) if isinstance(name, ast.Name)
        }
        self.frame = Frame(FrameKind.COMPREHENSION, self.new_serial(), outer, targets)
        sources = iterated
        with self.maybe():
            for generator in node.generators:
                if generator is not first:
                    iterated = self.evaluate(generator.iter)
                    sources |= iterated
                self.assign(generator.target, self.heap.parts(iterated), None)
                self.evaluate_all(generator.ifs)
            inside = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            contents = self.evaluate_all(inside)
        self.frame = outer
        # A generator has yet to look at what it iterates.
        held = contents | sources if isinstance(node, ast.GeneratorExp) else contents
        return self.heap.make(node, ObjectKind.CONTAINER, held)

    def _starred(self, node: ast.Starred) -> Objects:
        return self.heap.parts(self.evaluate(node.value))

    def _await(self, node: ast.Await) -> Objects:
        return self.evaluate(node.value)

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> Objects:
        if node.value is not None:
            self.yielded(self.evaluate(node.value))
        return self.heap.make(node)

    @abstractmethod
    def yielded(self, objects: Objects) -> None:
        """Notes what a generator function hands out."""

    def _parts_of_syntax(self, node: ast.AST) -> Objects:
        """Walks what has no rule of its own: f-strings, slices, keywords."""
        for child in children(node):
            if isinstance(child, ast.expr):
                self.evaluate(child)
            else:
                self._parts_of_syntax(child)
        return NONE


def _selects(index: ast.expr) -> bool:
    """Returns whether an index surely is a list or a mask."""
    match index:
        case ast.List() | ast.ListComp() | ast.Compare() | ast.UnaryOp(op=ast.Invert()):
            return True
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr() | ast.BitXor()):
            return True
        case _:
            return False
