"""Productions for plain values: numbers, texts, lists, dicts, sets, tuples, and the ways to change and share them."""

from __future__ import annotations

from tests.promise.fuzz.grammar import Lines, NotHere, Writer, expression, mutable, statement
from tests.promise.fuzz.scope import MUTABLE, SHOWN, Kind

_TEXTS = ("red", "blue", "été", "a b", "x'y", "")
_ASSIGNED = (
    Kind.INT, Kind.INT, Kind.FLOAT, Kind.TEXT, Kind.LIST, Kind.LIST, Kind.ROWS, Kind.DICT, Kind.TABLE, Kind.SET,
    Kind.TUPLE, Kind.PAIR, Kind.ARRAY, Kind.GRID, Kind.SCALAR, Kind.FRAME, Kind.SERIES, Kind.GENERATOR, Kind.DICE,
    Kind.THING, Kind.RECORD, Kind.POINT, Kind.COLOR, Kind.CALLABLE, Kind.HANDLERS, Kind.QUEUE, Kind.COUNTS,
    Kind.STREAM, Kind.ARRAY, Kind.ARRAY, Kind.GRID, Kind.FRAME, Kind.FRAME, Kind.FRAME, Kind.SERIES, Kind.THING,
    Kind.THING, Kind.RECORD, Kind.GENERATOR,
)  # fmt: skip


# Expressions


@expression(Kind.INT, "literal: int", 4)
def _int(w: Writer) -> str:
    return str(w.integer(-3, 9))


@expression(Kind.INT, "int: len and sum", 3)
def _size(w: Writer) -> str:
    if w.chance(50):
        return f"len({w.name(Kind.LIST, Kind.DICT, Kind.TABLE, Kind.TUPLE, Kind.ROWS, Kind.ARRAY, Kind.FRAME)})"
    return f"{w.builtin('sum')}({w.name(Kind.LIST, Kind.TUPLE, Kind.SET, Kind.QUEUE)})"


@expression(Kind.INT, "int: item", 3)
def _item(w: Writer) -> str:
    name = w.name(Kind.LIST, Kind.TUPLE, Kind.DICT, Kind.TABLE, Kind.ROWS, Kind.PAIR, Kind.QUEUE)
    match w.scope.names[name]:
        case Kind.DICT:
            return f'{name}["a"]'
        case Kind.TABLE:
            return f'len({name}["a"])'
        case Kind.ROWS | Kind.PAIR:
            return f"len({name}[0])"
        case _:
            return f"{name}[{w.pick((0, -1))}]"


@expression(Kind.INT, "int: arithmetic", 3)
def _arithmetic(w: Writer) -> str:
    return f"({w.expr(Kind.INT)} {w.pick('+-*')} {w.integer(1, 4)}) % 50"


@expression(Kind.INT, "names: walrus", 1)
def _walrus(w: Writer) -> str:
    if w.depth != 1 or w.blocks or w.scope.own is not None:
        raise NotHere
    value = w.expr(Kind.INT)
    return f"({w.new(Kind.INT)} := {value})"


@expression(Kind.INT, "expression: conditional", 1)
def _conditional(w: Writer) -> str:
    return f"({w.expr(Kind.INT)} if {condition(w)} else {w.expr(Kind.INT)})"


@expression(Kind.FLOAT, "literal: float")
def _float(w: Writer) -> str:
    return w.pick(("0.5", "1.25", "-2.0", "1e3"))


@expression(Kind.FLOAT, "float: arithmetic")
def _float_sum(w: Writer) -> str:
    return f"{w.expr(Kind.FLOAT)} / 4 + {w.expr(Kind.INT)}"


@expression(Kind.TEXT, "literal: text")
def _text(w: Writer) -> str:
    return repr(w.pick(_TEXTS))


@expression(Kind.TEXT, "text: f-string")
def _f_string(w: Writer) -> str:
    return f'f"{{{w.name(Kind.INT, Kind.TEXT, Kind.LIST, Kind.FLOAT)}}}-{w.integer(0, 9)}"'


