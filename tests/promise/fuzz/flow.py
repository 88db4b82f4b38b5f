"""Productions for control flow: conditionals, loops, try, with and match, which bind and change on some paths."""

from __future__ import annotations

from tests.promise.fuzz.grammar import Lines, NotHere, Writer, indented, statement
from tests.promise.fuzz.scope import PLAIN, Kind
from tests.promise.fuzz.values import condition


@statement("flow: if that may bind again", 6)
def _if(w: Writer) -> Lines:
    lines = [f"if {condition(w)}:", *w.block()]
    if w.chance(30):
        lines += [f"elif {condition(w)}:", *w.block(1)]
    return [*lines, "else:", *w.block(1)] if w.chance(40) else lines


@statement("flow: name bound in both branches", 3)
def _both(w: Writer) -> Lines:
    test, kind = condition(w), w.pick(PLAIN)
    one, other = w.expr(kind), w.expr(kind)
    name = w.new(kind)
    return [f"if {test}:", f"    {name} = {one}", "else:", f"    {name} = {other}"]


@statement("flow: name that only some path binds, read in try", 2)
def _maybe(w: Writer) -> Lines:
    if w.scope.own is not None:
        raise NotHere
    name = w.pick(sorted(w.scope.maybe))
    return ["try:", f"    print({name})", "except NameError:", "    print('not bound')"]


@statement("flow: for over a range", 4)
def _for(w: Writer) -> Lines:
    bound = w.scope.own is None and not w.blocks
    variable = w.new(Kind.INT) if bound else w.pick(("i", "j", "v"))
    lines = [f"for {variable} in range({w.integer(1, 3)}):", *w.block()]
    if w.chance(20):
        w.constructs.add("flow: break and else of a loop")
        lines += indented([f"if {variable} {w.pick(('>', '=='))} 0:", f"    {w.pick(('break', 'continue'))}"])
        lines += ["else:", *w.block(1)]
    return lines


@statement("flow: loop over a tuple of containers, changed in place", 4)
def _in_place(w: Writer) -> Lines:
    names = w.visible(Kind.LIST)
    one, other = w.pick(names), w.pick(names)
    for name in (one, other):
        w.scope.note(name, Kind.LIST)
    if w.chance(30):
        return [f"for at, part in enumerate([{one}, {other}]):", "    part.append(at)"]
    return [f"for part in ({one}, {other}):", f"    part.append({w.expr(Kind.INT)})"]


@statement("flow: loop that changes what it iterates", 2)
def _over(w: Writer) -> Lines:
    name = w.name(Kind.LIST, Kind.DICT, Kind.ROWS)
    match w.scope.names[name]:
        case Kind.LIST:
            return [f"for i in range(len({name})):", f"    {name}[i] = {name}[i] % 7 + {w.expr(Kind.INT)}"]
        case Kind.DICT:
            return [f"for key in {name}:", f"    {name}[key] += 1"]
        case _:
            return [f"for row in {name}:", "    row.append(len(row))"]


@statement("flow: while", 2)
def _while(w: Writer) -> Lines:
    if w.scope.own is not None or w.blocks:
        raise NotHere
    name = w.new(Kind.INT)
    body = w.block(1)
    return [f"{name} = 0", f"while {name} < {w.integer(1, 3)}:", *body, f"    {name} = {name} + 5"]


@statement("flow: try that fails in the middle", 4)
def _try(w: Writer) -> Lines:
    body = w.block()
    if w.chance(60):
        body += ["    " + w.pick(("1 / 0", "raise ZeroDivisionError('x')"))]
    handler = "except ZeroDivisionError as error:" if w.chance(40) else "except ZeroDivisionError:"
    lines = ["try:", *body, handler, *(w.block(1) if w.chance(70) else ["    print('caught')"])]
    if w.chance(20):
        lines += ["else:", *w.block(1)]
    return [*lines, "finally:", *w.block(1)] if w.chance(30) else lines


@statement("flow: suppress and with", 2)
def _with(w: Writer) -> Lines:
    module = w.need("contextlib")
    body = w.block()
    return [f"with {module}.suppress(ZeroDivisionError):", *body, *(["    1 / 0"] if w.chance(50) else [])]


@statement("flow: match", 2)
def _match(w: Writer) -> Lines:
    subject = w.name(Kind.LIST, Kind.TUPLE, Kind.DICT, Kind.INT)
    if w.scope.own is not None:
        raise NotHere
    kind = w.scope.names[subject]
    if kind is Kind.INT:
        return [f"match {subject}:", "    case 0 | 1:", *indented(w.block(1)), "    case _:", *indented(w.block(1))]
    if kind is Kind.DICT:
        name = w.new(Kind.INT)
        return [f"match {subject}:", f'    case {{"a": {name}}}:', *indented(w.block(1))]
    name = w.new(Kind.INT)
    rest = w.new(Kind.LIST)
    if rest == name:
        raise NotHere  # a pattern binds a name once
    return [f"match [*{subject}, 1]:", f"    case [{name}, *{rest}]:", *indented(w.block(1))]


@statement("scope: names of comprehensions and lambdas hide others", 3)
def _hiding(w: Writer) -> Lines:
    name = w.pick(w.visible(*PLAIN))
    source = w.name(Kind.LIST, Kind.TUPLE)
    if name == source:
        raise NotHere
    form = w.pick((
        f"[{name} for {name} in {source}]", f"(lambda {name}: {name} + 1)(3)", f"{{{name}: 1 for {name} in {source}}}",
        f"sorted({source}, key=lambda {name}: -{name})", f"sum({name} for {name} in {source})",
    ))  # fmt: skip
    if form.startswith("sum"):
        w.builtin("sum")
    return [f"print({form})"]


@statement("names: function or class in a conditional", 1)
def _conditional_function(w: Writer) -> Lines:
    if w.scope.own is not None or w.blocks or not w.chance(10):
        raise NotHere
    name = w.fresh("f")
    return [
        f"if {condition(w)}:",
        f"    def {name}(x): return x",
        "else:",
        f"    def {name}(x): return x + 1",
        f"print({name}(1))",
    ]


@statement("imports: in the middle", 1)
def _import(w: Writer) -> Lines:
    if w.scope.own is not None or w.blocks:
        raise NotHere
    if w.chance(50):
        return ["from math import floor", "print(floor(2.5))"]
    return ["import math as m", "print(m.pi)"]
