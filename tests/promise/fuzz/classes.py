"""Productions for classes: instances, inheritance, class attributes, dataclasses, enums, named tuples, properties."""

from __future__ import annotations

from tests.promise.fuzz.grammar import Lines, NotHere, Writer, expression, indented, statement
from tests.promise.fuzz.scope import Kind, Made


def _top_only(w: Writer) -> None:
    if w.blocks or w.scope.own is not None:
        raise NotHere


def _of(w: Writer, kind: Kind) -> str:
    names = [name for name, made in w.scope.classes.items() if made.kind is kind and w.scope.satisfies(made.needs)]
    found: str = w.pick(names)
    w.scope.note_all(w.scope.classes[found].needs)
    return found


@statement("class: with methods", 4)
def _class(w: Writer) -> Lines:
    _top_only(w)
    name = w.fresh("Thing")
    with w.inside({"k": Kind.INT}) as scope:
        made, added = w.expr(Kind.INT), w.expr(Kind.INT)
    lines = [
        "def __init__(self, k):", "    self.n = k", f"    self.items = [k, {made}]",
        "def add(self, k):", f"    self.items.append({added})", "    self.n += k", "    return self",
        "def total(self):", "    return self.n + len(self.items)",
    ]  # fmt: skip
    if w.chance(40):
        w.constructs.add("class: property, static and class method")
        lines += [
            "@property", "def half(self):", "    return self.n // 2", "@classmethod", "def of(cls, k):",
            "    return cls(k)", "@staticmethod", "def twice(k):", "    return k * 2",
        ]  # fmt: skip
    if w.chance(25):
        w.constructs.add("class: class attribute read")
        lines = ["scale = 3", *lines]
    if w.chance(25):
        w.constructs.add("class: own ==, hash or repr")
        lines += [
            "def __repr__(self):",
            "    return f'Thing({self.n})'",
            "def __eq__(self, other):",
            "    return self.n == other.n",
        ]
    w.scope.classes[name] = Made(Kind.THING, dict(scope.outside))
    return [f"class {name}:", *indented(lines)]


@statement("class: inheritance and super()", 2)
def _heir(w: Writer) -> Lines:
    _top_only(w)
    base = _of(w, Kind.THING)
    name = w.fresh("Heir")
    with w.inside({"k": Kind.INT}) as scope:
        value = w.expr(Kind.INT)
    w.scope.classes[name] = Made(Kind.THING, {**w.scope.classes[base].needs, **scope.outside})
    return [
        f"class {name}({base}):",
        "    def add(self, k):",
        f"        self.extra = {value}",
        "        return super().add(k)",
    ]


@statement("class: state in a class attribute", 1)
def _counting(w: Writer) -> Lines:
    _top_only(w)
    if not w.chance(25):
        raise NotHere
    name = w.fresh("Counted")
    w.scope.classes[name] = Made(Kind.THING)
    return [
        f"class {name}:", "    made = 0", "    def __init__(self, k):", f"        {name}.made += 1",
        f"        self.n, self.items = {name}.made, [k]", "    def add(self, k):", "        self.n += k",
        "        return self", "    def total(self):", "        return self.n",
    ]  # fmt: skip


@statement("class: dataclass", 2)
def _dataclass(w: Writer) -> Lines:
    _top_only(w)
    module = w.need("dataclasses")
    name = w.fresh("Record")
    w.scope.classes[name] = Made(Kind.RECORD)
    frozen = w.pick(("", "(order=True)", "(eq=False)"))
    return [
        f"@{module}.dataclass{frozen}",
        f"class {name}:",
        "    n: int",
        f"    items: list = {module}.field(default_factory=lambda: [1])",
    ]


@statement("class: enum", 1)
def _enum(w: Writer) -> Lines:
    _top_only(w)
    name = w.fresh("Color")
    w.scope.classes[name] = Made(Kind.COLOR)
    return [f"class {name}({w.need('enum')}.Enum):", "    RED = 1", "    BLUE = 'b'"]


@statement("class: named tuple", 1)
def _named_tuple(w: Writer) -> Lines:
    _top_only(w)
    name = w.fresh("Point")
    w.scope.classes[name] = Made(Kind.POINT)
    return [f'{name} = {w.need("collections")}.namedtuple("{name}", "x y")']


@expression(Kind.THING, "class: instance", 4)
def _instance(w: Writer) -> str:
    name = _of(w, Kind.THING)
    return f"{name}({w.expr(Kind.INT)})" if w.chance(70) else f"{name}({w.expr(Kind.INT)}).add({w.expr(Kind.INT)})"


@expression(Kind.RECORD, "class: dataclass instance", 3)
def _record(w: Writer) -> str:
    name = _of(w, Kind.RECORD)
    return f"{name}({w.expr(Kind.INT)}, {w.expr(Kind.LIST)})" if w.chance(60) else f"{name}({w.expr(Kind.INT)})"


@expression(Kind.POINT, "class: named tuple instance", 3)
def _point(w: Writer) -> str:
    return f"{_of(w, Kind.POINT)}({w.expr(Kind.INT)}, {w.expr(Kind.LIST)})"


@expression(Kind.COLOR, "class: enum member")
def _color(w: Writer) -> str:
    return f"{_of(w, Kind.COLOR)}.{w.pick(('RED', 'BLUE'))}"


@expression(Kind.INT, "class: attribute and method", 3)
def _use(w: Writer) -> str:
    name = w.name(Kind.THING, Kind.RECORD)
    return f"{name}.total()" if w.scope.names[name] is Kind.THING and w.chance(50) else f"{name}.n"


@statement("mutation: attribute store", 5)
def _attribute(w: Writer) -> Lines:
    name = w.name(Kind.THING, Kind.RECORD)
    changes = [
        f"{name}.n = {w.expr(Kind.INT)}",
        f"{name}.n += 1",
        f"{name}.items.append(2)",
        f"{name}.items = {w.expr(Kind.LIST)}",
    ]
    changes += [f'setattr({name}, "n", {w.expr(Kind.INT)})'] if w.builtin("setattr") else []
    return [w.pick(changes)]


@statement("mutation: method of an own class", 5)
def _method(w: Writer) -> Lines:
    name = w.name(Kind.THING)
    if w.chance(30):
        return [f"{w.new(Kind.THING)} = {name}.add({w.expr(Kind.INT)})"]
    return [f"{name}.add({w.expr(Kind.INT)})"]


@statement("class: isinstance and ==", 3)
def _checks(w: Writer) -> Lines:
    name = w.name(Kind.THING, Kind.RECORD, Kind.POINT, Kind.COLOR)
    kind = w.scope.names[name]
    cls = _of(w, kind)
    forms = [f"isinstance({name}, {cls})", f"type({w.name(kind)}) is {cls}", f"{name} == {w.name(kind)}"]
    w.builtin("type")
    return [f"print({w.pick(forms)})"]


@statement("class: attribute of a class changed", 1)
def _class_attribute(w: Writer) -> Lines:
    _top_only(w)
    if not w.chance(20):
        raise NotHere
    return [f"{_of(w, Kind.THING)}.label = {w.integer(0, 9)}"]
