"""Abstract objects: which values may be the same, or may be reached from one another.

Each place that makes a value gives one object; a name refers to a set of objects. Changing an object in place changes
every name from which it can be reached, so that `x = df` followed by `x["a"] = 1` is known to change `df`. An empty set
stands for values that cannot change in place: numbers, strings, modules.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from enum import IntEnum

Objects = frozenset[int]
NONE: Objects = frozenset()
_REMEMBERED = 16


class ObjectKind(IntEnum):
    """How much is known of an object's inside.

    OPAQUE: anything; its parts are one further object. CONTAINER: a list, tuple, set or dict made here; its parts are
    what was put in. FRAME: a pandas object; what is taken out of it is a new object (copy on write).
    """

    OPAQUE = 0
    CONTAINER = 1
    FRAME = 2


class Heap:
    """All objects of one notebook. Objects are small integers; the same place gives the same object again."""

    def __init__(self) -> None:
        self._kinds: list[ObjectKind] = []
        self._inside: dict[int, int] = {}
        self._contents: dict[int, set[int]] = {}
        # The reverse of contents and insides: what holds an object.
        self._holders: dict[int, set[int]] = {}
        # The last answers of `holders`, kept right whenever something is put into something.
        self._above: dict[Objects, set[int]] = {}
        self._places: dict[object, int] = {}
        # The names of the notebook that have referred to an object, at whatever time.
        self._names: dict[int, set[str]] = {}
        self._classes: dict[int, str] = {}
        self._code: set[int] = set()

    def make(self, place: object, kind: ObjectKind = ObjectKind.OPAQUE, contents: Iterable[int] = ()) -> Objects:
        """Returns the object made at a place (a syntax node, a name), holding at least the given contents."""
        found = self._places.get(place)
        if found is None:
            found = len(self._kinds)
            self._kinds.append(kind)
            self._places[place] = found
        self._hold(found, contents)
        return frozenset((found,))

    def _hold(self, item: int, contents: Iterable[int]) -> None:
        held = self._contents.setdefault(item, set())
        for inner in contents:
            if inner != item and inner not in held:
                held.add(inner)
                self._note_holder(inner, item)

    def _note_holder(self, inner: int, item: int) -> None:
        self._holders.setdefault(inner, set()).add(item)
        for above in self._above.values():
            if inner in above:
                self._climb(above, item)

    def _climb(self, above: set[int], item: int) -> None:
        """Adds an object and all from which it can be reached."""
        stack = [item]
        while stack:
            item = stack.pop()
            if item not in above:
                above.add(item)
                stack.extend(self._holders.get(item, ()))

    def put(self, objects: Objects, contents: Objects) -> None:
        """Notes that the contents may have been put into each of the objects."""
        if contents:
            for item in objects:
                self._hold(item, contents)

    def name(self, objects: Objects, name: str) -> None:
        """Notes that a name of the notebook may refer to each of the objects."""
        for item in objects:
            self._names.setdefault(item, set()).add(name)

    def names(self, objects: AbstractSet[int]) -> set[str]:
        """Returns the names of the notebook that have at some time referred to one of the objects."""
        return {name for item in self._names.keys() & objects for name in self._names[item]}

    def label(self, objects: Objects, name: str) -> None:
        """Notes of which class of the notebook the objects are."""
        self._classes.update(dict.fromkeys(objects, name))

    def mark_code(self, objects: Objects) -> None:
        """Notes that the objects are functions or classes of the notebook, which a call of them does not change."""
        self._code.update(objects)

    def without_code(self, objects: Objects) -> Objects:
        """Returns the objects that are not functions or classes of the notebook."""
        return objects - self._code

    def classes(self, objects: Objects) -> frozenset[str]:
        """Returns the classes of the notebook that the objects are of, nothing if that is not known of all."""
        found = [self._classes.get(item) for item in objects]
        return frozenset(name for name in found if name) if all(found) else frozenset()

    def kind(self, item: int) -> ObjectKind:
        """Returns what is known of an object."""
        return self._kinds[item]

    def parts(self, objects: Objects) -> Objects:
        """Returns what an item or attribute of the objects may be; a frame stands for its own parts."""
        found: set[int] = set()
        for item in objects:
            found.update(self._contents.get(item, ()))
            if self._kinds[item] is ObjectKind.FRAME:
                found.add(item)
            elif self._kinds[item] is ObjectKind.OPAQUE:
                found.add(self._star(item))
        return frozenset(found)

    def _star(self, item: int) -> int:
        """Returns the object that stands for everything inside of an opaque one; it is its own inside."""
        inside = self._inside.get(item)
        if inside is None:
            inside = len(self._kinds)
            self._kinds.append(ObjectKind.OPAQUE)
            self._inside[item] = self._inside[inside] = inside
            self._note_holder(inside, item)
        return inside

    def reach(self, objects: Iterable[int]) -> Objects:
        """Returns the objects and all that can be reached from them."""
        found: set[int] = set()
        stack = list(objects)
        while stack:
            item = stack.pop()
            if item not in found:
                found.add(item)
                stack.extend(self._contents.get(item, ()))
                if self._kinds[item] is ObjectKind.OPAQUE:
                    stack.append(self._star(item))
        return frozenset(found)

    def holders(self, objects: Objects) -> AbstractSet[int]:
        """Returns the objects and all from which one of them can be reached, now and as long as nobody asks again.

        A frame to which each cell adds a column is held by what these were made from, by thousands of objects.
        """
        above = self._above.get(objects)
        if above is None:
            above = set()
            for item in objects:
                self._climb(above, item)
            if len(self._above) >= _REMEMBERED:
                del self._above[next(iter(self._above))]
            self._above[objects] = above
        return above

    def find(self, place: object) -> Objects:
        """Returns the object made at a place, or nothing if none was made there."""
        found = self._places.get(place)
        return NONE if found is None else frozenset((found,))
