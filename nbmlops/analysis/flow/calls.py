"""Flow analysis of calls: whom a call changes, and what it gives back.

The second layer: `CallWalker` decides between the notebook's own functions and methods (by their summaries), imported
functions and builtins (by `knowledge`), and everything else (which may change whatever it is given).
"""

from __future__ import annotations

import ast
from abc import abstractmethod

from nbmlops.analysis.fidelity import hidden
from nbmlops.analysis.fidelity.ambient import changes_object, changes_setting
from nbmlops.analysis.fidelity.whole import Access
from nbmlops.analysis.files import literal_path, names_file, writes_file
from nbmlops.analysis.flow.arguments import Arguments
from nbmlops.analysis.flow.effects_of_calls import Change, Knowledge, Returns
from nbmlops.analysis.flow.expressions import ExpressionWalker, Names
from nbmlops.analysis.flow.idioms import is_class_of_object, is_super, remembers
from nbmlops.analysis.flow.knowledge import (
    BUILTINS,
    METHODS,
    PURE,
    UNKNOWN,
    WRITTEN_KEYWORDS,
    function_knowledge,
    method_knowledge,
)
from nbmlops.analysis.flow.objects import NONE, Heap, ObjectKind, Objects
from nbmlops.analysis.flow.record import Callables, ProblemKind, Summary, Token, TokenKind
from nbmlops.analysis.flow.scope import FrameKind, FunctionNode, Key

_ATTRIBUTE_SETTERS = frozenset({"builtins.setattr", "builtins.delattr"})


