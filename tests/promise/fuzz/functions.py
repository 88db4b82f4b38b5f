"""Productions for functions: globals read and written, late binding, closures, decorators, default arguments."""

from __future__ import annotations

from tests.promise.fuzz.grammar import Lines, NotHere, Writer, expression, indented, statement
from tests.promise.fuzz.scope import MUTABLE, PLAIN, SHOWN, Function, Kind

_PARAMETERS = (Kind.INT, Kind.INT, Kind.LIST, Kind.DICT, Kind.ARRAY, Kind.FRAME, Kind.THING, Kind.SET, Kind.ROWS)
_RETURNS = (*PLAIN, Kind.INT, Kind.INT, Kind.ARRAY, Kind.FRAME, Kind.SERIES, Kind.THING, Kind.GENERATOR)
_PARAMETER_NAMES = ("x", "y", "data", "n", "item", "values")
_GLOBALS = (Kind.INT, Kind.LIST, Kind.DICT, Kind.TEXT, Kind.ARRAY, Kind.FRAME)


def _top_only(w: Writer) -> None:
    if w.blocks or w.scope.own is not None:
        raise NotHere


def _parameters(w: Writer, kinds: tuple[Kind, ...]) -> dict[str, Kind]:
    start = w.integer(0, len(_PARAMETER_NAMES) - 1)
    names = (*_PARAMETER_NAMES[start:], *_PARAMETER_NAMES[:start])
    return dict(zip(names, kinds, strict=False))


def _body(w: Writer, returns: Kind, most: int = 3) -> Lines:
    lines: Lines = []
    for _ in range(w.integer(0, most)):
        try:
            lines += w.statement()
        except NotHere:
            continue
    return [*lines, f"return {w.expr(returns)}"]


def _defined(w: Writer, name: str, function: Function) -> None:
    w.scope.unbind(name)
    w.scope.functions[name] = function


def plain_functions(w: Writer) -> list[str]:
    """Returns the functions from int to int that bind no name of the notebook."""
    functions = w.scope.functions.items()
    return [name for name, f in functions if f.parameters == (Kind.INT,) and f.returns is Kind.INT and not f.binds]


def _callable(w: Writer) -> str:
    """Returns a function that can be called here.

    Raises:
        NotHere: there is none.
    """
    known = w.scope.functions
    found: str = w.pick([name for name, function in known.items() if w.scope.satisfies(function.needs)])
    if w.scope.own is not None:
        w.scope.note_all(known[found].needs)
    return found


@statement("function: def", 9)
def _define(w: Writer) -> Lines:
    _top_only(w)
    kinds = tuple(w.pick(_PARAMETERS) for _ in range(w.integer(0, 2)))
    parameters = _parameters(w, kinds)
    returns = w.pick(_RETURNS)
    known = [name for name in w.scope.functions if w.scope.functions[name].parameters == kinds]
    name = w.fresh("f")
    if known and w.chance(3):
        name = w.pick(known)
        w.constructs.add("function: redefined")
    with w.inside(parameters) as scope:
        body = _body(w, returns)
    _defined(w, name, Function(kinds, returns, _needs(scope.outside)))
    return [f"def {name}({', '.join(parameters)}):", *indented(body)]


def _needs(outside: dict[str, Kind]) -> dict[str, Kind]:
    return dict(outside)


@statement("function: reads a global", 4)
def _reader(w: Writer) -> Lines:
    _top_only(w)
    name = w.fresh("f")
    if w.chance(30):
        w.constructs.add("function: reads a global that is bound later")
        kind = w.pick((Kind.INT, Kind.LIST, Kind.DICT))
        read = w.fresh("late")
        w.wanted[read] = kind
    else:
        read = w.name(*_GLOBALS)
        kind = w.scope.names[read]
    text = {Kind.INT: f"x + {read}", Kind.TEXT: f"x + len({read})"}.get(kind, f"x + len({read})")
    if w.chance(30):
        w.constructs.add("function: named lambda")
        lines = [f"{name} = lambda x: {text}"]
    else:
        lines = [f"def {name}(x):", f"    return {text}"]
    _defined(w, name, Function((Kind.INT,), Kind.INT, {read: kind}))
    return lines


