"""Calls and outputs as the steps that a ReAct agent writes and reads itself: as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock, ToolCallBlock

__all__ = ["as_steps"]


def as_steps(
    messages: Sequence[ChatMessage], observation_role: MessageRole = MessageRole.USER
) -> list[ChatMessage]:
    """Return messages with a step of text for each call, and one for each output behind it.

    Args:
        messages: The messages of a conversation.
        observation_role: The role in which the agent is shown what a tool answered.
    """
    shown: list[ChatMessage] = []
    said: ChatMessage | None = None  # with calls, whose outputs come next
    outputs: list[ChatMessage] = []
    for message in messages:
        if message.role == MessageRole.TOOL:
            outputs.append(message)
            continue
        shown += _steps(said, outputs, observation_role)
        said, outputs = None, []
        if any(isinstance(block, ToolCallBlock) for block in message.blocks):
            said = message
        else:
            shown.append(message)
    return shown + list(_steps(said, outputs, observation_role))


def _steps(
    said: ChatMessage | None, outputs: Sequence[ChatMessage], role: MessageRole
) -> Iterator[ChatMessage]:
    """Yield the steps of a message with calls, each with its output behind it."""
    left = list(outputs)
    texts = [] if said is None else [b.text for b in said.blocks if isinstance(b, TextBlock)]
    for call in [] if said is None else said.blocks:
        if not isinstance(call, ToolCallBlock):
            continue
        yield _action(texts, call)
        texts = []
        for output in left:
            if output.additional_kwargs.get("tool_call_id") == call.tool_call_id:
                left.remove(output)
                yield _observation(output, role)
                break
    for output in left:
        yield _observation(output, role)


def _action(texts: Sequence[str], call: ToolCallBlock) -> ChatMessage:
    arguments = call.tool_kwargs
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False, default=str)
    lines = [f"Action: {call.tool_name}", f"Action Input: {arguments}"]
    text = "\n".join([*texts, *lines])
    return ChatMessage(role=MessageRole.ASSISTANT, content=text)


def _observation(output: ChatMessage, role: MessageRole) -> ChatMessage:
    return ChatMessage(role=role, content=f"Observation: {output.content or ''}")
