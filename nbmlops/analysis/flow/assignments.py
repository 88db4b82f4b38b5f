"""Flow analysis of assignments: names bound, objects changed, tuples unpacked, imports, `del`.

The third layer, between calls and functions.
"""

from __future__ import annotations

import ast

from nbmlops.analysis.fidelity.ambient import changes_object, is_object
from nbmlops.analysis.flow.calls import CallWalker
from nbmlops.analysis.flow.objects import NONE, ObjectKind, Objects
from nbmlops.analysis.flow.record import ProblemKind
from nbmlops.analysis.flow.scope import FrameKind
from nbmlops.core.syntax import walk


class AssignmentWalker(CallWalker):
    """Walks assignments of all kinds."""

    def assign(self, target: ast.expr, objects: Objects, value: ast.expr | None) -> None:
        """Binds or changes a target; unpacks item by item where the items are known."""
        match target:
            case ast.Name():
                self.bind(target.id, objects)
            case ast.Tuple() | ast.List():
                self._unpack(target, objects, value)
            case ast.Starred():
                self.assign(target.value, self.heap.make(target, ObjectKind.CONTAINER, objects), None)
            case ast.Attribute() | ast.Subscript():
                self._store(target, objects)
            case _:
                pass

    def _unpack(self, target: ast.Tuple | ast.List, objects: Objects, value: ast.expr | None) -> None:
        starred = any(isinstance(item, ast.Starred) for item in target.elts)
        known = self.items.get(value) if value is not None and not starred else None
        if known is not None and len(known) == len(target.elts):
            nested = value.elts if isinstance(value, ast.Tuple | ast.List) else [None] * len(known)
            for item, item_objects, item_value in zip(target.elts, known, nested, strict=True):
                self.assign(item, item_objects, item_value)
            return
        own = self.heap.find(value) if isinstance(value, ast.Call) else NONE
        for position, item in enumerate(target.elts):
            if own and own <= objects:
                # A call gave back a tuple of its own: its items are taken to be separate things.
                others = objects - own
                found = self.heap.make((value, "item", position), self._kind(own)) | others | self.heap.parts(others)
                if self.heap.kind(next(iter(own))) is ObjectKind.CONTAINER:
                    found |= self.heap.parts(own)
            else:
                found = objects | self.heap.parts(objects)
            self.assign(item, found, None)

    def _store(self, target: ast.Attribute | ast.Subscript, objects: Objects) -> None:
        if isinstance(target, ast.Subscript):
            self.evaluate(target.slice)
        path = self.dotted(target.value)
        if path is not None:
            self.mention_root(target.value)
            if not path.startswith("builtins.") and not self.restoring:
                name = f".{target.attr}" if isinstance(target, ast.Attribute) else "[…]"
                self.record.settings.setdefault(path + name, target)
            return
        if changes_object(ambient := self.ambient_object(target.value), "") and not self.restoring:
            self.record.settings.setdefault(f"{ambient}.{getattr(target, 'attr', '[…]')}", target)
        owner = self.owner(target.value)
        self.change_through(target.value, owner)
        self.heap.put(frozenset(item for item in owner if self.heap.kind(item) is not ObjectKind.FRAME), objects)

    def _assign(self, node: ast.Assign) -> None:
        objects = self.evaluate(node.value)
        path = self.dotted(node.value) or ""
        for target in node.targets:
            self.assign(target, objects, node.value)
            if isinstance(target, ast.Name):
                self.ambient_names[self.frame.resolve(target.id)] = path if is_object(path) else ""

    def _augmented(self, node: ast.AugAssign) -> None:
        if not isinstance(node.target, ast.Name):
            self._store_into(node.target, self.evaluate(node.value))
            return
        name = ast.Name(node.target.id, ast.Load())
        objects = self.evaluate(ast.copy_location(name, node.target))  # before the value, which may bind it
        value = self.evaluate(node.value)
        self.change(objects, node.target)
        self.heap.put(
            frozenset(i for i in objects if self.heap.kind(i) is not ObjectKind.FRAME), self.heap.parts(value)
        )
        self.bind(node.target.id, objects)

    def _store_into(self, target: ast.expr, value: Objects) -> None:
        if isinstance(target, ast.Attribute | ast.Subscript):
            inside = self.owner(target)
            self._store(target, value)
            self.change_through(target, inside)

    def _annotated(self, node: ast.AnnAssign) -> None:
        evaluated = not self.frame.in_function() and bool(node.simple)
        if evaluated:
            self.evaluate(node.annotation)
        self.mention_annotation(node.annotation)
        if node.value is not None:
            self.assign(node.target, self.evaluate(node.value), node.value)
        elif isinstance(node.target, ast.Name) and self.frame.kind is FrameKind.MODULE:
            self.record.touched.add(node.target.id)

    def mention_annotation(self, node: ast.expr | None) -> None:
        """Notes the names of an annotation, which a linter wants defined even where Python never looks at them."""
        if node is None:
            return
        for part in walk(node):
            if isinstance(part, ast.Name):
                self._mention(part.id, part)
            elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                try:
                    quoted = ast.parse(part.value.strip(), mode="eval")
                except (SyntaxError, ValueError):
                    continue
                for name in walk(quoted):
                    if isinstance(name, ast.Name):
                        self._mention(name.id, part)

    def _mention(self, name: str, node: ast.AST) -> None:
        key = self.frame.resolve(name)
        if isinstance(key, str):
            self.record.mentions.setdefault(key, node)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.split(".")[0]
            self._bind_import(name, alias.name if alias.asname else name)

    def _import_from(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.problem(ProblemKind.STAR_IMPORT, node, node.module or ".")
            else:
                self._bind_import(alias.asname or alias.name, f"{node.module}.{alias.name}")

    def _bind_import(self, name: str, path: str) -> None:
        if path.partition(".")[0] == "__main__":
            self.problem(ProblemKind.NAMESPACE, ast.Name(name), "__main__")
        self.bind(name, NONE)
        key = self.frame.resolve(name)
        if not isinstance(key, str):
            self.local_imports[key] = path

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            match target:
                case ast.Name(id=name):
                    key = self.frame.resolve(name)
                    if isinstance(key, str):
                        self.record.mentions.setdefault(key, target)
                        self.record.touched.add(key)
                        self.read(key, target)
                        self.state.deleted.add(key)
                    self.state.bound.discard(key)
                    self.state.forget(key)
                case ast.Tuple(elts=items) | ast.List(elts=items):
                    self._delete(ast.copy_location(ast.Delete(items), node))
                case ast.Attribute(value=value) | ast.Subscript(value=value):
                    if isinstance(target, ast.Subscript):
                        self.evaluate(target.slice)
                    self.change_through(value, self.owner(value))
                case _:
                    pass
