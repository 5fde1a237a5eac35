"""Items as the OpenAI Responses API takes them: a document for each conversation.

A document is ``{"id": ..., "items": [...]}``; ``items`` is what a request has as its input, and a
conversation of that API as its items. Read are such documents, lists of items, and what the API
lists (``{"object": "list", "data": [...]}``). Not kept are hidden data, calls without outputs, and
outputs without calls, which the API refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from memwrap.dialects import default_adapter
from memwrap.formats.conversation import Conversation
from memwrap.formats.documents import as_line
from memwrap.formats.format import read_documents, shown_by
from memwrap.items import Item

__all__ = ["dump", "load"]


def dump(conversation: Conversation) -> Iterator[str]:
    """Yield the line of a conversation."""
    items = shown_by(default_adapter(), conversation.items)
    yield as_line({"id": conversation.id, "items": items})


def load(lines: Iterable[str]) -> Iterator[Conversation]:
    """Yield the conversations in lines of text.

    Raises:
        ConversionError: The text is not of this format.
    """
    return read_documents(lines, "items", _items, "input", "data")


def _items(document: Mapping[str, Any]) -> list[Item]:
    return default_adapter().to_items(document["items"])
