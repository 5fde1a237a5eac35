"""What models are shown of a remembered conversation, besides the conversation itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

from memwrap.dialects import loaded

__all__ = ["RememberedView"]

_ITEM_ID = "rs_"  # what ids of reasoning begin with that is an item of the Responses API


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
        request_context.messages = list(_Thoughts(ctx).own(messages))
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


class _Thoughts:
    """Leaves out thoughts that a model would not take for its own.

    What the run itself adds stays in any case.
    """

    def __init__(self, ctx: RunContext[Any]) -> None:
        self._run_id = ctx.run_id
        self._models = _models(ctx.model)
        self._known: set[str] = set()  # ids of thoughts, as APIs refuse a second of the same

    def own(self, messages: Sequence[ModelMessage]) -> Iterator[ModelMessage]:
        """Yield the messages without other thoughts; one that is nothing else is left out."""
        for message in messages:
            if not isinstance(message, ModelResponse) or message.run_id == self._run_id:
                yield message
                continue
            parts = [part for part in message.parts if self._is_taken(part, message)]
            self._known |= {part.id for part in parts if isinstance(part, ThinkingPart) and part.id}
            if len(parts) == len(message.parts):
                yield message
            elif parts:
                yield replace(message, parts=parts)

    def _is_taken(self, part: Any, message: ModelResponse) -> bool:
        if not isinstance(part, ThinkingPart):
            return True
        is_own = any(_is_of(model, part, message) for model in self._models)
        return is_own and part.id not in self._known


def _is_of(model: Any, part: ThinkingPart, message: ModelResponse) -> bool:
    """Tell whether a model thought that."""
    provider = part.provider_name or message.provider_name
    if provider is None:
        return bool(model.model_name == message.model_name)
    is_item = part.id is not None and part.id.startswith(_ITEM_ID)
    chat = loaded("pydantic_ai.models.openai.OpenAIChatModel")
    if is_item and chat is not None and isinstance(model, chat):
        return False  # of the same provider, and yet its other API has no such thing
    return bool(model.system == provider)


def _models(model: Any) -> list[Any]:
    if isinstance(model, WrapperModel):
        return _models(model.wrapped)
    if isinstance(model, FallbackModel):
        return [found for one in model.models for found in _models(one)]
    return [model]
