"""Strands Agents: its messages, its agents, and a session manager.

| message                                  | items                                            |
|------------------------------------------|--------------------------------------------------|
| ``user``                                 | a user message; text, guarded text, ``image``,   |
|                                          | ``document`` and ``audio`` of bytes are its parts|
| ``user`` whose custom metadata have a    | a system or developer message, for which Strands |
| ``memwrap_role``                         | has no role                                      |
| ``assistant``                            | an assistant message for each text or cited text,|
|                                          | a ``function_call`` for each ``toolUse``,        |
|                                          | ``reasoning`` for each ``reasoningContent``      |
| ``toolResult``                           | ``function_call_output``; of several blocks, or  |
|                                          | of media, their parts                            |
| other blocks, ``tracking_id``, metadata, | hidden data                                      |
| the status of a result                   |                                                  |
| blocks in a list, ``str``                | one message of the speaker                       |
| ``AgentResult``                          | its ``new_messages``, or its message             |
| the events of a stream                   | the messages of its result; of one cut short     |
|                                          | those told by then, and the text under way       |
| items, chat message dicts                | as in `memwrap.adapters.chat`                    |

On the way back reasoning, a text and calls in a row are one message of the assistant, and outputs
in a row one of the user. Strands takes media as bytes only: those in ``data:`` URLs become bytes,
others are named in text. Reasoning of other dialects is left out, and so are hosted tools' items.

Both ways are exact: what items do not show is in ``provider_data.strands`` of an item, and gives
way to an edit of what they show; after one a message keeps its ``tracking_id``.

A remembering agent has ``invoke_async``, ``stream_async``, and may be called itself. It holds one
conversation at a time: turns on it wait for each other, and the messages that it had itself are put
back after each. Its results have the messages that the run added in ``new_messages``. To let
Strands store by its own rules, give an agent for one session a `MemwrapSessionManager`.
"""

from memwrap.adapters.extras import need as _need

_need("strands", "strands")

from memwrap.adapters.strands.agents import methods  # noqa: E402
from memwrap.adapters.strands.convert import (  # noqa: E402
    StreamEvent,
    answer,
    from_items,
    rebuild,
    to_items,
    values_in,
)
from memwrap.adapters.strands.plug import MemwrapSessionManager  # noqa: E402
from memwrap.adapters.strands.usages import usages_in  # noqa: E402

__all__ = [
    "MemwrapSessionManager",
    "StreamEvent",
    "answer",
    "from_items",
    "methods",
    "rebuild",
    "to_items",
    "usages_in",
    "values_in",
]
