"""LangChain messages, and runnables that take a list of them.

| message                                  | items                                            |
|------------------------------------------|--------------------------------------------------|
| ``HumanMessage``                         | a user message; text, image and file blocks      |
|                                          | become ``input_text``, ``input_image`` and       |
|                                          | ``input_file``; blocks that are items (approvals,|
|                                          | found tools, outputs of patches) are items of    |
|                                          | their own, before the text                       |
| ``SystemMessage``                        | a system or developer message, in the same way;  |
|                                          | its items are ``additional_tools`` and           |
|                                          | ``configuration_update``                         |
| ``AIMessage`` text                       | an assistant message; with the id of an item     |
|                                          | (``msg_...``) an ``output_text`` of that item    |
| refusals                                 | the same, as a ``refusal``                       |
| reasoning and hosted tools' blocks of    | the items that they are                          |
| the Responses API                        |                                                  |
| ``tool_calls``, ``invalid_tool_calls``   | a ``function_call`` each, at the place of the    |
|                                          | block that names it, or after the text           |
| ``ToolMessage``                          | ``function_call_output``; marked as such,        |
|                                          | ``custom_tool_call_output`` or                   |
|                                          | ``computer_call_output``                         |
| ``FunctionMessage``, ``ChatMessage``,    | the nearest of these                             |
| ``RemoveMessage``, chunks                |                                                  |
| the chunks of an answer                  | the message that they add up to                  |
| ``("human", "text")`` and the like       | as LangChain itself reads them                   |
| items, chat message dicts, ``str``       | as in `memwrap.adapters.chat`                    |

On the way back a run of what the assistant did is one ``AIMessage``, unless that would part
reasoning from its call; an item that LangChain has no message for is a ``non_standard`` block of a
``HumanMessage`` (of a ``SystemMessage`` if it changes tools or settings).

Both ways are exact, for any slice of the items: what items cannot show of a message (ids, metadata,
other blocks, the class) is in ``provider_data.langchain`` of one of its items, and what a message
cannot show of items is in its ``additional_kwargs["memwrap"]``. Neither repeats what can be seen,
and both give way to an edit of it: after one, a message keeps its class, ``id``, ``name``,
``role``, ``status`` and ``usage_metadata``, and nothing else that is hidden, in the store neither.
Lost are objects that JSON has no form for, with a warning, and classes derived from LangChain's
messages (of `BaseMessage` itself: a ``ChatMessage``) or from Python's own values, as enums are:
nothing is imported because stored data says so.

For models of another provider than the one that a history came from there is the same adapter
without reasoning and hosted tools' blocks, `memwrap.adapters.langchain.portable`.

How a remembering runnable runs stands in `memwrap.adapters.langchain.runnables`.
"""

from memwrap.adapters.extras import need as _need

_need("langchain_core", "langchain")

from memwrap.adapters.langchain.convert import from_items, to_items  # noqa: E402
from memwrap.adapters.langchain.history_session import HistorySession, session_from_history  # noqa: E402
from memwrap.adapters.langchain.importing import ImportReport, import_histories  # noqa: E402
from memwrap.adapters.langchain.plug import SessionChatMessageHistory  # noqa: E402
from memwrap.adapters.langchain.runnables import answer, methods  # noqa: E402
from memwrap.adapters.langchain.usages import usages_in  # noqa: E402
from memwrap.adapters.langchain.with_history import from_runnable_with_history  # noqa: E402

__all__ = [
    "HistorySession",
    "ImportReport",
    "SessionChatMessageHistory",
    "answer",
    "from_items",
    "from_runnable_with_history",
    "import_histories",
    "methods",
    "session_from_history",
    "to_items",
    "usages_in",
]
