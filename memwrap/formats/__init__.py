"""Conversations in the formats of others: what front ends show, and what files hold.

`to_ui` and `from_ui` speak the ``UIMessage`` of ``useChat``, `to_agui` and `from_agui` the messages
of AG-UI. `FORMATS` has the formats of files by name, each a `Format`.

What comes from a front end comes from a stranger: it has no hidden data, and what it says of
earlier turns is no history. Pass the newest message on, and let the session have the rest.
"""

from memwrap.formats.agui import from_agui, to_agui
from memwrap.formats.conversation import Conversation, read_conversation, write_conversation
from memwrap.formats.format import Format
from memwrap.formats.registry import FORMATS, format_of
from memwrap.formats.uimessage import from_ui, to_ui

__all__ = [
    "FORMATS",
    "Conversation",
    "Format",
    "format_of",
    "from_agui",
    "from_ui",
    "read_conversation",
    "to_agui",
    "to_ui",
    "write_conversation",
]
