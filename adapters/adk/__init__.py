"""Agents of Google's Agent Development Kit, and sessions as its session service.

| message                                | items                                              |
|----------------------------------------|----------------------------------------------------|
| the content of an ``Event``            | as in `memwrap.adapters.genai`; thoughts under     |
|                                        | ``provider_data.adk``                              |
| author, id, time, actions, usage and   | ``provider_data.adk`` of one of the event's items  |
| all else of an ``Event``               |                                                    |
| an ``Event`` without a content, such   | an empty assistant message, which other dialects   |
| as one that only changes the state     | leave out                                          |
| partial events                         | nothing when the whole event comes too             |
| contents, items, ``str``               | as in `memwrap.adapters.genai`                     |

On the way back an event is what it was, field by field. Items of other dialects become events whose
``author`` is ``"user"``, and whose ``content.role`` tells who spoke: so ADK shows them to any agent
as they are, while it rewrites what agents of other names have said. They have an id made of what
they say, and the time 0. An edit of the items wins: an edited event keeps its author, branch, ids
and time, and nothing else that is hidden.

A remembering agent has ``run_async(x)`` and ``run(x)``, which yield ADK's own events; *x* is text
or a ``Content``. Each call has a runner of its own: one agent serves many sessions at once. To let
ADK load and store by its own rules, each event as it comes, give its runner a
`MemwrapSessionService`.
"""

from memwrap.adapters.extras import need as _need

_need("google.adk", "adk")

from memwrap.adapters.adk.agents import methods  # noqa: E402
from memwrap.adapters.adk.convert import from_items, rebuild, to_items, usages_in  # noqa: E402
from memwrap.adapters.adk.service import MemwrapSessionService  # noqa: E402

__all__ = ["MemwrapSessionService", "from_items", "methods", "rebuild", "to_items", "usages_in"]
