"""Messages of Anthropic's API, as dicts or as objects of the `anthropic` package.

| message                                  | items                                            |
|------------------------------------------|--------------------------------------------------|
| ``{"role", "content"}`` with a text      | a message of the speaker                         |
| blocks of a user: ``text``, ``image``,   | parts of a message: ``input_text``,              |
| ``document``                             | ``input_image``, ``input_file``                  |
| ``text`` of the assistant                | a message each                                   |
| ``tool_use``                             | ``function_call``                                |
| ``tool_result``                          | ``function_call_output``; that it is an error is |
|                                          | hidden data                                      |
| ``thinking``, ``redacted_thinking``      | ``reasoning``, with hidden data of this dialect  |
| blocks of the provider's own tools,      | hidden data, without a text                      |
| citations, ``cache_control``             |                                                  |
| ``Message``, its blocks, ``str``         | the same                                         |
| the events of a stream, of the helper    | the message that they add up to                  |
| streams too                              |                                                  |
| items, chat message dicts                | as in `memwrap.adapters.chat`                    |

The way back is a list of ``{"role", "content"}`` as the API takes it: own thoughts with their
signature and nobody else's, ids of calls in its alphabet, no blank text, a user first. An agent's
instructions belong into ``system=``: those of other dialects that lie in the history are shown as a
user's text, since not every model takes them among the messages. Messages of this dialect come back
as they were. Lost are the id, the model and the usage of a ``Message``.
"""

from memwrap.adapters.extras import need as _need

_need("anthropic", "anthropic")

from memwrap.adapters.anthropic.convert import from_items, methods, rebuild, to_items, usages_in  # noqa: E402

__all__ = ["from_items", "methods", "rebuild", "to_items", "usages_in"]
