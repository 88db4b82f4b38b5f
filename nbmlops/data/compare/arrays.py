"""What differs between two NumPy arrays: type, shape, which slice, how many elements, by how much, and examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbmlops.data.compare.shown import EXAMPLES, both, sides

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


def array_difference(left: Array, right: Array) -> str:
    """Returns what differs between two arrays, "" if element type, shape and elements are the same."""
    import numpy as np

    if left.dtype != right.dtype:
        return f"element type: {sides(str(left.dtype), str(right.dtype))}"
    if left.shape != right.shape:
        return f"shape: {sides(str(left.shape), str(right.shape))}"
    if isinstance(left, np.ma.MaskedArray) and isinstance(right, np.ma.MaskedArray):
        masks = array_difference(np.ma.getmaskarray(left), np.ma.getmaskarray(right))
        return f"mask: {masks}" if masks else array_difference(left.data, right.data)
    if left.dtype.names is not None:
        parts = ((name, array_difference(left[name], right[name])) for name in left.dtype.names)
        return next((f"field {name!r}: {text}" for name, text in parts if text), "")
    differs = unequal(left, right)
    count = int(differs.sum())
    if not count:
        return ""
    places = np.argwhere(differs)
    examples = "; ".join(_example(left, right, tuple(map(int, place))) for place in places[:EXAMPLES])
    slice_ = _bounds(places, left.shape)
    total = f"{count:,} of {left.size:,} elements differ" if left.size > 1 else "it differs"
    return f"{total}{slice_}{_largest(left, right)}: {examples}"


def unequal(left: Array, right: Array) -> Any:
    """Returns where two arrays of one type and shape differ; two missing values are the same."""
    import numpy as np

    if left.dtype.kind in "fcmM":
        missing = np.isnat if left.dtype.kind in "mM" else np.isnan
        with np.errstate(all="ignore"):
            # Zeros of another sign are other values: 1 / x tells them apart.
            signs = np.signbit(left) != np.signbit(right) if left.dtype.kind == "f" else False
            return ((left != right) | signs) & ~(missing(left) & missing(right))
    if left.dtype.kind != "O":
        return np.asarray(left != right)
    pairs = zip(left.ravel().tolist(), right.ravel().tolist(), strict=True)
    return np.array([not _same(one, other) for one, other in pairs], dtype=bool).reshape(left.shape)


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    try:
        return bool(one == other) or (one != one and other != other)  # noqa: PLR0124  # NaN is missing on both sides
    except (ValueError, TypeError):  # of arrays, and of objects that cannot be compared
        return repr(one) == repr(other)


def _example(left: Array, right: Array, place: tuple[int, ...]) -> str:
    spot = f"[{', '.join(map(str, place))}] " if place else ""
    one, other = left[place], right[place]
    plain = left.dtype.kind != "O"
    return spot + both(one.item() if plain else one, other.item() if plain else other)


def _bounds(places: Any, shape: tuple[int, ...]) -> str:
    """Returns the smallest slice that holds all differences, "" if that is everything."""
    if len(places) < 2 or not shape:
        return ""
    spans = zip(places.min(axis=0).tolist(), places.max(axis=0).tolist(), shape, strict=True)
    parts = [
        ":" if (low, high) == (0, n - 1) else f"{low}:{high + 1}" if low < high else str(low) for low, high, n in spans
    ]
    return f" in [{', '.join(parts)}]" if set(parts) != {":"} else ""


def _largest(left: Array, right: Array) -> str:
    import numpy as np

    if left.dtype.kind not in "fc":
        return ""
    with np.errstate(all="ignore"):
        gaps = np.abs(left - right)
        finite = gaps[np.isfinite(gaps)]
    return f", by at most {float(finite.max()):.3g}" if finite.size and finite.max() > 0 else ""
