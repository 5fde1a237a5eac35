"""Outputs of agents, responses of models, and events of runs, rebuilt from stored items.

What items do not hold is empty: raw responses, structured output, the name of the agent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from llama_index.core.agent.workflow import AgentOutput, AgentStream, ToolCall, ToolCallResult
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    MessageRole,
    ToolCallBlock,
)
from llama_index.core.chat_engine.types import AgentChatResponse
from llama_index.core.tools import ToolOutput, ToolSelection
from llama_index.core.workflow import StopEvent

from memwrap.adapters.llama_index.convert import from_items
from memwrap.adapters.llama_index.run import RunOutput
from memwrap.items import Item

__all__ = ["events_of", "rebuild"]


def rebuild(items: Sequence[Item], type_name: str, values: Sequence[Any] = (), /) -> Any:  # noqa: ARG001
    """Return an object of LlamaIndex that says what *items* say; None for other types."""
    make = _MAKERS.get(type_name.rpartition(".")[2])
    return None if make is None else make(from_items(items))


def _answer_of(messages: Sequence[ChatMessage]) -> ChatMessage:
    return messages[-1] if messages else ChatMessage(role=MessageRole.ASSISTANT, content="")


def _output(messages: Sequence[ChatMessage]) -> AgentOutput:
    """Return the output of a run that has added these messages."""
    output = AgentOutput(response=_answer_of(messages), current_agent_name="")
    # As the framework does: its class is for calls, and it adds the calls with their results.
    calls: list[Any] = output.tool_calls
    calls.extend(_results(messages))
    return output


def _calls(messages: Iterable[ChatMessage]) -> dict[str, ToolSelection]:
    """Return the calls by their ids."""
    return {
        block.tool_call_id: ToolSelection(
            tool_id=block.tool_call_id,
            tool_name=block.tool_name,
            tool_kwargs=block.tool_kwargs if isinstance(block.tool_kwargs, dict) else {},
        )
        for message in messages
        for block in message.blocks
        if isinstance(block, ToolCallBlock) and block.tool_call_id
    }


def _results(messages: Sequence[ChatMessage]) -> Iterable[ToolCallResult]:
    calls = _calls(messages)
    for message in messages:
        call = calls.get(message.additional_kwargs.get("tool_call_id", ""))
        if message.role != MessageRole.TOOL or call is None:
            continue
        output = ToolOutput(
            blocks=message.blocks,
            tool_name=call.tool_name,
            raw_input={"kwargs": call.tool_kwargs},
            raw_output=message.content,
        )
        yield ToolCallResult(**dict(call), tool_output=output, return_direct=False)


def events_of(output: RunOutput) -> Iterable[Any]:
    """Yield the events by which a run tells of its messages."""
    results = {result.tool_id: result for result in _results(output.new_messages)}
    for message in output.new_messages:
        if message.role == MessageRole.TOOL:
            if result := results.get(message.additional_kwargs.get("tool_call_id", "")):
                yield result
            continue
        calls = list(_calls([message]).values())
        text = message.content or ""
        yield AgentStream(delta=text, response=text, tool_calls=calls, current_agent_name="")
        yield AgentOutput(response=message, tool_calls=calls, current_agent_name="")
        for call in calls:
            yield ToolCall(**dict(call))


_MAKERS: Mapping[str, Callable[[Sequence[ChatMessage]], Any]] = {
    "AgentChatResponse": lambda said: AgentChatResponse(response=_answer_of(said).content or ""),
    "AgentOutput": _output,
    "AgentStream": _output,
    "ChatMessage": _answer_of,
    "ChatResponse": lambda said: ChatResponse(message=_answer_of(said)),
    "CompletionResponse": lambda said: CompletionResponse(text=_answer_of(said).content or ""),
    "RunOutput": lambda said: RunOutput.of(_output(said), said),
    "StopEvent": lambda said: StopEvent(result=_output(said)),
}
