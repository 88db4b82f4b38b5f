from __future__ import annotations

import ast

import pytest

from nbmlops.analysis.fidelity.repeatable import is_repeatable, unrepeatable_parts

REPEATABLE = [
    "1", "-1.5", "'a'", "None", "name", "np.float32", "(1, 'a', (2,))", "1 + LIMIT", "not a", "a and b.c",
    "1 < x < 2", "a if b else c", "f'{a}'", "lambda x: []", "lambda x=1: x", "timedelta(days=1)", "re.compile('x')",
    "Path('a') / 'b'", "dict[str, list[int]]", "Callable[[int, str], None]", "str(1)", "float('inf')",
    "'a b'.split()", "np.dtype('i4')", "functools.lru_cache(maxsize=None)", "dataclass(frozen=True)", "xs[1:2]",
    "torch.cuda.is_available()",
]  # fmt: skip
OTHERS = [
    "[]", "{}", "{1}", "[x for x in y]", "time.time()", "datetime.now()", "np.random.default_rng()", "open('x')", "f()",
    "object()", "f'{now()}'", "(1, [])", "lambda x=[]: x", "lambda x=f(): x", "str(f())", "f().upper()", "uuid4().hex",
    "next(c)", "x if f() else y", "timedelta(days=f())", "(y := 1)", "dict(a=1)", "list()",
]  # fmt: skip


@pytest.mark.parametrize("source", REPEATABLE)
def test_what_is_the_same_each_time(source):
    assert is_repeatable(ast.parse(source, mode="eval").body)


@pytest.mark.parametrize("source", OTHERS)
def test_what_may_differ_or_change(source):
    assert not is_repeatable(ast.parse(source, mode="eval").body)


def test_the_parts_of_definitions():
    source = '''
@register(now())
@dataclass
class C(make_base(), metaclass=Meta):
    """Docs."""
    x: int = 1
    y: float = time.time()
    ids = []
    for i in range(3):
        print(i)
    if now():
        z = 1
    try:
        w = f()
    except E:
        w = g()
    @cached(now())
    def m(self, t=now(), *, u={}, v=1):
        return now()
'''
    (node,) = ast.parse(source).body
    assert [ast.unparse(part) for part in unrepeatable_parts(node)] == [
        "register(now())", "make_base()", "time.time()", "[]", "print(i)", "now()", "f()", "g()", "cached(now())",
        "now()", "{}",
    ]  # fmt: skip
