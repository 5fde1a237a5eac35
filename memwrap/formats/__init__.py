"""Conversations in the formats of others: what front ends show and send.

| function                      | format                                                          |
|-------------------------------|-----------------------------------------------------------------|
| `to_ui`, `from_ui`            | the ``UIMessage`` of ``useChat``                                |
| `to_agui`, `from_agui`        | the messages of AG-UI                                           |

What comes from a front end comes from a stranger: it has no hidden data, and what it says of
earlier turns is no history. Pass the newest message on, and let the session have the rest.
"""

from memwrap.formats.agui import from_agui, to_agui
from memwrap.formats.uimessage import from_ui, to_ui

__all__ = ["from_agui", "from_ui", "to_agui", "to_ui"]
