"""Productions for values that cannot be stored, and for state of the process: steps that share them are joined."""

from __future__ import annotations

from tests.promise.fuzz.functions import plain_functions
from tests.promise.fuzz.grammar import Lines, NotHere, Writer, expression, indented, statement
from tests.promise.fuzz.scope import Function, Kind


def _kept(w: Writer) -> str:
    """Returns a function to keep in a variable, its needs noted.

    Raises:
        NotHere: there is none.
    """
    name: str = w.pick([name for name in plain_functions(w) if w.scope.satisfies(w.scope.functions[name].needs)])
    if w.scope.own is not None and w.scope.functions[name].needs:
        raise NotHere
    return name


@expression(Kind.CALLABLE, "function: kept in a variable, partial", 3)
def _callable(w: Writer) -> str:
    name = _kept(w)
    return f"{w.need('functools')}.partial({name}, {w.expr(Kind.INT)})" if w.chance(40) else name


@expression(Kind.CALLABLE, "live: lambda that reads a name", 1)
def _lambda(w: Writer) -> str:
    if w.scope.own is not None:
        raise NotHere
    read = w.pick(w.visible(Kind.INT))
    return f"[lambda *v: len(v) + {read}][0]"


@expression(Kind.HANDLERS, "function: kept in a dict", 1)
def _handlers(w: Writer) -> str:
    return f'{{"a": {_kept(w)}, "b": {_kept(w)}}}'


@expression(Kind.INT, "function: called through a dict", 1)
def _call_handler(w: Writer) -> str:
    if w.scope.own is not None:
        raise NotHere  # what the functions need is known here only
    return f'len(str({w.name(Kind.HANDLERS)}["a"]({w.expr(Kind.INT)})))'


@expression(Kind.STREAM, "live: iterator and generator", 1)
def _stream(w: Writer) -> str:
    name = w.name(Kind.LIST, Kind.TUPLE)
    return w.pick((f"iter({name})", f"(v * 2 for v in {name})", f"enumerate({name})"))


@statement("live: next item of an iterator", 2)
def _next(w: Writer) -> Lines:
    return [f"print(next({w.name(Kind.STREAM)}, None))"]


@statement("live: closure that counts, kept in a variable", 1)
def _counter(w: Writer) -> Lines:
    if w.scope.own is not None or w.blocks:
        raise NotHere
    maker, name = w.fresh("make"), w.fresh("count")
    start = w.expr(Kind.INT)
    inner = [
        "count = start",
        "def bump(by):",
        "    nonlocal count",
        "    count += by",
        "    return count",
        "return bump",
    ]
    w.scope.functions[name] = Function((Kind.INT,), Kind.INT)
    return [f"def {maker}(start):", *indented(inner), f"{name} = {maker}({start})"]


@statement("state: setting of a library, environment", 2)
def _setting(w: Writer) -> Lines:
    if w.scope.own is not None or w.blocks:
        raise NotHere
    if w.chance(50):
        return [f'{w.need("pd")}.set_option("display.precision", {w.integer(1, 4)})']
    return [f"{w.need('np')}.set_printoptions(precision={w.integer(1, 4)})"]
