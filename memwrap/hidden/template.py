"""Hidden data as JSON that refers to visible items instead of repeating them.

A template holds what the visible items do not show. Strings, and objects that a visible string
holds as JSON, become references, so that no visible text is stored twice. A template is void once
the items have been edited or redacted: its sidecar holds a digest of the items.

| value                          | as JSON                                                     |
|--------------------------------|-------------------------------------------------------------|
| a string of the items          | ``{"$": [index, key, ...]}``; its end: ``"$from": start``   |
| an object or list that a       | ``{"$json": [index, key, ...]}`` (arguments of a call       |
| string of the items holds      | in older files: ``{"$args": index}``)                       |
| bytes                          | ``{"$bytes": base64}``                                      |
| tuple, set, frozenset          | ``{"$tuple": [...]}``, ``{"$set": [...]}``, ...             |
| datetime, date, time           | ``{"$datetime": ISO 8601}``, ...                            |
| UUID, Decimal                  | ``{"$uuid": text}``, ``{"$decimal": text}``                 |
| NaN and infinities             | ``{"$float": text}``                                        |
| an integer of many digits      | ``{"$int": hexadecimal text}``                              |
| a dict with other keys than    | ``{"$dict": [[key, value], ...]}``                          |
| strings, or with ``$`` in front |                                                            |
| anything else, and what is     | its ``repr``, with a warning: that is a loss                |
| in itself or nests too deeply  |                                                             |

A value of a class derived from Python's own is kept as ``json`` would write it, without its class.
References add up to a multiple of the items' size at most: values beyond the limit are written
out, and a template beyond it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from memwrap.codec import MAX_DEPTH
from memwrap.hidden.decoder import Decoder
from memwrap.hidden.encoder import Encoder
from memwrap.items import Item

__all__ = ["decode", "encode", "encoder"]


def encode(value: Any, items: Sequence[Item]) -> Any:
    """Return *value* as a template over *items*."""
    return encoder(items)(value)


def encoder(items: Sequence[Item], *, depth: int = MAX_DEPTH + 1) -> Callable[[Any], Any]:
    """Return a function that encodes a value as a template over *items*. It never raises.

    Args:
        items: What templates may refer to.
        depth: How deep values may nest, by default as a list of items may; their templates may be
            three times as deep.
    """
    return Encoder(items, depth).encode


def decode(template: Any, items: Sequence[Item]) -> Any:
    """Return the value of a template over the same items.

    Raises:
        ValueError: The template is malformed, refers to what is not in the items, or adds up to
            far more than the items.
    """
    try:
        return Decoder(items).decode(template)
    except Exception as exc:  # the parser of a tag may raise anything
        raise ValueError("no template") from exc
