"""Flow analysis of statements: definite assignment along all paths, loops, `try`, `with`, `match`, nested scopes.

The fifth layer. `FlowWalker.statement` walks one top-level statement and returns its record and end state;
`FlowWalker.summarize` walks a function's body. Objects live on from statement to statement, so that an alias made in
one cell is known in the next.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from nbmlops.analysis.fidelity.ambient import RESTORING
from nbmlops.analysis.flow.expressions import Names
from nbmlops.analysis.flow.functions import FunctionWalker
from nbmlops.analysis.flow.knowledge import SUPPRESSING
from nbmlops.analysis.flow.objects import NONE, Heap, Objects
from nbmlops.analysis.flow.record import Callables, Record, State, join
from nbmlops.core.syntax import children, walk

_OF_MISSING_NAMES = frozenset({"NameError", "UnboundLocalError", "Exception", "BaseException"})


class FlowWalker(FunctionWalker):
    """Walks statements, with one state that goes from each to the next."""

    def __init__(self, names: Names, callables: Callables, heap: Heap) -> None:
        super().__init__(names, callables, heap)
        self._statements: dict[type[ast.stmt], Callable[..., None]] = {
            ast.Expr: self._expression,
            ast.Assign: self._assign,
            ast.AugAssign: self._augmented,
            ast.AnnAssign: self._annotated,
            ast.If: self._if,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.While: self._while,
            ast.Try: self._try,
            ast.TryStar: self._try,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.Match: self._match,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.ClassDef: self._class,
            ast.Return: self._return,
            ast.Raise: self._raise,
            ast.Delete: self._delete,
            ast.Break: self._break,
            ast.Continue: self._continue,
        }

    def statement(self, node: ast.stmt) -> tuple[Record, State]:
        """Returns what one top-level statement did, and the state after it counted from its own start."""
        self.record = Record()
        self.state = self.state.next()
        self._walk(node)
        return self.record, self.state

    def block(self, body: Sequence[ast.stmt]) -> None:
        """Walks statements, one after the other."""
        for node in body:
            self._walk(node)

    def _walk(self, node: ast.stmt) -> None:
        rule = self._statements.get(type(node))
        if rule is not None:
            rule(node)
            return
        if type(node).__name__ == "TypeAlias":
            # `type Alias[T] = …` of Python 3.12; its value is evaluated when somebody asks for it.
            self.type_alias(node)
            return
        for child in children(node):
            if isinstance(child, ast.expr):
                if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                    self.bind(child.id, NONE)
                else:
                    self.evaluate(child)

    def _expression(self, node: ast.Expr) -> None:
        self.evaluate(node.value)

    def _if(self, node: ast.If) -> None:
        self.evaluate(node.test)
        before = self.state
        ends = []
        for branch in (node.body, node.orelse):
            self.state = before.copy()
            self.block(branch)
            ends.append(self.state)
        self.state = join(ends)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        iterated = self.heap.parts(self.evaluate(node.iter))
        runs = isinstance(node.iter, ast.Tuple | ast.List) and any(
            not isinstance(e, ast.Starred) for e in node.iter.elts
        )

        def body() -> None:
            self.assign(node.target, iterated, None)
            self.block(node.body)

        self._loop(body, node.orelse, may_skip=not runs)

    def _while(self, node: ast.While) -> None:
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)

        def body() -> None:
            self.evaluate(node.test)
            self.block(node.body)

        self.evaluate(node.test)
        self._loop(body, node.orelse, may_skip=True, endless=endless)

    def _loop(
        self, body: Callable[[], None], orelse: Sequence[ast.stmt], *, may_skip: bool, endless: bool = False
    ) -> None:
        """Walks a loop's body, and once more if what names refer to changed, as a second round may see more."""
        before = self.state
        entry = before.copy()
        breaks: list[State] = []
        for _ in range(2):
            self._breaks.append([])
            self._continues.append([])
            self.state = entry.copy()
            body()
            end = join([self.state, *self._continues.pop()])
            breaks = self._breaks.pop()
            merged = join([entry, end])
            if all(merged.objects(key) == entry.objects(key) for key in merged.since):
                break
            deleted = entry.deleted | merged.deleted
            entry = State(set(before.bound), entry.may, deleted, merged.env, merged.since, before.dead)
        after = join([before, end] if may_skip else [end])
        if endless:
            after.dead = True
        self.state = after
        self.block(orelse)
        self.state = join([self.state, *breaks]) if breaks else self.state

    def _try(self, node: ast.Try) -> None:
        before = self.state.copy()
        forgives = any(_catches_missing_names(handler) for handler in node.handlers)
        self.forgiving += forgives
        self.block(node.body)
        self.forgiving -= forgives
        body_end = self.state
        failed = join([before, body_end]) if not body_end.dead else before.copy()
        failed.bound = (before.bound & body_end.bound) if not body_end.dead else before.bound - body_end.deleted
        failed.may |= body_end.may
        failed.dead = before.dead
        self.block(node.orelse)
        ends = [self.state]
        for handler in node.handlers:
            self.state = failed.copy()
            self._handler(handler)
            ends.append(self.state)
        self.state = join(ends)
        if node.finalbody:
            normal = self.state
            entry = join([*ends, failed])
            self.state = entry.copy()
            self.block(node.finalbody)
            last = self.state
            last.bound |= normal.bound - last.deleted
            last.dead = last.dead or normal.dead
            last.may |= normal.may

    def _handler(self, handler: ast.ExceptHandler) -> None:
        if handler.type is not None:
            self.evaluate(handler.type)
        name = handler.name
        if name is None:
            self.block(handler.body)
            return
        key = self.frame.resolve(name)
        might_before = key in self.state.may
        self.bind(name, NONE)
        self.block(handler.body)
        self.state.bound.discard(key)
        self.state.forget(key)
        if isinstance(key, str):
            self.state.deleted.add(key)
        if not might_before:
            self.state.may.discard(key)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        before = self.state.copy()
        restoring = swallowing = False
        for item in node.items:
            objects = self.evaluate(item.context_expr)
            call = item.context_expr
            path = self.dotted(call.func) if isinstance(call, ast.Call) else None
            restoring = restoring or path in RESTORING
            swallowing = swallowing or path in SUPPRESSING or self._is_own(call)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, objects, None)
        self.restoring += restoring
        self.block(node.body)
        self.restoring -= restoring
        if swallowing:
            self.state = join([before, self.state])

    def _is_own(self, call: ast.expr) -> bool:
        """Returns whether the context manager is the notebook's own, which may swallow errors."""
        function = call.func if isinstance(call, ast.Call) else call
        name = function.id if isinstance(function, ast.Name) else ""
        return name in self.callables.functions or "__exit__" in self.callables.classes.get(name, {})

    def _match(self, node: ast.Match) -> None:
        subject = self.evaluate(node.subject)
        captured = subject | self.heap.parts(subject)
        ends = []
        exhaustive = False
        for case in node.cases:
            before = self.state.copy()
            self._pattern(case.pattern, captured)
            if case.guard is not None:
                self.evaluate(case.guard)
            failed_may = set(self.state.may)
            self.block(case.body)
            ends.append(self.state)
            self.state = before
            self.state.may |= failed_may
            exhaustive = exhaustive or (case.guard is None and _always_matches(case.pattern))
        self.state = join(ends if exhaustive else [*ends, self.state])

    def _pattern(self, pattern: ast.pattern, captured: Objects) -> None:
        for part in walk(pattern):
            match part:
                case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                    self.bind(name, captured)
                case ast.MatchValue(value=value):
                    self.evaluate(value)
                case ast.MatchClass(cls=cls):
                    self.evaluate(cls)
                case ast.MatchMapping(keys=keys):
                    self.evaluate_all(keys)
                case _:
                    pass

    def _raise(self, node: ast.Raise) -> None:
        self.evaluate_all([part for part in (node.exc, node.cause) if part is not None])
        self.state.dead = True

    def _break(self, _node: ast.Break) -> None:
        if self._breaks:
            self._breaks[-1].append(self.state.copy())
        self.state.dead = True

    def _continue(self, _node: ast.Continue) -> None:
        if self._continues:
            self._continues[-1].append(self.state.copy())
        self.state.dead = True


def _catches_missing_names(handler: ast.ExceptHandler) -> bool:
    """Returns whether a handler is there for names that are not bound."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or getattr(kind, "id", "") in _OF_MISSING_NAMES for kind in caught)


def _always_matches(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None
