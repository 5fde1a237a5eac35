"""Compare items and values exactly; values that cannot be compared are unequal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from memwrap.items import Item

__all__ = ["digest", "equal", "same"]

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def digest(items: Sequence[Item]) -> str:
    """Return a short text that differs when the items do."""
    return hashlib.blake2b(_canonical(items).encode(), digest_size=9).hexdigest()


def equal(one: Any, other: Any) -> bool:
    """Tell whether values are equal; values that cannot be compared, such as arrays, are not."""
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001  (a comparison may raise anything)
        return False


def same(one: Any, other: Any) -> bool:
    """Tell whether values are equal JSON, to the type: 1 is not True."""
    try:
        return bool(one == other) and _canonical(one) == _canonical(other)
    except Exception:  # noqa: BLE001
        return False
