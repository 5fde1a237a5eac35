"""Pydantic AI: its messages, its agents, and its own places for a memory.

| message                                  | items                                            |
|------------------------------------------|--------------------------------------------------|
| ``UserPromptPart``                       | a user message; of a list, texts, images, files  |
|                                          | and audio are its parts                          |
| ``SystemPromptPart``                     | a system message                                 |
| ``ToolReturnPart``                       | ``function_call_output``: the text that the      |
|                                          | model was shown, with files a list of parts      |
| ``RetryFeedbackPart``                    | a user message, as the model takes it            |
| ``TextPart``                             | an assistant message                             |
| ``ThinkingPart``                         | ``reasoning``; OpenAI's with its id and          |
|                                          | encrypted content, others marked as theirs       |
| ``ToolCallPart``                         | ``function_call``; structured output is one too  |
| ``SpeechPart``                           | its transcript, as a message of its speaker      |
| native tools, generated files,           | nothing that others see                          |
| compactions, deltas, cache points        |                                                  |
| ``AgentRunResult``, ``AgentRun``,        | its new messages, without the agent's own        |
| ``StreamedRunResult``                    | instructions and system prompt                   |
| the events of a run                      | those of its result, or what they add up to      |
| texts and files (``ImageUrl``, ...)      | one user message                                 |
| single parts                             | the message                                      |
| items, chat message dicts, ``str``       | as in `memwrap.adapters.plain`                   |

Both ways are exact, for any slice of the items: what items cannot show (times, ids of runs, usage,
signatures, outcomes, metadata) is in ``provider_data.pydantic_ai`` of one of them, does not repeat
what can be seen, and gives way to an edit of it. Messages that other dialects wrote have the time
1970-01-01, as the same items give the same messages. Files by an id that a provider gave are named
in text, and so are parts that the framework has no class for. Dumps of messages are not taken: a
stranger's could have a model fetch what nobody should. `ModelMessagesTypeAdapter` loads them.
"""

from memwrap.adapters.extras import need as _need

_need("pydantic_ai", "pydantic-ai")

from memwrap.adapters.pydantic_ai.agents import methods, values_in  # noqa: E402
from memwrap.adapters.pydantic_ai.conversations import MemwrapConversationStore  # noqa: E402
from memwrap.adapters.pydantic_ai.convert import from_items, to_items  # noqa: E402
from memwrap.adapters.pydantic_ai.memory import MemwrapMemory  # noqa: E402
from memwrap.adapters.pydantic_ai.rebuilt import rebuild  # noqa: E402
from memwrap.adapters.pydantic_ai.usages import usages_in  # noqa: E402

__all__ = [
    "MemwrapConversationStore",
    "MemwrapMemory",
    "from_items",
    "methods",
    "rebuild",
    "to_items",
    "usages_in",
    "values_in",
]
