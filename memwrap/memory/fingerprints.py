"""Fingerprints of inputs, with a key: nobody can try which input one is of."""

from __future__ import annotations

import secrets

from memwrap.items import Item
from memwrap.sessions.turns import fingerprint, made_with

__all__ = ["Fingerprints"]


class Fingerprints:
    """Makes fingerprints of inputs, and tells whether a stored one is that of an input.

    The key is the secret of the store, with that of the layer. Where there is neither, an input
    that is stored as it is has a fingerprint without a key, which tells no more than the store.
    One that a layer has taken something out of gets a key that only this object has.

    Args:
        secret: The secret of the layer; may be empty.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._own_key = secrets.token_bytes(32)
        self._own_name = f"~{secrets.token_hex(4)}:"

    def of(self, input: list[Item], store_key: bytes, *, is_changed: bool) -> str:
        """Return the fingerprint of an input.

        Args:
            input: The input as the caller passed it.
            store_key: The secret of the store; may be empty.
            is_changed: Whether it is stored otherwise.
        """
        key = store_key + self._secret
        if key or not is_changed:
            return fingerprint(input, key)
        return self._own_name + fingerprint(input, self._own_key)

    def is_of(self, stored: str, input: list[Item], store_key: bytes) -> bool | None:
        """Tell whether a stored fingerprint is that of *input*; None if only its maker could."""
        stored, store_key = made_with(stored, store_key)
        if stored.startswith(self._own_name):
            return stored == self._own_name + fingerprint(input, self._own_key)
        if stored.startswith("~") or not stored:
            return None
        if stored == fingerprint(input, store_key + self._secret):
            return True
        return stored == fingerprint(input, b"")  # older files have no keys