@expression(Kind.TEXT, "text: method")
def _text_method(w: Writer) -> str:
    return w.name(Kind.TEXT) + w.pick((".upper()", ".strip()", '.replace("e", "é")'))


@expression(Kind.FLAG, "literal: bool")
def _flag(w: Writer) -> str:
    return w.pick(("True", "False"))


@expression(Kind.LIST, "literal: list", 4)
def _list(w: Writer) -> str:
    return f"[{', '.join(w.expr(Kind.INT) for _ in range(w.integer(1, 3)))}]"


@expression(Kind.LIST, "list: comprehension")
def _comprehension(w: Writer) -> str:
    source = w.name(Kind.LIST, Kind.TUPLE, Kind.QUEUE)
    variable = w.pick(("x", "i", "n", "value"))
    return f"[{variable} * 2 for {variable} in {source}]"


@expression(Kind.LIST, "list: part of a container", 4)
def _inner_list(w: Writer) -> str:
    name = w.name(Kind.ROWS, Kind.TABLE, Kind.PAIR, Kind.THING, Kind.RECORD, Kind.POINT)
    match w.scope.names[name]:
        case Kind.TABLE:
            return f'{name}["a"]'
        case Kind.THING | Kind.RECORD:
            return f"{name}.items"
        case Kind.POINT:
            return f"{name}.y"
        case _:
            return f"{name}[{w.pick((0, -1))}]"


@expression(Kind.LIST, "list: copy or concatenation")
def _copied_list(w: Writer) -> str:
    name = w.name(Kind.LIST)
    forms = ("{0}[:]", "list({0})", "{0} + [1]", "sorted({0})", "[*{0}, 0]", "{0}.copy()")
    return w.pick(forms).format(name)


@expression(Kind.ROWS, "literal: list of lists", 3)
def _rows(w: Writer) -> str:
    return f"[{', '.join(w.expr(Kind.LIST) for _ in range(w.integer(1, 3)))}]"


@expression(Kind.ROWS, "sharing: one list several times", 1)
def _repeated(w: Writer) -> str:
    return f"[{w.name(Kind.LIST)}] * 2"


@expression(Kind.DICT, "literal: dict", 3)
def _dict(w: Writer) -> str:
    return f'{{"a": {w.expr(Kind.INT)}, "b": {w.expr(Kind.INT)}}}'


@expression(Kind.DICT, "dict: comprehension, copy or union")
def _copied_dict(w: Writer) -> str:
    name = w.name(Kind.DICT)
    made = f"{{k: x + 1 for k, x in {name}.items()}}"
    return w.pick((made, f"dict({name})", f'{name} | {{"c": 1}}', f"{{**{name}}}"))


@expression(Kind.TABLE, "literal: dict of lists", 3)
def _table(w: Writer) -> str:
    return f'{{"a": {w.expr(Kind.LIST)}, "b": {w.expr(Kind.LIST)}}}'


@expression(Kind.SET, "literal: set", 3)
def _set(w: Writer) -> str:
    return f"{{{w.integer(0, 40)}, {w.integer(0, 40)}, {w.expr(Kind.INT)}}}"


@expression(Kind.SET, "set: with deletions")
def _thinned(w: Writer) -> str:
    return f"set(range({w.integer(5, 30)})) - set(range({w.integer(1, 9)}))"


@expression(Kind.SET, "set: of a list, union")
def _set_of(w: Writer) -> str:
    return f"{{*{w.name(Kind.LIST, Kind.TUPLE, Kind.SET)}, {w.integer(0, 30)}}}"


@expression(Kind.TUPLE, "literal: tuple", 3)
def _tuple(w: Writer) -> str:
    return f"({w.expr(Kind.INT)}, {w.expr(Kind.INT)})"


@expression(Kind.TUPLE, "tuple: of a list")
def _tuple_of(w: Writer) -> str:
    return f"tuple({w.name(Kind.LIST)})"