@statement("function: changes a global in place", 4)
def _changer(w: Writer) -> Lines:
    _top_only(w)
    name = w.fresh("f")
    with w.inside({"x": Kind.INT}) as scope:
        changed = w.name(Kind.LIST, Kind.DICT, Kind.SET, Kind.ROWS, Kind.ARRAY, Kind.FRAME, Kind.THING)
        change = {
            Kind.LIST: f"{changed}.append(x)", Kind.DICT: f'{changed}["a"] += x', Kind.SET: f"{changed}.add(x)",
            Kind.ROWS: f"{changed}[0].append(x)", Kind.ARRAY: f"{changed}[0] = x", Kind.FRAME: f'{changed}["m"] = x',
            Kind.THING: f"{changed}.add(x)",
        }[scope.names[changed]]  # fmt: skip
    _defined(w, name, Function((Kind.INT,), Kind.INT, _needs(scope.outside)))
    return [f"def {name}(x):", f"    {change}", "    return x + 1"]


@statement("function: global statement", 5)
def _writes_global(w: Writer) -> Lines:
    _top_only(w)
    name = w.fresh("f")
    kind = w.pick((Kind.INT, Kind.INT, Kind.LIST, Kind.TEXT))
    existing = w.visible(kind)
    if existing and w.chance(75):
        target = w.pick(existing)
        with w.inside({"by": Kind.INT}) as scope:
            scope.declared.add(target)
            scope.note(target, kind)
            value = w.expr(kind)
            line = f"{target} += {value}" if w.chance(60) else f"{target} = {value}"
            guard = w.chance(25)
            lines = [f"if by > {w.integer(0, 3)}:", f"    {line}"] if guard else [line]
            lines += [f"return len({w.builtin('str')}({target}))"]
        needs = _needs(scope.outside)
        _defined(w, name, Function((Kind.INT,), Kind.INT, needs))
        return [f"def {name}(by):", f"    global {target}", *indented(lines)]
    target = w.fresh("made")
    with w.inside({"by": Kind.INT}) as scope:
        value = w.expr(kind)
    _defined(w, name, Function((Kind.INT,), Kind.INT, _needs(scope.outside), {target: kind}))
    w.constructs.add("function: global made by a call")
    return [f"def {name}(by):", f"    global {target}", f"    {target} = {value}", "    return by"]


@statement("function: calls another that may change later", 3)
def _caller(w: Writer) -> Lines:
    _top_only(w)
    functions = w.scope.functions.items()
    inner = w.pick([name for name, f in functions if f.parameters == (Kind.INT,) and f.returns is Kind.INT])
    function = w.scope.functions[inner]
    name = w.fresh("f")
    _defined(w, name, Function((Kind.INT,), Kind.INT, dict(function.needs), dict(function.binds)))
    return [f"def {name}(k):", f"    return {inner}(k) + 1"]


@statement("function: closure with nonlocal", 2)
def _closure(w: Writer) -> Lines:
    _top_only(w)
    name = w.fresh("f")
    with w.inside({"x": Kind.INT}) as scope:
        value = w.expr(Kind.INT)
    _defined(w, name, Function((Kind.INT,), Kind.INT, _needs(scope.outside)))
    inner = ["nonlocal count", "count += by + x", "return count"]
    body = [f"count = {value}", "def step(by):", *indented(inner), "step(1)", "return step(2)"]
    return [f"def {name}(x):", *indented(body)]


