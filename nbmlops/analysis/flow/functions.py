"""Flow analysis of functions and classes: a body is walked in a scope of its own, and summed up for its callers.

The fourth layer, between assignments and statements.
"""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Sequence

from nbmlops.analysis.flow.assignments import AssignmentWalker
from nbmlops.analysis.flow.expressions import Names
from nbmlops.analysis.flow.objects import NONE, Heap, ObjectKind, Objects
from nbmlops.analysis.flow.record import Callables, ProblemKind, Record, State, Summary, Token, TokenKind, join
from nbmlops.analysis.flow.scope import Frame, FrameKind, FunctionNode, Key, argument_names, collect_names


class FunctionWalker(AssignmentWalker):
    """Walks definitions, and the bodies of functions when they are summed up."""

    def __init__(self, names: Names, callables: Callables, heap: Heap) -> None:
        super().__init__(names, callables, heap)
        # For each open loop the states at its `break` and `continue`, for each open function those at its exits.
        self._breaks: list[list[State]] = []
        self._continues: list[list[State]] = []
        self._exits: list[list[State]] = []
        self._returned_values: list[list[tuple[Objects, ...]]] = []

    @abstractmethod
    def block(self, body: Sequence[ast.stmt]) -> None:
        """Walks statements, one after the other."""

    def summarize(self, node: FunctionNode) -> Summary:
        """Returns what a function does when called; what its body mentions is noted here, where it stands."""
        outer = (self.frame, self.record, self.state, self.uncertain, self.restoring)
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        names = collect_names(body, walrus=self.names.walrus)
        arguments = argument_names(node.args)
        frame = Frame(FrameKind.FUNCTION, self.new_serial(), self.frame, names.locals() | set(arguments), names.globals)
        self._check_nested_globals(node, names.globals)
        env = self._variables_of_functions()
        self.frame, self.record, self.state, self.uncertain, self.restoring = frame, Record(), State(env=env), 0, 0
        for argument in arguments:
            self.refer((frame.serial, argument), self.heap.make((node, argument)))
        self.receivers.append(self.look_up((frame.serial, arguments[0])) if arguments else NONE)
        self._exits.append([])
        self._returned_values.append([])
        loops, self._breaks, self._continues = (self._breaks, self._continues), [], []
        if isinstance(node, ast.Lambda):
            self._returned_values[-1].append((self.evaluate(node.body),))
        else:
            self.block(node.body)
        summary = self._summary(node, arguments)
        inner = self.record
        self.frame, self.record, self.state, self.uncertain, self.restoring = outer
        self._breaks, self._continues = loops
        self.receivers.pop()
        self._take_over(inner)
        self.callables.records[node] = inner
        return summary

    def _variables_of_functions(self) -> dict[Key, Objects]:
        """Returns what the variables of the open functions, classes and comprehensions may refer to."""
        found: dict[Key, Objects] = {}
        frame: Frame | None = self.frame
        while frame is not None:
            for name in frame.locals:
                objects = self.state.objects((frame.serial, name))
                if objects is not None:
                    found[frame.serial, name] = objects
            frame = frame.parent
        return found

    def _check_nested_globals(self, node: ast.AST, declared: set[str]) -> None:
        """Notes a `global` name that a function around has a local of: in a step, it would be taken for that one."""
        frame: Frame | None = self.frame
        while frame is not None and frame.kind is not FrameKind.MODULE:
            for name in sorted(declared & frame.locals):
                self.problem(ProblemKind.NESTED_GLOBAL, node, name)
            frame = frame.parent

    def _take_over(self, inner: Record) -> None:
        """Adds what a nested scope's source shows to the record around it."""
        for name, node in inner.mentions.items():
            self.record.mentions.setdefault(name, node)
        self.record.dependencies |= inner.dependencies
        self.record.files |= inner.files
        self.record.api += [call for call in inner.api if call not in self.record.api]
        self.record.problems += [problem for problem in inner.problems if problem not in self.record.problems]
        if self.frame.in_function():
            self.record.changed |= inner.changed

    def _summary(self, node: FunctionNode, arguments: tuple[str, ...]) -> Summary:
        exits = self._exits.pop()
        end = join([*exits, self.state])
        changes = {Token(TokenKind.NAME, name) for name in self.record.mutates}
        for name in {*self.record.reads, *self.record.mentions}:
            changes |= self._tokens(self.record.changed, ("variable", name), name, named=True)
        for argument in arguments:
            changes |= self._tokens(self.record.changed, (node, argument), argument, named=False)
        returned = self._returned_values.pop()
        args = node.args
        static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in getattr(node, "decorator_list", []))
        positional = [argument.arg for argument in (*args.posonlyargs, *args.args)]
        return Summary(
            arguments=("", *positional) if static else tuple(positional),
            named=frozenset(arguments),
            variadic=tuple(starred.arg for starred in (args.vararg, args.kwarg) if starred is not None),
            reads=frozenset(self.record.reads) | frozenset(self.record.soft),
            binds=frozenset(key for key in end.bound if isinstance(key, str)) if not end.dead else frozenset(),
            may_bind=frozenset(key for key in end.may if isinstance(key, str)),
            deletes=frozenset(key for key in end.deleted if isinstance(key, str)),
            changes=frozenset(changes),
            returns=self._returned_tokens(node, arguments, returned),
            frame=self._returns_frame(returned),
            settings=frozenset(self.record.settings),
            reads_all=self.record.reads_all is not None,
            binds_all=self.record.binds_all is not None,
        )

    def _tokens(self, objects: set[int], place: object, name: str, *, named: bool) -> set[Token]:
        """Returns how a set of objects looks from outside, as far as the object made at `place` is concerned."""
        found = set()
        whole = self.heap.find(place)
        if whole & objects:
            found.add(Token(TokenKind.NAME if named else TokenKind.ARGUMENT, name))
        if whole and self.heap.parts(whole) & objects:
            found.add(Token(TokenKind.INSIDE_NAME if named else TokenKind.INSIDE_ARGUMENT, name))
        return found

    def _returned_tokens(
        self, node: FunctionNode, arguments: tuple[str, ...], returned: list[tuple[Objects, ...]]
    ) -> tuple[frozenset[Token], ...]:
        if not returned:
            return ()
        width = len(returned[0]) if len({len(values) for values in returned}) == 1 else 0
        columns = list(zip(*returned, strict=True)) if width else [tuple(NONE.union(*values) for values in returned)]
        tokens = []
        for column in columns:
            objects = set(self.heap.reach(NONE.union(*column)))
            found: set[Token] = set()
            for name in self.record.mentions:
                found |= self._tokens(objects, ("variable", name), name, named=True)
            for argument in arguments:
                found |= self._tokens(objects, (node, argument), argument, named=False)
            tokens.append(frozenset(found))
        return tuple(tokens)

    def _returns_frame(self, returned: list[tuple[Objects, ...]]) -> bool:
        objects = [item for values in returned for value in values for item in value]
        return bool(objects) and all(self.heap.kind(item) is ObjectKind.FRAME for item in objects)

    def yielded(self, objects: Objects) -> None:
        """Notes what a generator function hands out."""
        if self._returned_values:
            self._returned_values[-1].append((objects,))

    def lambda_(self, node: ast.Lambda) -> Objects:
        """Returns the object of a lambda, which somebody may call later."""
        for default in [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]:
            self.evaluate(default)
        if node in self.callables.nodes:
            self._take_over(self.callables.records[node])
            self.heap.mark_code(self.heap.make(node))
        else:
            self.run(self.summarize(node), node, soft=True)
        return self.heap.make(node)

    def _open_type_scope(self, node: ast.AST) -> Frame:
        """Opens the scope of type parameters (`def f[T]`) if there are any, and returns the frame around it."""
        outer = self.frame
        names = {parameter.name for parameter in getattr(node, "type_params", [])}
        if names:
            self.frame = Frame(FrameKind.COMPREHENSION, self.new_serial(), outer, names)
        for parameter in getattr(node, "type_params", []):
            self.mention_annotation(getattr(parameter, "bound", None))
        return outer

    def type_alias(self, node: ast.stmt) -> None:
        """Walks a statement `type Name[T] = …`."""
        outer = self._open_type_scope(node)
        self.mention_annotation(getattr(node, "value", None))
        self.frame = outer
        name = getattr(node, "name", None)
        if isinstance(name, ast.Name):
            self.bind(name.id, NONE)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        held = self.evaluate_all(node.decorator_list)
        held |= self.evaluate_all([*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)])
        outer = self._open_type_scope(node)
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        for annotation in [*(argument.annotation for argument in every if argument is not None), node.returns]:
            if annotation is not None:
                self.mention_annotation(annotation)
                self.evaluate(annotation)
        if node in self.callables.nodes:
            # One of the notebook's functions: what it does counts where it is called.
            self._take_over(self.callables.records[node])
            summary = self.callables.summary(node)
        else:
            summary = self.summarize(node)
            self.run(summary, node, soft=True)
        self.frame = outer
        key = self.frame.resolve(node.name)
        known = self.local_functions.get(key, ())
        made = self.heap.make(node, contents=held | self.remembered(node, summary))
        self.bind(node.name, made)
        if node in self.callables.nodes:
            self.heap.mark_code(made)
        if not isinstance(key, str):
            self.local_functions[key] = (*known, summary)

    def _class(self, node: ast.ClassDef) -> None:
        held = self.evaluate_all(node.decorator_list)
        outer = self._open_type_scope(node)
        self.evaluate_all([*node.bases, *(keyword.value for keyword in node.keywords)])
        names = collect_names(node.body, walrus=self.names.walrus)
        self.frame = Frame(FrameKind.CLASS, self.new_serial(), self.frame, names.locals(), names.globals)
        self.block(node.body)
        serial, self.frame = self.frame.serial, outer
        own = (self.state.objects((serial, name)) or NONE for name in names.locals())
        made = self.heap.make(node, contents=held.union(*own))
        self.heap.mark_code(made)
        self.bind(node.name, made)

    def _return(self, node: ast.Return) -> None:
        value = node.value
        objects = self.evaluate(value) if value is not None else NONE
        if self._returned_values and value is not None:
            items = self.items.get(value) if isinstance(value, ast.Tuple) else None
            starred = isinstance(value, ast.Tuple) and any(isinstance(item, ast.Starred) for item in value.elts)
            self._returned_values[-1].append(items if items and len(items) > 1 and not starred else (objects,))
        if self._exits:
            self._exits[-1].append(self.state.copy())
        self.state.dead = True
