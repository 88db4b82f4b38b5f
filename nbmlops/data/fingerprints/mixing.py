"""64-bit digests of many values at once, by their value alone: 1, 1.0 and True are one number, whatever holds them.

These are the cells of which `parts` makes the digests of a frame's data and of its rows in any order. They are for
telling what kind of change there was; whether there was one at all is the fingerprint's to say. The reference
(docs/reference/fingerprint.md) says what is computed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xxhash

if TYPE_CHECKING:
    import numpy as np

    Cells = np.ndarray[Any, np.dtype[np.uint64]]

MISSING = 0x9AE16A3B2F90404F
NUMBER = 0xC949D7C7509E6557
LARGE = 0xB492B66FBE98F273
TEXT = 0x8A5CD789635D2DFF
BYTES = 0x9E3779B97F4A7C15
INSTANT = 0x2545F4914F6CDD1D
DURATION = 0xD6E8FEB86659FD93
CLOCK = 0xA0761D6478BD642F
OTHER = 0xE7037ED1A0B428DB
ODD = 0x9FB21C651E98DF25
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_EXACT = 2**53
"""Up to here every integer is a float."""
_LONG = 256
"""Longer texts are digested one by one."""
_NANOSECONDS = 10**9


def mix(cells: Cells) -> Cells:
    """Returns the same array, each number scrambled in place by the finalizer of SplitMix64."""
    cells ^= cells >> 30
    cells *= _FIRST
    cells ^= cells >> 27
    cells *= _SECOND
    cells ^= cells >> 31
    return cells


def seeded(values: Any, seed: int) -> Cells:
    """Returns the digests of 64-bit numbers of one kind."""
    import numpy as np

    return mix(values.view(np.uint64) ^ np.uint64(seed))


def of_floats(values: Any) -> Cells:
    """Returns the digests of floats of at most 64 bits; NaN is missing, -0.0 is 0.0."""
    import numpy as np

    wide = np.ascontiguousarray(values, dtype=np.float64) + 0.0
    cells = seeded(wide, NUMBER)
    absent = np.isnan(wide)
    if absent.any():
        cells[absent] = MISSING
    return cells


def of_integers(values: Any) -> Cells:
    """Returns the digests of integers and truth values, equal to those of equal floats."""
    import numpy as np

    cells = of_floats(values)
    if values.dtype.itemsize < 8 or not len(values) or (values.max() <= _EXACT and values.min() >= -_EXACT):
        return cells
    with np.errstate(invalid="ignore"):
        wide = values.astype(np.float64)
        # What rounds up to the limit of the type is none of its numbers.
        inexact = (wide >= float(np.iinfo(values.dtype).max)) | (wide.astype(values.dtype) != values)
    high = inexact & (values >= 2**63 if values.dtype.kind == "u" else False)
    cells[inexact] = seeded(values[inexact].astype(values.dtype.newbyteorder("=")), LARGE)
    cells[high] = mix(cells[high])
    return cells


def of_times(values: Any, per_second: int, seed: int) -> Cells:
    """Returns the digests of instants or durations, equal for equal ones of other units; missing ones as numbers.

    Args:
        values: int64, in the unit.
        per_second: How many units a second has; negative: how many seconds a unit has.
        seed: What they are.
    """
    import numpy as np

    values = np.ascontiguousarray(values, dtype=np.int64)
    factor = _NANOSECONDS // per_second if per_second > 0 else _NANOSECONDS * -per_second
    most = (2**63 - 1) // factor
    if not len(values) or (values.max() <= most and values.min() >= -most):
        return seeded(values * factor, seed)
    far = (values > most) | (values < -most)
    cells = seeded(np.where(far, 0, values) * factor, seed)
    beyond = values[far]
    seconds, rest = divmod(beyond, per_second) if per_second > 0 else (beyond * -per_second, beyond * 0)
    cells[far] = mix(seeded(seconds, seed ^ OTHER) ^ (rest * factor).view(np.uint64))
    return cells


def of_texts(offsets: Any, data: Any, seed: int) -> Cells:
    """Returns the digests of texts or bytes.

    Args:
        offsets: Where each begins in the data, and where the last one ends.
        data: All their bytes, as a buffer.
        seed: TEXT or BYTES.
    """
    import numpy as np

    starts = np.asarray(offsets[:-1], dtype=np.int64) - int(offsets[0])
    lengths = np.diff(offsets).astype(np.int64)
    cells = seeded(lengths, seed)
    content = np.frombuffer(data, dtype=np.uint8)[int(offsets[0]) : int(offsets[-1])]
    words = np.zeros(len(content) // 8 + 2, dtype="<u8")
    words.view(np.uint8)[: len(content)] = content
    live = np.flatnonzero((lengths > 0) & (lengths <= _LONG))
    begin = 0
    while len(live):
        cells[live] = mix(cells[live] ^ _word(words, starts[live] + begin, lengths[live] - begin))
        begin += 8
        live = live[lengths[live] > begin]
    _add_long_texts(cells, content, starts, lengths)
    return cells


def _word(words: Any, places: Any, left: Any) -> Cells:
    """Returns the 8 bytes at each place as a number, of which only those that are left count."""
    import numpy as np

    at, shift = places >> 3, ((places & 7) << 3).astype(np.uint64)
    # Two shifts, as one by 64 bits would be none.
    word: Cells = (words[at] >> shift) | ((words[at + 1] << (np.uint64(63) - shift)) << np.uint64(1))
    unused = (np.clip(8 - left, 0, 8) << 3).astype(np.uint64)
    counted: Cells = (word << unused) >> unused
    return counted


def _add_long_texts(cells: Cells, content: Any, starts: Any, lengths: Any) -> None:
    import numpy as np

    for place in np.flatnonzero(lengths > _LONG):
        start, length = int(starts[place]), int(lengths[place])
        cells[place : place + 1] ^= np.uint64(xxhash.xxh3_64_intdigest(content[start : start + length]))
        mix(cells[place : place + 1])


def joined(left: Cells, right: Cells) -> Cells:
    """Returns the digests of pairs."""
    import numpy as np

    return mix(left * np.uint64(ODD) + right)
