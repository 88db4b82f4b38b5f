"""Running behaviour tests: small functions `test_...` that take the notebook's values by the names of their parameters.

The same for the cell tagged `test`, the line `%mlops test` and the step of the pipeline. A test that fails does not
fail the cell: the gate judges it. Whatever is unclear is an error of that test, and no error passes.
"""

from __future__ import annotations

import inspect
import linecache
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from types import ModuleType

from nbmlops.app.logged import checked_name
from nbmlops.core.errors import UsageError
from nbmlops.core.records import BehaviourOutcome, BehaviourRecord, Expectation
from nbmlops.notebook.behaviour import PREFIX

_LONGEST = 300
_MOST_STATED = 10
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}")
_stated: ContextVar[list[Expectation] | None] = ContextVar("_stated", default=None)


def state(expectation: Expectation) -> Expectation:
    """Returns the expectation, after the test that runs now has noted that it stated it: it must hold."""
    stated = _stated.get()
    if stated is not None:
        stated.append(expectation)
    return expectation


def run_tests(tests: Sequence[object], values: Mapping[str, object]) -> tuple[BehaviourRecord, ...]:
    """Returns how the tests ended, in their order.

    Args:
        tests: Functions, or modules whose functions `test_...` are meant.
        values: What tests may ask for, by name.

    Raises:
        UsageError: there is no test, something else was given, or two tests have one name.
    """
    functions = [function for test in tests for function in _functions(test)]
    names = [checked_name(function.__name__, "behaviour test") for function in functions]
    repeated = next((name for place, name in enumerate(names) if name in names[:place]), "")
    if repeated:
        raise UsageError(f"two behaviour tests are called {repeated!r}", "give each a name of its own")
    if not functions:
        raise UsageError("there is no behaviour test to run", "give functions: %mlops test test_later(model, X_test)")
    return tuple(_run(function, values) for function in functions)


def _functions(test: object) -> Iterator[Callable[..., object]]:
    """Yields the functions that are meant.

    Raises:
        UsageError: it is neither a function nor a module with tests.
    """
    if isinstance(test, ModuleType):
        found = [value for name, value in vars(test).items() if name.startswith(PREFIX) and inspect.isfunction(value)]
        if not found:
            raise UsageError(f"the module {test.__name__!r} has no function {PREFIX}...", "name a module with tests")
        yield from found
    elif callable(test) and str(getattr(test, "__name__", "")).isidentifier():
        yield test
    else:
        raise UsageError(
            f"a behaviour test is a function with a name, but this is {test!r:.80}", "write `def test_...`"
        )


def _run(test: Callable[..., object], values: Mapping[str, object]) -> BehaviourRecord:
    stated: list[Expectation] = []
    token = _stated.set(stated)
    try:
        returned = _call(test, values)
    except AssertionError as error:
        ended, message = BehaviourOutcome.FAIL, _broken(stated) or _told(error)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a test may raise anything, such as pytest's Skipped or SystemExit
        ended, message = BehaviourOutcome.ERROR, f"{type(error).__name__}: {error}"
    else:
        ended, message = _judged(returned, stated)
    finally:
        _stated.reset(token)
    text = _ADDRESS.sub("0x…", " ".join(message.split()))
    short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    shown = sorted(stated, key=bool)[:_MOST_STATED]  # those that do not hold first
    return BehaviourRecord(test.__name__, ended, short, tuple(shown))


def _call(test: Callable[..., object], values: Mapping[str, object]) -> object:
    """Returns what a test returns, given the values that it asks for.

    Raises:
        UsageError: it asks for others.
    """
    kinds = inspect.Parameter
    wanted = [
        parameter
        for parameter in inspect.signature(test).parameters.values()
        if parameter.default is kinds.empty and parameter.kind not in {kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD}
    ]
    missing = [parameter.name for parameter in wanted if parameter.name not in values]
    if missing:
        raise UsageError(f"it asks for {', '.join(missing)}, but was given {', '.join(values) or 'nothing'}")
    positional = [values[one.name] for one in wanted if one.kind is kinds.POSITIONAL_ONLY]
    named = {one.name: values[one.name] for one in wanted if one.kind is not kinds.POSITIONAL_ONLY}
    return test(*positional, **named)


def _judged(returned: object, stated: Sequence[Expectation]) -> tuple[BehaviourOutcome, str]:
    broken = _broken([*stated, *([returned] if isinstance(returned, Expectation) else [])])
    if broken:
        return BehaviourOutcome.FAIL, broken
    if returned is None or isinstance(returned, Expectation) or type(returned).__name__ in {"bool", "bool_"}:
        good = returned is None or bool(returned)
        return (BehaviourOutcome.PASS, "") if good else (BehaviourOutcome.FAIL, "it returned False")
    if inspect.iscoroutine(returned):
        returned.close()  # else Python warns that nobody waited for it
    kind = type(returned).__name__
    return BehaviourOutcome.ERROR, f"it returned a value of type {kind}: a test asserts, or states what it expects"


def _broken(stated: Sequence[Expectation]) -> str:
    return "; ".join(dict.fromkeys(str(one) for one in stated if not one))


def _told(error: AssertionError) -> str:
    """Returns what an assertion says, or the line that does not hold."""
    if str(error):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    line = linecache.getline(frames[-1].filename, frames[-1].lineno or 0).strip() if frames else ""
    return f"does not hold: {line}" if line else "an assertion does not hold"
