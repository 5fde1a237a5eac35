"""The vocabulary, on one page.

item        one entry of a conversation: a JSON object in the shape of an OpenAI Responses API
            input item; messages, tool calls, their outputs and reasoning are all items
input       what the caller passes: a string, an item, a list of items, a framework's messages
history     the stored past that the agent is given
new items   what a turn adds
turn        one call of an agent, from start to finish
session     the memory of one conversation; a store is where sessions live, by id
backend     rows of bytes under a store
agent       the user's own callable or object
method      one way to run an agent object
handler     the uniform async callable ``await handler(turn, send)``
middleware  a layer around a handler: ``await layer(turn, send, handler)``
endpoint    the innermost handler, which calls the agent
event       one thing the caller receives: a call sends one, a stream many
adapter     the converter for one dialect of messages
hidden data what items do not show of a message, under ``provider_data``
target      what a reader of items can take; the projection makes items fit it

Nothing in memwrap imports this module: each type has its home in the module of its noun.
"""

from __future__ import annotations

from memwrap.dialects import Adapter, AgentAdapter, Kind, Method, Methods, PutBack
from memwrap.items import Input, Item
from memwrap.sessions.base import Session, SessionLike, Store, StoreLike
from memwrap.turn import Event, Handler, Kept, Middleware, Send, Turn, View

__all__ = [
    "Adapter",
    "AgentAdapter",
    "Event",
    "Handler",
    "Input",
    "Item",
    "Kept",
    "Kind",
    "Method",
    "Methods",
    "Middleware",
    "PutBack",
    "Send",
    "Session",
    "SessionLike",
    "Store",
    "StoreLike",
    "Turn",
    "View",
]
