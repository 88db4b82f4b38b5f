"""Productions for pandas: frames and series, their changes in place, copies, views, labels and dtypes."""

from __future__ import annotations

from tests.promise.fuzz.grammar import Lines, NotHere, Writer, expression, statement
from tests.promise.fuzz.scope import Kind

_DERIVED = (
    '<d>.assign(c=<d>["a"] * 2)', "<d>.copy()", '<d>[<d>["a"] >= <d>["a"].min()]', '<d>.sort_values("a")',
    "<d>.head(2)", "<d>.iloc[:2]", "<d>.reset_index(drop=True)", '<d>.rename(columns={"c": "d"})', "<d>[:]",
    "<d>.copy(deep=False)",
    '<d>.pipe(lambda d: d.assign(e=d["b"] + 1))', "<pd>.concat([<d>, <d>])", '<d>.query("a > -99")',
    '<d>[["a", "b", "g"]]', '<d>.drop(columns="c", errors="ignore")', '<d>.fillna({"b": 0})',
    '<d>.drop_duplicates("b")',
)  # fmt: skip
_CHANGES = (
    '<d>["c"] = <n>', '<d>["a"] = <d>["a"] + 1', '<d>["a"] += 2', '<d>.loc[<d>["a"] > 2, "b"] = 0.0', "<d>.a *= 2",
    '<d>.loc[<d>.index[0], "a"] = <n>', '<d>["d"] = <x>', '<d>.iloc[0, <d>.columns.get_loc("a")] = <n>',
    '<d>.attrs["k"] = <n>', '<d>.index.name = "i"', '<d>.insert(0, "z" + str(<d>.shape[1]), <n>)',
    '<d>["g"] = <d>["g"].astype("category")', '<d>["e"] = <d>.groupby("g", observed=True)["a"].transform("sum")',
)  # fmt: skip
_IN_PLACE = (
    '<d>.sort_values("a", inplace=True)', '<d>.sort_values("b", inplace=True)', '<d>.eval("f = a + b", inplace=True)',
    "<d>.reset_index(drop=True, inplace=True)", '<d>.rename(columns={"c": "d"}, inplace=True)',
    '<d>.drop(columns="c", errors="ignore", inplace=True)', '<d>.fillna({"b": 1.0}, inplace=True)',
    "<d>.sort_index(ascending=False, inplace=True)",
)  # fmt: skip


@expression(Kind.FRAME, "frame: new", 5)
def _frame(w: Writer) -> str:
    index = w.pick(("", "", ', index=["p", "q", "r"]', ", index=[5, 3, 4]"))
    numbers = f"[{w.expr(Kind.INT)}, 2, 3]"
    pandas = w.need("pd")
    texts = w.pick(('["u", "v", "u"]', f'{pandas}.Categorical(["u", "v", "u"])' if not index else '["u", "v", "w"]'))
    return f'{pandas}.DataFrame({{"a": {numbers}, "b": [0.5, {w.integer(0, 5)}.25, 1.0], "g": {texts}}}{index})'


@expression(Kind.FRAME, "frame: derived", 5)
def _derived(w: Writer) -> str:
    return w.fill(_DERIVED, d=w.name(Kind.FRAME), pd=w.need("pd"))


@expression(Kind.SERIES, "series: column", 5)
def _column(w: Writer) -> str:
    name = w.name(Kind.FRAME)
    return w.pick((f'{name}["a"]', f'{name}["b"]', f"{name}.a", f'{name}.loc[:, "b"]', f'{name}["a"] + 1'))


@expression(Kind.SERIES, "series: groupby")
def _grouped(w: Writer) -> str:
    return f'{w.name(Kind.FRAME)}.groupby("g", observed=True)["{w.pick("ab")}"].{w.pick(("sum", "mean", "count"))}()'


@expression(Kind.SERIES, "series: new or computed", 3)
def _series(w: Writer) -> str:
    if w.visible(Kind.SERIES) and w.chance(50):
        name = w.name(Kind.SERIES)
        return w.pick(
            (f"{name} * 2", f"{name}.cumsum()", f"{name}.copy()", f'{name}.rename("s")', f"{name}.sort_index()")
        )
    return f'{w.need("pd")}.Series({w.expr(Kind.LIST)}, name="s")'


@expression(Kind.INT, "int: of a frame")
def _frame_int(w: Writer) -> str:
    return f'int({w.name(Kind.FRAME)}["a"].sum()) % 100'


@expression(Kind.FLOAT, "float: of a frame or series")
def _frame_float(w: Writer) -> str:
    return f"float({w.name(Kind.SERIES)}.sum())" if w.chance(50) else f'float({w.name(Kind.FRAME)}["b"].mean())'


@expression(Kind.ARRAY, "array: of a frame", 1)
def _frame_array(w: Writer) -> str:
    return f'{w.name(Kind.FRAME)}["{w.pick("ab")}"].to_numpy().copy()'


@expression(Kind.LIST, "list: of a frame", 1)
def _frame_list(w: Writer) -> str:
    return f'{w.name(Kind.FRAME)}["a"].tolist()'


@statement("mutation: frame", 12)
def _frame_change(w: Writer) -> Lines:
    return [w.fill(_CHANGES, d=w.name(Kind.FRAME), n=w.expr(Kind.INT), x=w.expr(Kind.FLOAT))]


@statement("mutation: inplace=", 5)
def _inplace(w: Writer) -> Lines:
    return [w.fill(_IN_PLACE, d=w.name(Kind.FRAME))]


@statement("frame: name in a query", 2)
def _query(w: Writer) -> Lines:
    if w.scope.own is not None:
        raise NotHere
    name, limit = w.name(Kind.FRAME), w.name(Kind.INT)
    return [f'print(len({name}.query("a > @{limit}")))']


@statement("mutation: series", 4)
def _series_change(w: Writer) -> Lines:
    name = w.name(Kind.SERIES)
    return [
        w.pick(
            (
                f"{name}.iloc[0] = {w.integer(0, 9)}",
                f"{name}.sort_values(inplace=True)",
                f'{name}.name = "t"',
                f"{name}.iloc[-1] += 1",
            )
        )
    ]


@statement("mutation: loop over frames in place", 3)
def _frames_loop(w: Writer) -> Lines:
    frames = w.visible(Kind.FRAME)
    one, other = w.pick(frames), w.pick(frames)
    for name in (one, other):
        w.scope.note(name, Kind.FRAME)
    change = w.pick((f'["k"] = {w.expr(Kind.INT)}', ".attrs['n'] = 1", '["a"] += 1'))
    return [f"for part in ({one}, {other}):", f"    part{change}"]


@statement("frame: apply with a function that reads a name", 2)
def _apply(w: Writer) -> Lines:
    name, number = w.name(Kind.FRAME), w.name(Kind.INT)
    return [f'{name}["h"] = {name}["a"].{w.pick(("map", "apply"))}(lambda v: v + {number})']
