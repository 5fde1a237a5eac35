"""Media in parts of items: URLs, and data in them."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

__all__ = ["Data", "data_in", "url_of"]

_BASE64 = ";base64"


class Data(NamedTuple):
    """What a ``data:`` URL holds.

    Attributes:
        kind: The media type, without parameters.
        data: The bytes.
    """

    kind: str
    data: bytes


def data_in(url: object) -> Data | None:
    """Return what a ``data:`` URL holds as base64; None if it is none, or broken."""
    if not isinstance(url, str) or not url.startswith("data:"):
        return None
    head, comma, text = url.removeprefix("data:").partition(",")
    if not comma or not head.endswith(_BASE64):
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return Data(head.removesuffix(_BASE64).partition(";")[0], data)


def url_of(kind: str, data: bytes) -> str:
    """Return a ``data:`` URL of a media type that holds bytes."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
