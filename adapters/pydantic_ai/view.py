"""What models are shown of a remembered conversation, besides the conversation itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    ThinkingPart,
)
from pydantic_ai.models import Model, ModelRequestContext
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.wrapper import WrapperModel

__all__ = ["RememberedView"]


@dataclass
class RememberedView(AbstractCapability[Any]):
    """Shows models the agent's own system prompt, and no thoughts of other models.

    The framework sends a system prompt only where there is no history, and thoughts of another
    model as text. Neither changes what the run adds.
    """

    _prompt: list[SystemPromptPart] | None = field(default=None, init=False, repr=False)

    async def for_run(self, ctx: RunContext[Any]) -> RememberedView:  # noqa: ARG002
        """Return what keeps the system prompt of one run."""
        return replace(self)

    async def before_model_request(
        self, ctx: RunContext[Any], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """Change the messages that are sent."""
        messages = list(request_context.messages)
        if ctx.agent is not None:
            if self._prompt is None:
                self._prompt = await ctx.agent.system_prompt_parts(
                    deps=ctx.deps,
                    model=ctx.model if isinstance(ctx.model, Model) else None,
                    message_history=messages,
                    prompt=ctx.prompt,
                    usage=ctx.usage,
                )
            messages = _prompted(messages, self._prompt)
        own = ((message, _own(message, ctx)) for message in messages)
        request_context.messages = [one for message, one in own if one.parts or one is message]
        return request_context


def _prompted(
    messages: list[ModelMessage], prompt: Sequence[SystemPromptPart]
) -> list[ModelMessage]:
    """Return the messages with those parts of the system prompt that are not among them."""
    known = {
        key
        for message in messages
        for part in message.parts
        if isinstance(part, SystemPromptPart)
        for key in (part.content, part.dynamic_ref)
    }
    missing = [
        part
        for part in prompt
        if part.content not in known and (part.dynamic_ref is None or part.dynamic_ref not in known)
    ]
    for place, message in enumerate(messages if missing else ()):
        if isinstance(message, ModelRequest):
            whole = replace(message, parts=[*missing, *message.parts])
            return [*messages[:place], whole, *messages[place + 1 :]]
    return messages


def _own(message: ModelMessage, ctx: RunContext[Any]) -> ModelMessage:
    """Return a message without thoughts of another model; the run's own stay in any case."""
    if not isinstance(message, ModelResponse) or message.run_id == ctx.run_id:
        return message
    parts = [
        part
        for part in message.parts
        if not isinstance(part, ThinkingPart) or _is_of(ctx.model, part, message)
    ]
    return message if len(parts) == len(message.parts) else replace(message, parts=parts)


def _is_of(model: Any, part: ThinkingPart, message: ModelResponse) -> bool:
    """Tell whether a model, or one that it may turn to, thought that."""
    provider = part.provider_name or message.provider_name
    return any(
        one.system == provider if provider else one.model_name == message.model_name
        for one in _models(model)
    )


def _models(model: Any) -> list[Any]:
    if isinstance(model, WrapperModel):
        return _models(model.wrapped)
    if isinstance(model, FallbackModel):
        return [found for one in model.models for found in _models(one)]
    return [model]
