"""Digests of documents: SHA-256 over canonical JSON or bytes. For data see `nbmlops.data.fingerprints`."""

from __future__ import annotations

import hashlib
import json
from typing import NewType

from nbmlops.core.diagnostics import Json

Digest = NewType("Digest", str)


def canonical_json(value: Json) -> bytes:
    """Returns the one UTF-8 JSON encoding of a plain value: keys sorted, no white space, NaN refused.

    Raises:
        ValueError: the value holds NaN or an infinity, which JSON cannot say.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_bytes(data: bytes) -> Digest:
    """Returns the SHA-256 of the bytes as 64 hex digits."""
    return Digest(hashlib.sha256(data).hexdigest())


def digest_json(value: Json) -> Digest:
    """Returns the SHA-256 of the value's canonical JSON as 64 hex digits."""
    return digest_bytes(canonical_json(value))