@statement("function: nested, recursive, generator", 2)
def _special(w: Writer) -> Lines:
    _top_only(w)
    name = w.fresh("f")
    which = w.integer(0, 2)
    with w.inside({"x": Kind.INT}) as scope:
        value = w.expr(Kind.INT)
    needs = _needs(scope.outside)
    _defined(w, name, Function((Kind.INT,), Kind.INT, needs))
    if which == 0:
        return [f"def {name}(x):", f"    return {value} if x <= 0 else {name}(x - 1) + 1 if x < 9 else 0"]
    if which == 1:
        parts = ["def parts():", f"    yield {value}", "    yield x", "return sum(parts())"]
        return [f"def {name}(x):", *indented(parts)]
    return [f"def {name}(x, *more, by=2, **rest):", f"    return ({value} + len(more) + len(rest)) * by"]


@statement("function: decorated", 2)
def _decorated(w: Writer) -> Lines:
    _top_only(w)
    functools = w.need("functools")
    outer, name = w.fresh("deco"), w.fresh("f")
    with w.inside({"x": Kind.INT}) as scope:
        value = w.expr(Kind.INT)
    counted = [n for n in w.visible(Kind.LIST) if n not in scope.outside]
    needs = _needs(scope.outside)
    extra: Lines = []
    if counted and w.chance(40):
        extra = [f"    {counted[0]}.append(1)"]
        needs[counted[0]] = Kind.LIST
        w.constructs.add("function: decorator that changes a global")
    _defined(w, name, Function((Kind.INT,), Kind.INT, needs))
    inner = [f"@{functools}.wraps(function)", "def wrapper(*args):", *extra, "    return function(*args) + 1"]
    made = [f"def {outer}(function):", *indented(inner), "    return wrapper"]
    return [*made, f"@{outer}", f"def {name}(x):", f"    return {value}"]


@statement("function: default argument", 2)
def _default(w: Writer) -> Lines:
    _top_only(w)
    name = w.fresh("f")
    early = w.visible(Kind.INT, Kind.LIST)
    if early and w.chance(12):
        w.constructs.add("function: default argument that reads a name")
        read = w.pick(early)
        text = "x + len(str(extra))"
        _defined(w, name, Function((Kind.INT,), Kind.INT, {}))
        return [f"def {name}(x, extra={read}):", f"    return {text}"]
    if w.chance(12):
        w.constructs.add("function: mutable default argument")
        _defined(w, name, Function((Kind.INT,), Kind.INT, {}))
        return [f"def {name}(x, seen=[]):", "    seen.append(x)", "    return len(seen)"]
    _defined(w, name, Function((Kind.INT,), Kind.INT, {}))
    return [f"def {name}(x, by={w.integer(1, 4)}, *, label='k'):", "    return x * by + len(label)"]


@statement("function: called, its result dropped", 5)
def _call(w: Writer) -> Lines:
    name = _callable(w)
    if w.scope.functions[name].returns not in SHOWN:
        raise NotHere  # Jupyter would display it, with its address
    return [_call_of(w, name)]


def _call_of(w: Writer, name: str) -> str:
    function = w.scope.functions[name]
    arguments = [w.name(kind) if kind in MUTABLE and w.visible(kind) else w.expr(kind) for kind in function.parameters]
    w.run(name)
    return f"{name}({', '.join(arguments)})"


@statement("function: result assigned", 8)
def _call_assigned(w: Writer) -> Lines:
    name = _callable(w)
    returns = w.scope.functions[name].returns
    call = _call_of(w, name)
    return [f"{w.new(returns)} = {call}"]


@statement("function: handed to map, sorted, a loop", 2)
def _handed_over(w: Writer) -> Lines:
    name, source = w.pick(plain_functions(w)), w.name(Kind.LIST, Kind.TUPLE)
    w.run(name)
    forms = ("list(map({0}, list({1})))", "sorted(list({1}), key={0})", "[{0}(v) for v in list({1})]")
    form = w.pick(forms).format(name, source)
    return [f"{w.new(Kind.LIST)} = {form}"]


@expression(Kind.INT, "function: call in an expression", 3)
def _call_expression(w: Writer) -> str:
    name = w.pick(plain_functions(w))
    w.run(name)
    return f"{name}({w.expr(Kind.INT)}) % 90"
