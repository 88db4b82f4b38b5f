"""Random programs: what really happens when they run must be among what the analysis says may happen."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbmlops.analysis.analyze import build_graph
from nbmlops.analysis.model import ClosingNames, Effects
from nbmlops.notebook.model import Cell, CellKind, CellRole, Notebook, RoleKind

NAMES = ("a", "b", "c", "d")
FUNCTIONS = ("f", "g")
names = st.sampled_from(NAMES)
functions = st.sampled_from(FUNCTIONS)


def indent(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


expressions = st.one_of(
    names,
    st.just("1"),
    st.just("[2]"),
    st.builds("[{}, {}]".format, names, names),
    st.builds("list({})".format, names),
    st.builds("len({})".format, names),
    st.builds("{}[0]".format, names),
    st.builds("({} or {})".format, names, names),
    st.builds("({} if {} else {})".format, names, names, names),
    st.builds("[x for x in {} if x != {}]".format, names, names),
    st.builds("[{0} for {0} in {1}]".format, names, names),
    st.builds("(lambda {0}: {0} + {1})({2})".format, names, names, names),
    st.builds("({} := [3])".format, names),
    st.builds("{}({})".format, functions, names),
    st.builds("sorted({}, key=lambda x: len({}))".format, names, names),
)
simple = st.one_of(
    st.builds("{} = {}".format, names, expressions),
    st.builds("{} = {} = {}".format, names, names, expressions),
    st.builds("{}, {} = {}, {}".format, names, names, expressions, expressions),
    st.builds("{}, *{} = {}".format, names, names, names),
    st.builds("{}: list = {}".format, names, expressions),
    st.builds("{} += [5]".format, names),
    st.builds("{}.append({})".format, names, expressions),
    st.builds("{}[0] = {}".format, names, expressions),
    st.builds("{}[0].append(7)".format, names),
    st.builds("{}[0] += [7]".format, names),
    st.builds("del {}".format, names),
    st.builds("del {}[0]".format, names),
    st.builds("{}({})".format, functions, names),
    st.builds("assert {}".format, names),
    st.builds("import os as {}".format, st.just("os")),
    expressions,
).map(lambda line: [line])


def block(children: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    return st.lists(children, min_size=1, max_size=3).map(lambda parts: [line for part in parts for line in part])


def compound(children: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    body = block(children).map(indent)
    return st.one_of(
        st.builds(lambda n, x, y: [f"if {n}:", *x, "else:", *y], names, body, body),
        st.builds(lambda n, x: [f"if len({n}) > 1:", *x], names, body),
        st.builds(lambda t, n, x, y: [f"for {t} in list({n})[:3]:", *x, "else:", *y], names, names, body, body),
        st.builds(lambda t, m, n, x: [f"for {t} in ({m}, {n}):", *x], names, names, names, body),
        st.builds(lambda n, x: [f"while len({n}) > 3:", *x, "    break"], names, body),
        st.builds(lambda x, y, z, w: ["try:", *x, "except Exception:", *y, "else:", *z, "finally:", *w], *[body] * 4),
        st.builds(lambda x, n, y: ["try:", *x, f"except Exception as {n}:", *y], body, names, body),
        st.builds(lambda x: ["import contextlib", "with contextlib.suppress(Exception):", *x], body),
        st.builds(
            lambda n, m, x: [f"match {n}:", f"    case [{m}, *_]:", *indent(x), "    case _: pass"], names, names, body
        ),
        st.builds(lambda f, p, x, r: [f"def {f}({p}):", *x, f"    return {r}"], functions, names, body, names),
        st.builds(lambda f, n, x: [f"def {f}(*args):", f"    global {n}", *x], functions, names, body),
        st.builds(lambda n, m, x: [f"class {n.upper()}:", *x, f"    def m(self): return {m}"], names, names, body),
    )


programs = block(st.recursive(simple, compound, max_leaves=6))


class Watched(dict[str, Any]):
    """A namespace that notes which of the values that it began with are looked at."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.initial = dict(values)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if name in self.initial and value is self.initial[name]:
            self.read.add(name)
        return value

    def rebound(self) -> set[str]:
        """Returns the names that refer to something else now."""
        return {name for name in NAMES if name in self and self.get(name) is not self.initial.get(name)}


def analysed(source: str) -> Effects:
    """Returns the effects of a step that runs the source, below one that binds all names to lists of their own."""
    above = "\n".join(f"{name} = {value!r}" for name, value in values().items())
    cells = [
        Cell(str(number), number, CellKind.CODE, text, (), CellRole(RoleKind.STEP, f"step{number}"), text)
        for number, text in enumerate((above, source), 1)
    ]
    return build_graph(Notebook("random.ipynb", "random", tuple(cells)), ClosingNames()).steps[1].effects


def values() -> dict[str, Any]:
    """Lists that hold lists, some of them shared by no other name."""
    return {name: [[position], [position, 1]] for position, name in enumerate(NAMES)}


@contextlib.contextmanager
def compiled(lines: list[str]) -> Iterator[Any]:
    source = "\n".join(lines)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield compile(source, "<random>", "exec")
        except SyntaxError:
            yield None


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(programs)
def test_what_happens_was_foreseen(lines: list[str]) -> None:
    with compiled(lines) as code:
        if code is None:
            return
        effects = analysed("\n".join(lines))
        namespace = Watched(values())
        finished = run(code, namespace)
        before = values()
        kept = namespace.keys() & set(NAMES) - namespace.rebound()
        changed = {name for name in kept if namespace.initial[name] != before[name]}
        assert namespace.read <= effects.reads, "read before bound"
        assert changed <= effects.mutates, "changed in place"
        assert namespace.rebound() <= effects.may_bind, "bound"
        assert set(NAMES) - namespace.keys() <= effects.deletes | effects.may_bind, "deleted"
        if finished:
            needed = Watched({name: value for name, value in values().items() if name in effects.reads})
            assert run(code, needed), "runs with nothing but what it reads"
            assert effects.binds & set(NAMES) <= needed.keys(), "bound on every path"


def run(code: Any, namespace: Watched) -> bool:
    """Returns whether the program ran to its end."""
    try:
        exec(code, namespace, namespace)
    except Exception:  # noqa: BLE001  # a random program may raise anything
        return False
    return True
