"""Count the tokens of items: by the name of an encoding, by characters, or by a function."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TypeAlias

import msgspec

from memwrap.exceptions import ConfigurationError
from memwrap.hidden.data import PROVIDER_DATA
from memwrap.items import Item

__all__ = ["CountTokens", "Counter", "counter_for"]

CountTokens: TypeAlias = str | Callable[[Item], int]
"""The name of an encoding, ``"chars/4"``, or a function from an item to its tokens."""

_MOST_COUNTS = 65_536  # of items; each takes about 100 bytes
_OF_AN_ITEM = 4  # what providers add for role and separators

_encode = msgspec.json.Encoder().encode


class Counter:
    """The tokens of items, each counted once as long as it is among the newest counted.

    Args:
        count: Returns the tokens of one item.
        name: Tells the counter from others.
        made_of: What `counter_for` makes it of.
    """

    def __init__(self, count: Callable[[Item], int], name: str, made_of: CountTokens) -> None:
        self.name = name
        self._made_of = made_of
        self._count = count
        self._counts: OrderedDict[int, int] = OrderedDict()

    def __reduce__(self) -> Any:
        return counter_for, (self._made_of,)  # other processes hash items otherwise

    def __call__(self, item: Item) -> int:
        """Return the tokens of *item*."""
        # The hash has a key of the process: nobody can make two items that have the same.
        try:
            key = hash(_encode(item))
        except (TypeError, ValueError, msgspec.MsgspecError):  # no item: a layer put it there
            return self._count(item)
        found = self._counts.get(key)
        if found is None:
            found = self._counts[key] = self._count(item)
            if len(self._counts) > _MOST_COUNTS:
                self._counts.popitem(last=False)
        return found


def counter_for(count_tokens: CountTokens) -> Counter:
    """Return the counter that *count_tokens* names or is.

    Raises:
        ConfigurationError: There is no such encoding, tiktoken is not installed, its table cannot
            be had, or it is neither a name nor a function.
    """
    if callable(count_tokens):
        name = getattr(count_tokens, "__qualname__", None) or type(count_tokens).__qualname__
        return Counter(count_tokens, name, count_tokens)
    if not isinstance(count_tokens, str):
        raise ConfigurationError(
            "count_tokens is the name of an encoding such as 'o200k_base', 'chars/4', or a"
            f" function from item to tokens, not {type(count_tokens).__name__}"
        )
    if count_tokens == "chars/4":
        return Counter(_quarter, count_tokens, count_tokens)
    encode = _encoding(count_tokens).encode_ordinary
    return Counter(
        lambda item: sum(len(encode(text)) for text in _texts(item)) + _OF_AN_ITEM,
        *(count_tokens, count_tokens),
    )


def _quarter(item: Item) -> int:
    return sum(map(len, _texts(item))) // 4 + _OF_AN_ITEM


def _encoding(name: str) -> Any:
    try:
        tiktoken = import_module("tiktoken")
    except ImportError:
        raise ConfigurationError(
            f"count_tokens={name!r} needs tiktoken: pip install 'memwrap[tokens]'; or pass"
            " 'chars/4', or a function from item to tokens"
        ) from None
    if name not in tiktoken.list_encoding_names():
        raise ConfigurationError(
            f"count_tokens={name!r} is no encoding of tiktoken, which has"
            f" {', '.join(tiktoken.list_encoding_names())}; or pass 'chars/4'"
        )
    try:
        return tiktoken.get_encoding(name)
    except Exception as exc:
        raise ConfigurationError(
            f"count_tokens={name!r}: tiktoken fetches the table of an encoding when it is first"
            f" used, and could not ({type(exc).__name__}); set TIKTOKEN_CACHE_DIR to a folder that"
            " has it, or pass 'chars/4' or a function from item to tokens"
        ) from exc


def _texts(value: Any, depth: int = 0) -> list[str]:
    """Return the texts of an item that a model reads, names of fields apart."""
    if isinstance(value, str):
        return [value]
    if depth > 20:  # noqa: PLR2004  (deeper than any item that a model takes)
        return []
    if isinstance(value, Mapping):
        return [
            text
            for key, part in value.items()
            if key not in _UNREAD
            for text in _texts(part, depth + 1)
        ]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part, depth + 1)]
    return []


# Ids, statuses and pictures in base64 cost no tokens of text.
_UNREAD = frozenset(
    {
        *(PROVIDER_DATA, "id", "call_id", "type", "role", "status", "encrypted_content"),
        *("image_url", "file_data", "data"),
    }
)
