from __future__ import annotations

import ast

import pytest

from nbmlops.analysis.fidelity.whole import Access, accesses


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("eval(text)", ["read"]),
        ("eval(f'x_{i}')", ["read"]),
        ("eval('x + 1')", []),
        ("eval(text, {'x': 1})", []),
        ("eval(text, globals())", ["read", "read"]),
        ("eval(text, None, space)", ["read"]),
        ("exec('x = 1')", ["bind"]),
        ("exec(code, space)", []),
        ("exec(code, globals(), space)", ["bind", "bind"]),
        ("list(map(eval, texts))", ["read"]),
        ("frame.apply(eval)", []),
        ("globals()[name]", ["read"]),
        ("globals()[name] = 1", ["bind"]),
        ("del globals()[name]", ["bind"]),
        ("globals()[name] += 1", ["bind"]),
        ("globals().get(name)", ["read"]),
        ("globals().update(x=1)", ["bind"]),
        ("name in globals()", ["read"]),
        ("name not in locals().keys()", ["read"]),
        ("name in dir()", ["read"]),
        ("'{x}'.format(**locals())", ["read"]),
        ("'{x}'.format_map(vars())", ["read"]),
        ("'%(x)s' % vars()", ["read"]),
        ("frame.query(text, local_dict=locals())", ["read"]),
        ("sqldf(query, globals())", ["read"]),
        ("timeit.timeit('f()', globals=globals())", ["read"]),
        ("vars(obj)", []),
        ("dir(obj)", []),
        ("globals()", ["list"]),
        ("space = globals()", ["list"]),
        ("for name in dir(): pass", ["list"]),
        ("globals().items()", ["list"]),
        ("list(globals().keys())", ["list"]),
        ("f(globals())", ["list"]),
        ("f(**locals())", ["list"]),
        ("globals().copy", ["list"]),
        ("dir()[0]", ["list"]),
        ("x == globals()", ["list"]),
    ],
)
def test_what_a_call_may_do_to_names(source: str, expected: list[str]) -> None:
    assert list(accesses(ast.parse(source)).values()) == [Access(access) for access in expected]
