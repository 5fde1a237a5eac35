"""Messages of Chat Completions: a document for each conversation, as fine-tuning takes them.

A document is ``{"id": ..., "messages": [...]}``. Read are such documents, and lists of messages.
What the API does not take is not kept; the adapter `memwrap.adapters.chat` has the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from memwrap.dialects import adapter_named
from memwrap.formats.conversation import Conversation
from memwrap.formats.documents import as_line
from memwrap.formats.format import read_documents, shown_by
from memwrap.items import Item

__all__ = ["dump", "load"]


def dump(conversation: Conversation) -> Iterator[str]:
    """Yield the line of a conversation."""
    messages = shown_by(adapter_named("chat"), conversation.items)
    yield as_line({"id": conversation.id, "messages": messages})


def load(lines: Iterable[str]) -> Iterator[Conversation]:
    """Yield the conversations in lines of text.

    Raises:
        ConversionError: The text is not of this format.
    """
    return read_documents(lines, "messages", _items)


def _items(document: Mapping[str, Any]) -> list[Item]:
    return adapter_named("chat").to_items(document["messages"])
