"""Storing a model without pickle: skops' format, with the types that a reader must trust listed by us.

skops refuses most tree ensembles unless their inner types are named as trusted. The list is made here under our own
rule, and never taken from a file: classes of the installed scikit-learn, NumPy and SciPy, scikit-learn's functions, and
`functools.partial` around what is trusted itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from nbmlops.core.errors import UsageError

_PACKAGES = frozenset({"sklearn", "numpy", "scipy"})
_FUNCTIONS = ("sklearn.", "scipy._lib.array_api_compat.")
# Parts of those packages that compile or run text; no model needs them.
_REFUSED = frozenset({"testing", "_testing", "tests", "conftest", "distutils", "f2py", "_pytesttester", "__config__"})
_DISTRIBUTIONS = ("numpy", "pandas", "scikit-learn", "scipy", "skops")
# A container only: skops lists the function inside it by a name of its own, which is then judged like any other.
_CONTAINERS = frozenset({"functools.partial"})
_MOST_SHOWN = 10


def trusted_types(model: object) -> tuple[str, ...]:
    """Returns the types beyond skops' own that a reader of this model must trust, sorted.

    Raises:
        UsageError: the model is no scikit-learn estimator, cannot be written, or holds types that we don't trust.
    """
    from skops import io as skops_io

    return check_types(model, skops_io.get_untrusted_types(data=dumped(model)))


def check_types(model: object, names: Iterable[str]) -> tuple[str, ...]:
    """Returns the names, sorted, if all of them may be trusted.

    Args:
        model: The model that holds them, for the message.
        names: Full names of types and functions.

    Raises:
        UsageError: some may not; the message lists them.
    """
    names = sorted(set(names))
    refused = [name for name in names if not is_trusted(name)]
    if not refused:
        return tuple(names)
    shown = ", ".join(refused[:_MOST_SHOWN]) + (
        f" and {len(refused) - _MOST_SHOWN} more" if refused[_MOST_SHOWN:] else ""
    )
    raise UsageError(
        f"the model ({_kind(model)}) holds what cannot be stored safely: {shown}",
        "use classes and functions of scikit-learn, NumPy and SciPy only: move your own code into a step before the "
        "model, so that the model gets its result as features",
    )


def is_trusted(name: str) -> bool:
    """Returns whether a type or function of this full name may be part of a stored model."""
    if name in _CONTAINERS:
        return True
    parts = name.split(".")
    if parts[0] not in _PACKAGES or _REFUSED & set(parts):
        return False
    found = _resolve(parts)
    # What another module merely imports ("sklearn.datasets._base.os.system") goes by another name here.
    own_name = f"{getattr(found, '__module__', '')}.{getattr(found, '__qualname__', '')}"
    return own_name == name and (inspect.isclass(found) or (callable(found) and name.startswith(_FUNCTIONS)))


def pinned_requirements() -> tuple[str, ...]:
    """Returns what a stored model needs to be loaded, pinned to the installed versions."""
    pins = []
    for distribution in _DISTRIBUTIONS:
        try:
            pins.append(f"{distribution}=={version(distribution)}")
        except PackageNotFoundError:  # pandas and SciPy may be absent where no model needs them
            continue
    return tuple(pins)


def dumped(model: object) -> bytes:
    """Returns the model as it is stored: a file of skops.

    Raises:
        UsageError: it is no scikit-learn estimator, or cannot be written without pickle.
    """
    from sklearn.base import BaseEstimator
    from skops import io as skops_io
    from skops.io.exceptions import UnsupportedTypeException

    if not isinstance(model, BaseEstimator):
        raise UsageError(
            f"a model of type {_kind(model)} cannot be registered",
            "register a fitted scikit-learn estimator or Pipeline",
        )
    try:
        return bytes(skops_io.dumps(model))
    except (UnsupportedTypeException, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"the model ({_kind(model)}) cannot be stored without pickle: {error}",
            "use parts of scikit-learn, NumPy and SciPy only",
        ) from error


def _resolve(parts: list[str]) -> object:
    for length in range(len(parts) - 1, 0, -1):
        try:
            found: object = import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)
        return found
    return None


def _kind(model: object) -> str:
    return f"{type(model).__module__}.{type(model).__qualname__}"
