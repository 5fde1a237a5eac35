"""Microsoft Agent Framework: its messages, its agents, and a history provider.

| message                                  | items                                            |
|------------------------------------------|--------------------------------------------------|
| ``Message`` of a user, system, developer | a message; ``data`` and ``uri`` contents become  |
|                                          | ``input_image``, ``input_audio`` and             |
|                                          | ``input_file``, ``hosted_file`` the last, too    |
| ``Message`` of an assistant              | an assistant message for each text or refusal,   |
|                                          | a ``function_call`` for each call, ``reasoning`` |
|                                          | for each ``text_reasoning``, in their order      |
| ``function_result``                      | ``function_call_output``; with media in it its   |
|                                          | parts                                            |
| other contents, ids, names, properties   | hidden data                                      |
| ``Content``, ``str``                     | a message of its speaker                         |
| ``AgentResponse``, ``ChatResponse``      | their messages                                   |
| the updates of a stream                  | the messages that they add up to                 |
| items, chat message dicts                | as in `memwrap.adapters.chat`                    |

On the way back reasoning, a text and calls in a row are one message of the assistant, and outputs
in a row one of a ``tool``. Reasoning of other dialects is left out, and so are hosted tools' items.

Both ways are exact: what items do not show is in ``provider_data.agent_framework`` of an item, and
gives way to an edit of what they show; after one a message keeps its role, ``author_name`` and
``message_id``. Lost are ``raw_representation``, a provider's own objects, which the framework does
not store either, and classes derived from `Message`.

A remembering agent has ``run``, with ``stream=True`` too. To let the framework load and store by
its own rules, give its agent a `MemwrapHistoryProvider`.
"""

from memwrap.adapters.extras import need as _need

_need("agent_framework", "agent-framework")

from memwrap.adapters.agent_framework.agents import methods  # noqa: E402
from memwrap.adapters.agent_framework.convert import (  # noqa: E402
    answer,
    from_items,
    rebuild,
    to_items,
    values_in,
)
from memwrap.adapters.agent_framework.plug import MemwrapHistoryProvider  # noqa: E402
from memwrap.adapters.agent_framework.usages import usages_in  # noqa: E402

__all__ = [
    "MemwrapHistoryProvider",
    "answer",
    "from_items",
    "methods",
    "rebuild",
    "to_items",
    "usages_in",
    "values_in",
]
