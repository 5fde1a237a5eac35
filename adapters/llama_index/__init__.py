"""LlamaIndex: its chat messages, its agents, and a memory for them.

| message                                  | items                                            |
|------------------------------------------|--------------------------------------------------|
| ``ChatMessage`` of a user, system,       | a message; image, audio, document and citable    |
| developer                                | blocks become ``input_image``, ``input_audio``   |
|                                          | and ``input_file``; what has no part, as a video,|
|                                          | is named in text                                 |
| ``TextBlock`` of an assistant, chatbot,  | an assistant message for each                    |
| model                                    |                                                  |
| ``ThinkingBlock``                        | ``reasoning``, marked as LlamaIndex's            |
| ``ToolCallBlock``, and older calls in    | ``function_call``                                |
| ``additional_kwargs["tool_calls"]``      |                                                  |
| ``ChatMessage`` of a tool, function      | ``function_call_output``: what the model was     |
|                                          | shown, the ``repr`` of a dict                    |
| other blocks and fields                  | hidden data                                      |
| ``ChatResponse``, ``AgentChatResponse``, | the message that they hold; of a stream of them  |
| ``CompletionResponse``                   | the last                                         |
| ``AgentOutput``                          | the calls of its run, their outputs, its answer  |
| the events of a run                      | the messages that they add up to                 |
| content blocks, ``str``                  | a message of the speaker                         |
| items, chat message dicts                | as in `memwrap.adapters.chat`                    |

On the way back reasoning, a text and calls in a row are one message of the assistant, and each
output is a message of its own. Reasoning of other dialects is left out, and so are hosted tools'
items. Both ways are exact: what items do not show is in ``provider_data.llama_index`` of an item,
and gives way to an edit of what they show; after one a message keeps its role. Lost are classes
derived from LlamaIndex's own; models in ``additional_kwargs`` are kept as the dicts that LlamaIndex
itself makes of them, and streams in blocks as their bytes.

A remembering agent has ``run``. What a `ReActAgent` does is stored as what happened, its calls,
their outputs and the answer; its thoughts are not, and its model is shown calls as the steps that
it writes itself. To let the framework load and store by its own rules, pass a `MemwrapMemory`.
"""

from memwrap.adapters.extras import need as _need

_need("llama_index.core", "llama-index")

from memwrap.adapters.llama_index.agents import methods  # noqa: E402
from memwrap.adapters.llama_index.convert import from_items, to_items  # noqa: E402
from memwrap.adapters.llama_index.handler import RunHandler  # noqa: E402
from memwrap.adapters.llama_index.plug import MemwrapMemory  # noqa: E402
from memwrap.adapters.llama_index.rebuilt import rebuild  # noqa: E402
from memwrap.adapters.llama_index.usages import usages_in  # noqa: E402

__all__ = [
    "MemwrapMemory",
    "RunHandler",
    "from_items",
    "methods",
    "rebuild",
    "to_items",
    "usages_in",
]
