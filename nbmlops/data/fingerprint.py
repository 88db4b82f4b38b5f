"""The fingerprint of any value: 32 hex digits that change exactly when the value does.

Other packages call `fingerprint`; what kind of value it is decides which module of this package encodes it.
"""

from __future__ import annotations

from functools import cache

from nbmlops.data import arrays, arrow, frames, objects
from nbmlops.data.encoding import FORMAT, CannotFingerprint, Encoder, Handler

__all__ = ["CannotFingerprint", "encoder", "fingerprint"]


def fingerprint(value: object, name: str = "value") -> str:
    """Returns the fingerprint of a value: 32 hex digits, equal in every process and on every machine.

    Args:
        value: Anything whose content can be described: plain values, containers, arrays, frames, picklable objects.
        name: What the value is called in errors.

    Raises:
        CannotFingerprint: a part of the value has no content that could be digested; the part is named.
    """
    whole = encoder()
    try:
        whole.add(value)
    except RecursionError as error:
        raise CannotFingerprint("it is nested too deeply", name) from error
    except CannotFingerprint as refusal:
        raise refusal.within(name) from refusal.__cause__
    return whole.digest().hex()


def encoder() -> Encoder:
    """Returns a fresh encoder that knows all kinds of values."""
    fresh = Encoder(_handler_of)
    fresh.token(FORMAT)
    return fresh


@cache
def _handler_of(cls: type) -> Handler:
    # By the names in the bases, so that no library is imported for values that are none of its own.
    roots = {base.__module__.partition(".")[0] for base in cls.__mro__}
    handler = None
    if "pandas" in roots:
        handler = frames.handler_of(cls)
    elif "numpy" in roots:
        handler = arrays.handler_of(cls)
    elif "pyarrow" in roots:
        handler = arrow.handler_of(cls)
    return handler or objects.handler_of(cls)
