"""A conversation as one file of HTML, with nothing outside of it."""

from __future__ import annotations

from collections.abc import Iterator

from memwrap.formats.conversation import Conversation
from memwrap.formats.documents import as_utf8
from memwrap.formats.transcript import sections

__all__ = ["dump"]


def dump(conversation: Conversation) -> Iterator[str]:
    """Yield the file.

    Raises:
        ConfigurationError: The packages of the extra ``web`` are missing.
    """
    from memwrap.web.rendering import render

    found = sections(conversation.items, conversation.turns, conversation.numbers)
    yield as_utf8(render("export.html", conversation=conversation, sections=found)) + "\n"
