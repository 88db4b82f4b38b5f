"""Sparse matrices of SciPy: equal whatever order and duplicates they are stored in, and left as they are."""

import numpy as np
import pytest
from scipy import sparse

from nbmlops.data.fingerprints.fingerprint import fingerprint

DENSE = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
FORMATS = ["csr", "csc", "bsr", "coo", "dok", "lil", "dia"]
CLASSES = [getattr(sparse, f"{form}_{kind}") for form in FORMATS for kind in ("array", "matrix")]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_format(cls: type) -> None:
    value = cls(DENSE)
    expected = fingerprint(value)
    assert fingerprint(cls(DENSE)) == expected
    assert fingerprint(value.copy()) == expected
    changed = DENSE.copy()
    changed[1, 1] = 4
    others = [cls(changed), cls(DENSE[:, [0, 2, 1]]), cls(DENSE.astype("f4")), cls(np.vstack([DENSE, [0, 0, 0]]))]
    assert len({expected, *map(fingerprint, others)}) == 5


def test_formats_differ() -> None:
    assert len({fingerprint(cls(DENSE)) for cls in CLASSES}) == len(CLASSES)


def stored(value: object) -> dict:
    """What the user's object holds, SciPy's memory of it included."""
    return {name: np.array(held).tolist() if name != "dtype" else held for name, held in vars(value).items()}


UNORDERED = {
    "csr": sparse.csr_array(
        (np.array([2.0, 0.25, 0.75, 3]), np.array([2, 0, 0, 1]), np.array([0, 3, 4])), shape=(2, 3)
    ),
    "csc": sparse.csc_array((np.array([0.5, 0.5, 3, 2]), np.array([0, 0, 1, 0]), np.array([0, 2, 3, 4])), shape=(2, 3)),
    "coo": sparse.coo_array((np.array([3, 2.0, 0.25, 0.75]), ([1, 0, 0, 0], [1, 2, 0, 0])), shape=(2, 3)),
    "dia": sparse.dia_array((np.array([[9.0, 9, 2], [1, 3, 9]]), [2, 0]), shape=(2, 3)),
}


@pytest.mark.parametrize("form", UNORDERED)
def test_the_order_of_entries_does_not_count_and_nothing_is_changed(form: str) -> None:
    value = UNORDERED[form]
    before = stored(value)
    canonical = getattr(sparse, f"{form}_array")(DENSE)
    assert fingerprint(value) == fingerprint(canonical)
    assert stored(value) == before


def test_the_history_of_a_dictionary_of_keys_does_not_count() -> None:
    one, two = sparse.dok_array((2, 2)), sparse.dok_array((2, 2))
    one[0, 1], one[1, 0] = 1, 2
    two[1, 0], two[0, 1] = 2, 1
    assert fingerprint(one) == fingerprint(two)


def test_the_width_of_positions_does_not_count_but_sharing_does() -> None:
    value = sparse.csr_array(DENSE)
    wide = value.copy()
    wide.indices, wide.indptr = wide.indices.astype("i8"), wide.indptr.astype("i8")
    assert fingerprint(wide) == fingerprint(value)
    assert fingerprint([value, value.data]) != fingerprint([value, value.data.copy()])


def test_explicit_zeros_are_entries() -> None:
    with_zero = sparse.coo_array((np.array([1.0, 0]), ([0, 1], [0, 0])), shape=(2, 3))
    without = sparse.coo_array((np.array([1.0]), ([0], [0])), shape=(2, 3))
    assert fingerprint(with_zero) != fingerprint(without)


def test_an_empty_matrix() -> None:
    assert fingerprint(sparse.dia_array((2, 3))) == fingerprint(sparse.dia_array((2, 3)))
    assert fingerprint(sparse.csr_array((0, 3))) != fingerprint(sparse.csr_array((3, 0)))
