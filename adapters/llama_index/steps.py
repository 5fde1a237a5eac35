"""Calls and outputs as the steps that a ReAct agent writes and reads itself: as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

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
    outputs = {
        message.additional_kwargs.get("tool_call_id"): message
        for message in messages
        if message.role == MessageRole.TOOL
    }
    shown: list[ChatMessage] = []
    for message in messages:
        calls = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
        if message.role == MessageRole.TOOL:
            continue
        if not calls:
            shown.append(message)
            continue
        said = [block for block in message.blocks if isinstance(block, TextBlock)]
        for call in calls:
            shown.append(_action(said, call))
            said = []
            if (output := outputs.get(call.tool_call_id)) is not None:
                shown.append(_observation(output, observation_role))
    return shown


def _action(said: Iterable[TextBlock], call: ToolCallBlock) -> ChatMessage:
    arguments = call.tool_kwargs
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False, default=str)
    lines = [f"Action: {call.tool_name}", f"Action Input: {arguments}"]
    text = "\n".join([*(block.text for block in said), *lines])
    return ChatMessage(role=MessageRole.ASSISTANT, content=text)


def _observation(output: ChatMessage, role: MessageRole) -> ChatMessage:
    return ChatMessage(role=role, content=f"Observation: {output.content or ''}")