@expression(Kind.PAIR, "sharing: tuple of lists", 3)
def _pair(w: Writer) -> str:
    return f"({w.expr(Kind.LIST)}, {w.expr(Kind.LIST)})"


@expression(Kind.QUEUE, "collections: deque")
def _queue(w: Writer) -> str:
    return f"{w.need('collections')}.deque({w.expr(Kind.LIST)}, maxlen={w.integer(2, 9)})"


@expression(Kind.COUNTS, "collections: Counter and defaultdict")
def _counts(w: Writer) -> str:
    module = w.need("collections")
    return f"{module}.Counter({w.expr(Kind.LIST)})" if w.chance(50) else f"{module}.defaultdict(int)"


def condition(w: Writer) -> str:
    """Returns a condition whose truth the model does not know."""
    if w.visible(Kind.FLAG) and w.chance(40):
        return w.name(Kind.FLAG)
    return f"{w.expr(Kind.INT)} {w.pick(('>', '<=', '==', '%'))} {w.integer(1, 3)}"


# Statements


@statement("assignment: name = value", 14)
def _assign(w: Writer) -> Lines:
    kind = w.pick(_ASSIGNED)
    value = w.expr(kind)
    return [f"{w.new(kind)} = {value}"]


@statement("sharing: b = a", 8)
def _alias(w: Writer) -> Lines:
    name = mutable(w)
    kind = w.scope.names[name]
    return [f"{w.new(kind)} = {name}"]


@statement("sharing: chained assignment", 1)
def _chained(w: Writer) -> Lines:
    kind = w.pick((Kind.LIST, Kind.DICT, Kind.SET, Kind.ROWS))
    value = w.expr(kind)
    one = w.new(kind)
    return [f"{one} = {w.new(kind)} = {value}"]


@statement("assignment: unpacking and swapping", 2)
def _unpack(w: Writer) -> Lines:
    kind = w.pick((Kind.LIST, Kind.INT, Kind.DICT, Kind.ARRAY))
    names = w.visible(kind)
    if w.scope.own is None and len(names) > 1 and w.chance(50):
        one, other = w.pick(names), w.pick(names)
        return [f"{one}, {other} = {other}, {one}"]
    pair = w.name(Kind.PAIR)
    one = w.new(Kind.LIST)
    return [f"{one}, {w.new(Kind.LIST)} = {pair}"]


@statement("assignment: starred")
def _starred(w: Writer) -> Lines:
    source = w.name(Kind.LIST, Kind.TUPLE)
    first = w.new(Kind.INT)
    return [f"{first}, *{w.new(Kind.LIST)} = [{source}[0], *{source}]"]


@statement("mutation: augmented assignment", 8)
def _augmented(w: Writer) -> Lines:
    kind = w.pick((Kind.INT, Kind.INT, Kind.LIST, Kind.LIST, Kind.SET, Kind.DICT, Kind.TUPLE, Kind.TEXT, Kind.FLOAT))
    scope = w.scope
    own = scope.own
    names = [name for name in w.visible(kind) if own is None or name in own or name in scope.declared]
    if not names and kind is Kind.LIST:
        return [f"{_list_place(w)} += [{w.expr(Kind.INT)}]"]
    name = w.pick(names)
    operator = {Kind.SET: w.pick(("|=", "^=", "-=")), Kind.DICT: "|="}.get(kind, "+=")
    return [f"{name} {operator} {w.expr(kind)}"]


def _list_place(w: Writer) -> str:
    name = w.name(Kind.ROWS, Kind.TABLE, Kind.THING, Kind.RECORD)
    match w.scope.names[name]:
        case Kind.TABLE:
            return f'{name}["a"]'
        case Kind.THING | Kind.RECORD:
            return f"{name}.items"
        case _:
            return f"{name}[0]"


@statement("mutation: list method", 8)
def _list_method(w: Writer) -> Lines:
    place = w.name(Kind.LIST) if w.chance(60) else _list_place(w)
    number = w.expr(Kind.INT)
    change = w.pick((
        f".append({number})", f".extend([{number}, 7])", f".insert(0, {number})", ".sort()", ".reverse()",
        f"[0] = {number}", f"[1:] = [{number}]", "[-1] += 1",
    ))  # fmt: skip
    return [place + change]


