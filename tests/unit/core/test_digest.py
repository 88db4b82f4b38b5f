import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbmlops.core.digest import canonical_json, digest_bytes, digest_json

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), plain))
def test_key_order_does_not_matter(value: dict[str, object]) -> None:
    reversed_keys = dict(reversed(list(value.items())))
    assert digest_json(value) == digest_json(reversed_keys)  # type: ignore[arg-type]  # plain JSON by construction


def test_canonical_json_is_compact_utf8() -> None:
    assert canonical_json({"b": 1, "a": ["é", None, 0.1]}) == '{"a":["é",null,0.1],"b":1}'.encode()


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_digests_are_sha256() -> None:
    assert digest_bytes(b"abc") == hashlib.sha256(b"abc").hexdigest()
    assert digest_json("abc") == hashlib.sha256(b'"abc"').hexdigest()