class CallWalker(ExpressionWalker):
    """Walks calls."""

    def __init__(self, names: Names, callables: Callables, heap: Heap) -> None:
        super().__init__(names, callables, heap)
        # What `super()` stands for in each open function and in which class, and how many open `with` blocks undo
        # changes of settings.
        self.receivers: list[Objects] = []
        self.restoring = 0
        self.enclosing_class = ""
        # Names that stand for ambient objects, by their dotted paths.
        self.ambient_names: dict[Key, str] = {}

    def call(self, node: ast.Call) -> Objects:
        """Returns what a call may give back, having noted all that it may do."""
        path = self.dotted(node.func)
        if path is not None:
            return self._imported_call(node, path)
        function = node.func
        if isinstance(function, ast.Name):
            key = self.frame.resolve(function.id)
            if isinstance(key, str) and (key in self.callables.functions or key in self.callables.classes):
                return self._own_call(node, key)
            if key in self.local_functions:
                return self._local_call(node, self.local_functions[key])
        if isinstance(function, ast.Attribute):
            return self._method_call(node, function)
        callee = self.evaluate(function)
        arguments = self._arguments(node)
        changed = self.heap.without_code(callee)
        if (changed or not callee) and getattr(function, "id", "") != "cls":
            self.change_through(function, changed, deep=True)
        return self._apply(node, UNKNOWN, NONE, arguments)

    def change(self, objects: Objects, node: ast.AST, *, deep: bool = False) -> None:
        """Notes that the objects may be changed in place, with all names that can reach them."""
        changed = self.heap.reach(objects) if deep else objects
        if not changed:
            return
        self.record.changed |= changed
        if self.frame.in_function():
            return
        affected = self.heap.holders(changed)
        for name in sorted(self.heap.names(affected)):
            if not affected.isdisjoint(self.state.objects(name) or NONE):
                self.record.mutates.setdefault(name, node)

    def change_through(self, node: ast.expr, objects: Objects, *, deep: bool = False) -> None:
        """Notes a change made through an expression such as `df` in `df["a"] = 1` or `df["a"].sort(…)`.

        The name that the expression starts with counts as changed whatever is known of its value.
        """
        root = node
        while isinstance(root, ast.Attribute | ast.Subscript | ast.Starred) and not is_class_of_object(root):
            root = root.value
        if is_class_of_object(root) and self.enclosing_class:
            self.record.mutates.setdefault(self.enclosing_class, node)
        elif isinstance(root, ast.Name):
            key = self.frame.resolve(root.id)
            if isinstance(key, str) and (key in self.names.data or key in self.names.definitions):
                self.record.mutates.setdefault(key, node)
        self.change(objects, node, deep=deep)

    def mention_function(self, name: str, node: ast.AST) -> None:
        """Notes a function that is named but not called here: whoever gets it may call it at any later time."""
        self.record.dependencies.add(name)
        for summary in self.callables.functions.get(name, {}).values():
            self.run(summary, node, soft=True)
        for summary in self.callables.classes.get(name, {}).values():
            self.run(summary, node, soft=True)

    def property_read(self, name: str, node: ast.AST) -> None:
        """Notes that an attribute is read that is a method or property of one of the notebook's classes."""
        if name in self.callables.methods:
            self.record.dependencies.add(f".{name}")
            for summary in self.callables.methods[name].values():
                self.run(summary, node, soft=True)

    def run(self, summary: Summary, node: ast.AST, *, soft: bool) -> None:
        """Notes what the body of a function does to names and settings; `soft` when it may not run."""
        for name in sorted(summary.reads):
            self.read(name, node, soft=soft)
        for token in sorted(summary.changes, key=lambda token: (token.kind, token.name)):
            if token.kind is TokenKind.NAME:
                self.record.mutates.setdefault(token.name, node)
                self.change(self.look_up(token.name), node)
            elif token.kind is TokenKind.INSIDE_NAME:
                self.record.mutates.setdefault(token.name, node)
                self.change(self.heap.parts(self.look_up(token.name)), node, deep=True)
        for name in sorted(summary.may_bind):
            self.state.may.add(name)
            self.refer(name, self.look_up(name) | self.heap.make((node, name)))
            if name in summary.binds and not soft and not self.uncertain:
                self.state.bound.add(name)
                self.state.deleted.discard(name)
        for name in sorted(summary.deletes):
            self.state.deleted.add(name)
            self.state.bound.discard(name)
        for path in sorted(summary.settings):
            self.record.settings.setdefault(path, node)
        self.record.reads_all = self.record.reads_all or (node if summary.reads_all else None)
        self.record.binds_all = self.record.binds_all or (node if summary.binds_all else None)

    def _arguments(self, node: ast.Call) -> Arguments:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        path = literal_path(node)
        if path and names_file(path) and not self.writing:
            self.record.files.setdefault(path)
        silent = bool(path) or writes_file(name, node)
        self.writing += silent
        arguments = Arguments()
        for argument in node.args:
            arguments.positional.append((argument, self._argument(argument, arguments)))
        for keyword in node.keywords:
            arguments.named.append((keyword.arg or "", keyword.value, self._argument(keyword.value, arguments)))
        self.writing -= silent
        return arguments

    def _argument(self, node: ast.expr, arguments: Arguments) -> Objects:
        """Walks one argument; a function among them is taken to be called by whoever gets it."""
        if isinstance(node, ast.Lambda):
            summary = self.summarize(node)
            self._run_callback(summary, node)
            arguments.changed_by_callback |= summary.changes_arguments()
            return self.heap.make(node)
        if isinstance(node, ast.Name):
            key = self.frame.resolve(node.id)
            if isinstance(key, str) and key in self.callables.functions:
                self.record.mentions.setdefault(key, node)
                self.record.dependencies.add(key)
                self.read(key, node)
                for summary in self.callables.functions[key].values():
                    self._run_callback(summary, node)
                    arguments.changed_by_callback |= summary.changes_arguments()
                return NONE
        return self.evaluate(node)

    def _run_callback(self, summary: Summary, node: ast.AST) -> None:
        """Notes what a function does that is given away: whoever has it may call it at once, or at any later time."""
        self.run(summary, node, soft=True)
        for name in sorted(summary.reads - self.names.bound):
            self.read(name, node)  # no time is late enough

    @abstractmethod
    def summarize(self, node: FunctionNode) -> Summary:
        """Returns what a function does when it is called."""

    def _imported_call(self, node: ast.Call, path: str) -> Objects:
        self.mention_root(node.func)
        if path == "builtins.super":
            return self.receivers[-1] if self.receivers else NONE
        if (access := self.names.accesses.get(node)) is not None and path.startswith("builtins."):
            self._reach(access, node, path.removeprefix("builtins."))
        if path == "builtins.eval" and node.args and isinstance(node.args[0], ast.Constant):
            self._evaluated_text(str(node.args[0].value), node)
        if path == "pandas.eval" and node.args and isinstance(node.args[0], ast.Constant):
            for name in hidden.names_in_expression(str(node.args[0].value)):
                self._hidden_read(name, node)
        for name in hidden.names_in_texts(path, node):
            self._hidden_read(name, node)
        if changes_setting(path) and not self.restoring:
            self.record.settings.setdefault(path, node)
        if path in _ATTRIBUTE_SETTERS and node.args and (patched := self.dotted(node.args[0])) is not None:
            self.record.settings.setdefault(f"{patched}.…", node)
        if path.startswith("nbmlops."):
            self.record.api.append((path.removeprefix("nbmlops."), node))
        return self._apply(node, function_knowledge(path), NONE, self._arguments(node))

    def _reach(self, access: Access, node: ast.AST, function: str) -> None:
        """Notes a call that reaches names which are not known before it runs."""
        if self.frame.in_function() and function in {"locals", "vars", "dir"}:
            return  # it looks at the variables of that function
        if access is Access.LIST:
            self.problem(ProblemKind.NAMESPACE, node, function)
            return
        self.problem(ProblemKind.EVERYTHING, node, function)
        self.record.reads_all = self.record.reads_all or node
        if access is Access.BIND:
            self.record.binds_all = self.record.binds_all or node

    def _evaluated_text(self, text: str, node: ast.Call) -> None:
        """Notes what a literal expression reads that `eval` is called with."""
        if node.args[1:] or node.keywords:
            return  # it does so in a namespace of its own, or in one that is listed below
        for name in hidden.names_in_expression(text):
            if name in self.names.bound:
                self._hidden_read(name, node, visible=False)
            elif name not in BUILTINS:
                self.read(name, node)

    def _hidden_read(self, name: str, node: ast.AST, *, visible: bool = True) -> None:
        """Notes a name that stands in a string; pandas looks it up in the frame of the call, not in those around.

        Args:
            name: The name.
            node: The call.
            visible: Whether the variables of that frame are all that is looked at.
        """
        key = self.frame.resolve(name)
        if not isinstance(key, str) or key not in self.names.bound:
            return
        self.record.mentions.setdefault(key, node)
        if key in self.callables.functions or key in self.callables.classes:
            self.mention_function(key, node)
        if key in self.names.data:
            self.read(key, node)
            if self.frame.kind is not FrameKind.MODULE or not visible:
                self.problem(ProblemKind.HIDDEN_IN_FUNCTION, node, name)

    def _own_call(self, node: ast.Call, name: str) -> Objects:
        """Walks a call of one of the notebook's own functions or classes."""
        self.record.mentions.setdefault(name, node.func)
        self.record.dependencies.add(name)
        self.read(name, node.func)
        arguments = self._arguments(node)
        if name in self.callables.classes:
            return self._instantiation(node, name, arguments)
        found = NONE
        for function, summary in list(self.callables.functions[name].items()):
            found |= self._run_call(node, summary, NONE, arguments, is_method=False)
            found |= self.remembered(function, summary)
        return found

    def remembered(self, function: ast.AST, summary: Summary) -> Objects:
        """Returns what a function with a cache gives back each time."""
        kind = ObjectKind.FRAME if summary.frame else ObjectKind.OPAQUE
        return self.heap.make((function, "remembered"), kind) if remembers(function) else NONE

    def _local_call(self, node: ast.Call, summaries: tuple[Summary, ...]) -> Objects:
        """Walks a call of a function that is defined in the function or class body around the call."""
        self.evaluate(node.func)
        arguments = self._arguments(node)
        return NONE.union(*(self._run_call(node, s, NONE, arguments, is_method=False) for s in summaries))

    def _instantiation(self, node: ast.Call, name: str, arguments: Arguments) -> Objects:
        made = self.heap.make(node, contents=arguments.objects())
        self.heap.label(made, name)
        for method, summary in self.callables.classes[name].items():
            self.record.dependencies.add(f".{method}")
            if method in {"__init__", "__new__", "__post_init__"}:
                self._run_call(node, summary, made, arguments, is_method=True)
            else:
                self.run(summary, node, soft=True)
        return made

    def _method_call(self, node: ast.Call, function: ast.Attribute) -> Objects:
        receiver = self.owner(function.value)
        name = function.attr
        if name in {"query", "eval"} and node.args:
            for hidden_name in hidden.names_in_query(node.args[0]):
                self._hidden_read(hidden_name, node)
        arguments = self._arguments(node)
        if changes_object(ambient := self.ambient_object(function.value), name) and not self.restoring:
            self.record.settings.setdefault(f"{ambient}.{name}", node)
        if name == "copy":
            return self._copy(node, receiver)
        found = NONE
        own = self._own_methods(function, receiver)
        if own:
            self.record.dependencies.add(f".{name}")
            arguments.loose = isinstance(function.value, ast.Name) and function.value.id in self.callables.classes
            arguments.soft = name in METHODS and not self.heap.classes(receiver)
            for summary in own:
                found |= self._run_call(node, summary, receiver, arguments, is_method=True)
        known = own or self._kind(receiver) is ObjectKind.FRAME or self._is_own_class(function.value)
        knowledge = PURE if known and name not in METHODS else method_knowledge(name)
        return found | self._apply(node, knowledge, receiver, arguments)

    def ambient_object(self, node: ast.expr) -> str:
        """Returns what an expression starts with if that is a call of an imported function ("decimal.getcontext()").

        Or the path that a name stands for, as after `env = os.environ`.
        """
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        if isinstance(node, ast.Name):
            return self.ambient_names.get(self.frame.resolve(node.id), "")
        path = self.dotted(node.func) if isinstance(node, ast.Call) else None
        return f"{path}()" if path is not None else ""

    def _own_methods(self, function: ast.Attribute, receiver: Objects) -> list[Summary]:
        """Returns what the methods of the notebook's classes do that a call may mean."""
        name = function.attr
        if name not in self.callables.methods:
            return []
        classes = self.heap.classes(receiver)
        if is_super(function.value):
            classes = self.callables.bases.get(self.enclosing_class, frozenset()) or frozenset({""})
        if classes:
            tables = [self.callables.classes.get(owner, {}) for owner in sorted(classes)]
            return [table[name] for table in tables if name in table]
        return list(self.callables.methods[name].values())

    def _is_own_class(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and self.frame.resolve(node.id) in self.callables.classes

    def _copy(self, node: ast.Call, receiver: Objects) -> Objects:
        containers = frozenset(item for item in receiver if self.heap.kind(item) is ObjectKind.CONTAINER)
        if containers:
            return self.heap.make(node, ObjectKind.CONTAINER, self.heap.parts(containers))
        return self.heap.make(node, self._kind(receiver))

    def _apply(self, node: ast.Call, knowledge: Knowledge, receiver: Objects, arguments: Arguments) -> Objects:
        """Notes what a call changes by what is known of it, and returns what it gives back."""
        in_place = any(name == "inplace" and _may_be_true(value) for name, value, _ in arguments.named)
        is_method = isinstance(node.func, ast.Attribute)
        harm = max(knowledge.receiver, Change.ITSELF if in_place else Change.NO)
        if arguments.changed_by_callback:
            harm = Change.DEEP
        if harm and is_method and isinstance(node.func, ast.Attribute):
            self.change_through(node.func.value, receiver, deep=harm is Change.DEEP)
        for position, (argument, objects) in enumerate(arguments.positional):
            if knowledge.others or arguments.changed_by_callback:
                self.change(objects, argument, deep=True)
            elif position in knowledge.changed:
                self.change(objects, argument)
                self.heap.put(objects, arguments.objects())
        for name, argument, objects in arguments.named:
            if knowledge.others or arguments.changed_by_callback or name in WRITTEN_KEYWORDS:
                self.change(objects, argument, deep=True)
        if knowledge.keeps:
            self.heap.put(receiver, arguments.objects())
        return self._returned(node, knowledge.returns, receiver, arguments)

    def _returned(self, node: ast.Call, returns: Returns, receiver: Objects, arguments: Arguments) -> Objects:
        given = receiver | arguments.objects()
        found = NONE
        match returns:
            case Returns.IMMUTABLE:
                pass
            case Returns.NEW:
                found = self.heap.make(node)
            case Returns.FRAME:
                found = self.heap.make(node, ObjectKind.FRAME)
            case Returns.PART:
                found = self.heap.parts(given)
            case Returns.SHALLOW:
                found = self.heap.make(node, ObjectKind.CONTAINER, self.heap.parts(given))
            case Returns.LAZY:
                found = self.heap.make(node, ObjectKind.CONTAINER, self.heap.parts(given) | given)
            case Returns.HOLDS:
                found = self.heap.make(node, contents=given)
            case Returns.SAME:
                found = receiver or given
        return found

    def _run_call(
        self, node: ast.Call, summary: Summary, receiver: Objects, arguments: Arguments, *, is_method: bool
    ) -> Objects:
        """Notes what calling a summarized function does here, and returns what it gives back."""
        self.run(summary, node, soft=arguments.soft)
        handed: dict[str, list[tuple[ast.expr, Objects]]] = {
            name: arguments.for_parameter(summary, name, 1 if is_method else 0) for name in sorted(summary.named)
        }
        if is_method and summary.arguments:
            root = node.func.value if isinstance(node.func, ast.Attribute) else node
            handed[summary.arguments[0]] = [(root, receiver)]
        for token in sorted(summary.changes, key=lambda token: (token.kind, token.name)):
            for argument, objects in handed.get(token.name, []):
                if token.kind is TokenKind.ARGUMENT:
                    self.change(objects, argument)
                elif token.kind is TokenKind.INSIDE_ARGUMENT:
                    self.change(objects | self.heap.parts(objects), argument, deep=True)
        values = tuple(self._from_tokens(node, i, tokens, handed, summary) for i, tokens in enumerate(summary.returns))
        if len(values) == 1:
            return values[0]
        self.items[node] = values
        return self.heap.make(node, ObjectKind.CONTAINER, NONE.union(*values)) if values else NONE

    def _from_tokens(
        self,
        node: ast.Call,
        position: int,
        tokens: frozenset[Token],
        handed: dict[str, list[tuple[ast.expr, Objects]]],
        summary: Summary,
    ) -> Objects:
        kind = ObjectKind.FRAME if summary.frame else ObjectKind.OPAQUE
        found = self.heap.make(node if len(summary.returns) == 1 else (node, position), kind)
        for token in tokens:
            match token.kind:
                case TokenKind.ARGUMENT:
                    found = found.union(*(objects for _, objects in handed.get(token.name, [])))
                case TokenKind.INSIDE_ARGUMENT:
                    found = found.union(*(self.inside(objects) for _, objects in handed.get(token.name, [])))
                case TokenKind.NAME:
                    found |= self.look_up(token.name)
                case TokenKind.INSIDE_NAME:
                    found |= self.inside(self.look_up(token.name))
        return found


def _may_be_true(node: ast.expr) -> bool:
    return not (isinstance(node, ast.Constant) and not node.value)
