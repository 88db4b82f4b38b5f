"""Productions for numpy: arrays, views that share memory, scalars; and for random numbers of all kinds."""

from __future__ import annotations

from tests.promise.fuzz.grammar import Lines, NotHere, Writer, expression, statement
from tests.promise.fuzz.scope import Kind

_CHANGES = (
    "<a>[0] = <n>", "<a>[:] = <n>", "<a>[1:] += 1", "<a>.sort()", "<a>.fill(<n>)", "<a>[<a> > 2] = 0",
    "<np>.add(<a>, 1, out=<a>)", "<np>.put(<a>, [0], [9])", "<np>.copyto(<a>, <n>)", "<a>.flat[0] = <n>",
)  # fmt: skip


@expression(Kind.ARRAY, "array: new", 4)
def _array(w: Writer) -> str:
    np = w.need("np")
    return w.pick((
        f"{np}.arange({w.integer(2, 6)})", f"{np}.array([{w.expr(Kind.INT)}, 5, 3])", f"{np}.zeros(4)",
        f"{np}.linspace(0, 1, 5)", f"{np}.ones(3, dtype='float32')", f"{np}.full(4, {w.expr(Kind.INT)})",
    ))  # fmt: skip


@expression(Kind.ARRAY, "array: computed")
def _computed(w: Writer) -> str:
    name = w.name(Kind.ARRAY)
    return w.pick(
        (f"{name} * 2", f"{name} + 1", f"{name}.copy()", f"{w.need('np')}.sort({name})", f"{name}[{name} > -99]")
    )


@expression(Kind.ARRAY, "array: view", 6)
def _view(w: Writer) -> str:
    if w.visible(Kind.GRID) and w.chance(50):
        name = w.name(Kind.GRID)
        return w.pick((f"{name}[0]", f"{name}[:, 0]", f"{name}.ravel()", f"{name}.reshape(-1)", f"{name}.diagonal()"))
    name = w.name(Kind.ARRAY)
    return w.pick(
        (
            f"{name}[:]",
            f"{name}[::-1]",
            f"{name}[::2]",
            f"{name}.view()",
            f"{name}[-2:]",
            f"{w.need('np')}.asarray({name})",
        )
    )


@expression(Kind.GRID, "array: two dimensions")
def _grid(w: Writer) -> str:
    np = w.need("np")
    return w.pick(
        (f"{np}.arange(6).reshape(2, 3)", f"{np}.zeros((2, 2))", f"{np}.eye(3)", f"{np}.ones((3, 2), order='F')")
    )


@expression(Kind.GRID, "array: view of two dimensions")
def _grid_view(w: Writer) -> str:
    if w.chance(50):
        name = w.name(Kind.GRID)
        return w.pick((f"{name}.T", f"{name}[:, ::-1]", f"{name}[:1]"))
    return f"{w.name(Kind.ARRAY)}.reshape(1, -1)"


@expression(Kind.SCALAR, "scalar: of numpy", 3)
def _scalar(w: Writer) -> str:
    if w.visible(Kind.ARRAY) and w.chance(60):
        name = w.name(Kind.ARRAY)
        return w.pick((f"{name}.mean()", f"{name}[0]", f"{name}.max()", f"{name}.sum()"))
    return f"{w.need('np')}.{w.pick(('float64(1.5)', 'int32(4)', 'float32(0.1)', 'bool_(True)'))}"


@expression(Kind.SCALAR, "scalar: computed")
def _scalar_sum(w: Writer) -> str:
    return f"{w.name(Kind.SCALAR)} + {w.expr(Kind.INT)}"


@expression(Kind.INT, "int: of an array")
def _array_int(w: Writer) -> str:
    return f"int({w.name(Kind.ARRAY, Kind.GRID)}.sum()) % 100"


@expression(Kind.LIST, "list: of an array", 1)
def _array_list(w: Writer) -> str:
    return f"[int(v) for v in {w.name(Kind.ARRAY)}]"


@statement("mutation: array", 8)
def _array_change(w: Writer) -> Lines:
    return [w.fill(_CHANGES, a=w.name(Kind.ARRAY), n=w.expr(Kind.INT), np=w.need("np"))]


@statement("mutation: augmented assignment of an array", 4)
def _array_augmented(w: Writer) -> Lines:
    own = w.scope.own
    name = w.pick([n for n in w.visible(Kind.ARRAY, Kind.GRID) if own is None or n in own])
    return [f"{name} {w.pick(('+=', '*=', '-='))} {w.integer(1, 3)}"]


@statement("mutation: array of two dimensions", 3)
def _grid_change(w: Writer) -> Lines:
    name = w.name(Kind.GRID)
    return [
        w.pick((f"{name}[0, 0] = {w.expr(Kind.INT)}", f"{name}[0] *= 2", f"{name}.T[0] = 4", f"{name}[:, -1] += 1"))
    ]


# Random numbers


@expression(Kind.GENERATOR, "random: default_rng")
def _generator(w: Writer) -> str:
    return f"{w.need('np')}.random.default_rng({w.integer(0, 99)})"


@expression(Kind.DICE, "random: random.Random")
def _dice(w: Writer) -> str:
    return f"{w.need('random')}.Random({w.integer(0, 99)})"


@expression(Kind.INT, "random: draw from a Generator", 3)
def _drawn(w: Writer) -> str:
    return f"int({w.name(Kind.GENERATOR)}.integers(50))"


@expression(Kind.INT, "random: draw from random.Random")
def _rolled(w: Writer) -> str:
    return f"{w.name(Kind.DICE)}.randrange(50)"


@expression(Kind.INT, "random: draw from the global generators", 3)
def _global_draw(w: Writer) -> str:
    if w.chance(50):
        w.need("<random>", Kind.SEED)
        return f"{w.need('random')}.randint(0, 50)"
    w.need("<np>", Kind.SEED)
    return f"int({w.need('np')}.random.randint(50))"


@expression(Kind.ARRAY, "random: array", 2)
def _random_array(w: Writer) -> str:
    if w.visible(Kind.GENERATOR) and w.chance(60):
        name = w.name(Kind.GENERATOR)
        return w.pick((f"{name}.normal(size=3)", f"{name}.permutation(4)", f"{name}.random(2)"))
    w.need("<np>", Kind.SEED)
    return f"{w.need('np')}.random.{w.pick(('rand(3)', 'permutation(4)', 'normal(size=2)'))}"


@statement("random: seed", 3)
def _seed(w: Writer) -> Lines:
    if w.blocks or w.scope.own is not None:
        raise NotHere
    module = w.pick(("random", "np"))
    w.need(module)
    w.scope.names[f"<{module}>"] = Kind.SEED
    return [f"{module}.{'' if module == 'random' else 'random.'}seed({w.integer(0, 99)})"]


@statement("random: shuffle in place", 2)
def _shuffle(w: Writer) -> Lines:
    if w.visible(Kind.GENERATOR) and w.chance(40):
        return [f"{w.name(Kind.GENERATOR)}.shuffle({w.name(Kind.ARRAY, Kind.LIST)})"]
    if w.chance(50):
        w.need("<random>", Kind.SEED)
        return [f"{w.need('random')}.shuffle({w.name(Kind.LIST)})"]
    w.need("<np>", Kind.SEED)
    return [f"{w.need('np')}.random.shuffle({w.name(Kind.ARRAY)})"]
