"""What tells the messages of a run's states from each other, with ids and without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage

__all__ = ["Keys", "id_of", "text_without_id"]


class Keys:
    """The keys of messages: their ids, or those of the objects.

    A message keeps the key that it was first seen under, though LangGraph may give it an id later.
    A state that begins with the words of the state before begins with its messages: a reducer may
    have copied those without ids.
    """

    def __init__(self) -> None:
        self._bare: dict[int, Any] = {}  # holds the objects, so that no other has their number
        self._by_id: dict[Any, int] = {}
        self._newest: list[Any] = []
        self._newest_keys: list[Any] = []

    def of(self, message: Any) -> Any:
        """Return the key of a message."""
        number, found = id(message), id_of(message)
        if self._bare.get(number) is message:
            if found:
                self._by_id[found] = number
            return number
        if not found:
            self._bare[number] = message
            return number
        return self._by_id.get(found, found)

    def of_state(self, messages: Sequence[Any]) -> list[Any]:
        """Return the keys of the messages of a state."""
        keys = [self.of(message) for message in messages]
        before, size = self._newest_keys, len(self._newest_keys)
        changed = [pair for pair in zip(before, keys, strict=False) if pair[0] != pair[1]]
        is_bare = any(isinstance(key, int) for pair in changed for key in pair)
        if is_bare and _texts(messages[:size]) == _texts(self._newest):
            keys[:size] = before
        self._newest, self._newest_keys = list(messages), keys
        return keys


def _texts(messages: Sequence[Any]) -> list[str]:
    return list(map(text_without_id, messages))


def id_of(message: Any) -> Any:
    """Return the id of a message of any form, or None."""
    return getattr(message, "id", None)


def text_without_id(message: Any) -> str:
    """Return all that a message says of itself but its id."""
    bare = message.model_copy(update={"id": None}) if isinstance(message, BaseMessage) else message
    return repr(bare)