@statement("mutation: container of lists", 4)
def _rows_change(w: Writer) -> Lines:
    name = w.name(Kind.ROWS, Kind.TABLE)
    value = w.expr(Kind.LIST)
    if w.scope.names[name] is Kind.ROWS:
        forms = ("{0}.append({1})", "{0}[0] = {1}", "{0}[-1].append(3)", "{0}.insert(0, {1})")
        return [w.pick(forms).format(name, value)]
    changes = (f'{name}["b"] = {value}', f'{name}.setdefault("c", {value}).append(4)', f'{name}["a"].append(5)')
    return [w.pick(changes)]


@statement("mutation: dict", 5)
def _dict_change(w: Writer) -> Lines:
    name = w.name(Kind.DICT)
    number = w.expr(Kind.INT)
    changes = (
        f'{name}["a"] = {number}', f'{name}["a"] += 1', f'{name}.update(c={number})', f'{name}.pop("c", None)',
        f'{name}.setdefault("d", {number})', f'{name}["z"] = {number}; del {name}["z"]',
    )  # fmt: skip
    return w.pick(changes).split("; ")


@statement("mutation: set", 4)
def _set_change(w: Writer) -> Lines:
    name = w.name(Kind.SET)
    changes = (
        f"{name}.add({w.expr(Kind.INT)})", f"{name}.discard({w.integer(0, 9)})",
        f"{name}.update(range(20, {w.integer(21, 40)}))", f"{name}.difference_update(range({w.integer(1, 25)}))",
    )  # fmt: skip
    return [w.pick(changes)]


@statement("mutation: deque, Counter, defaultdict", 2)
def _collection_change(w: Writer) -> Lines:
    name = w.name(Kind.QUEUE, Kind.COUNTS)
    if w.scope.names[name] is Kind.QUEUE:
        return [w.pick((f"{name}.appendleft({w.expr(Kind.INT)})", f"{name}.rotate(1)", f"{name}.append(3)"))]
    return [w.pick((f"{name}[{w.expr(Kind.INT)}] += 1", f"{name}.update({{5: 2}})", f"{name}[3] -= 1"))]


@statement("names: del", 2)
def _delete(w: Writer) -> Lines:
    if w.blocks or w.scope.own is not None:
        raise NotHere
    kinds = [kind for kind in (*MUTABLE, Kind.INT, Kind.TEXT, Kind.FLOAT) if kind is not Kind.GENERATOR]
    name = w.pick(w.visible(*kinds))
    w.scope.unbind(name)
    return [f"del {name}"]


@statement("display: print", 5)
def _print(w: Writer) -> Lines:
    names = w.visible(*SHOWN)
    shown = [w.pick(names) for _ in range(w.integer(1, 3))]
    for name in shown:
        w.scope.note(name, w.scope.names[name])
    return [f"print({', '.join(shown)})"]


@statement("sharing: is", 2)
def _identity(w: Writer) -> Lines:
    name = mutable(w)
    kind = w.scope.names[name]
    if kind in {Kind.PAIR, Kind.POINT}:
        raise NotHere  # tuples cannot change: that two names hold the same one is not kept
    return [f"print({name} is {w.name(kind)})"]


@statement("types: isinstance and type", 1)
def _types(w: Writer) -> Lines:
    names = w.visible(Kind.INT, Kind.FLOAT, Kind.SCALAR, Kind.SERIES, Kind.SET, Kind.COUNTS)
    name = w.pick(names)
    w.scope.note(name, w.scope.names[name])
    return [f"print({w.builtin('type')}({name}).__name__)"]


@statement("display: last expression", 2)
def _show(w: Writer) -> Lines:
    if w.blocks or w.scope.own is not None:
        raise NotHere
    return [w.name(*SHOWN)]
