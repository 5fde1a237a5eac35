"""The chunks of LangChain's answers, added up to messages."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessageChunk, message_chunk_to_message

__all__ = ["Chunks"]

_ID_FAMILIES = ("lc_", "resp_")
_OUTPUT_ID = "msg_"


class Chunks:
    """Adds chunks up to messages; messages pass.

    The chunks of one message may have ids of several families: the provider's on the first and
    LangChain's own on the others, and of the Responses API that of the response and those of its
    outputs. Two ids of any other family are two messages.
    """

    def __init__(self) -> None:
        self._chunks: list[AIMessageChunk] = []
        self._ids: dict[str, str] = {}

    def add(self, message: Any) -> list[Any]:
        """Take a chunk or a message; return the messages that are whole with it."""
        if not isinstance(message, AIMessageChunk):
            return [*self.rest(), message]
        whole = [] if self._goes_on(message) else self.rest()
        self._chunks.append(message)
        if message.id and not message.id.startswith(_OUTPUT_ID):
            self._ids[_family(message.id)] = message.id
        return whole

    def rest(self) -> list[Any]:
        """Return the message that the chunks so far add up to, if there are any."""
        chunks = self._chunks
        self._chunks, self._ids = [], {}
        # All at once: one by one takes time with the square of their number.
        return [message_chunk_to_message(chunks[0] + chunks[1:])] if chunks else []

    def _goes_on(self, chunk: AIMessageChunk) -> bool:
        if self._chunks and self._chunks[-1].chunk_position == "last":
            return False
        if not chunk.id or chunk.id.startswith(_OUTPUT_ID):
            return True
        return self._ids.get(_family(chunk.id), chunk.id) == chunk.id


def _family(chunk_id: str) -> str:
    return next((family for family in _ID_FAMILIES if chunk_id.startswith(family)), "")
