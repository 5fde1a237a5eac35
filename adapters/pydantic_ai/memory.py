"""A store as a capability of agents: each run names its conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

from pydantic_ai import AgentRunResult, RunContext
from pydantic_ai.capabilities import WrapRunHandler
from pydantic_ai.messages import ModelMessage, ModelRequest, UserPromptPart

from memwrap.adapters.pydantic_ai.convert import prompt_of, shown, to_items, told
from memwrap.adapters.pydantic_ai.view import RememberedView
from memwrap.adapters.second_memory import refuse_second_memory
from memwrap.decorator import with_session
from memwrap.items import Item
from memwrap.sessions.base import StoreLike
from memwrap.turn import Middleware

__all__ = ["MemwrapMemory"]


@dataclass
class MemwrapMemory(RememberedView):
    """Lets an agent remember by the ``conversation_id=`` of its runs.

    The history comes before the run; the turn is stored at its end, and nothing of it if the run
    fails or is left early. Runs of one conversation wait for each other.

    Attributes:
        store: Where ids of conversations become sessions.
        middleware: The layers around the run, the first outermost, as in `memwrap.with_session`.

    Raises:
        ConfigurationError: A run is given ``message_history=`` or ``conversation=`` too.
    """

    store: StoreLike
    _: KW_ONLY
    middleware: Sequence[Middleware] = ()

    async def wrap_run(
        self, ctx: RunContext[Any], *, handler: WrapRunHandler
    ) -> AgentRunResult[Any]:
        """Run one turn of the conversation."""
        if ctx.messages:
            way = "pass conversation_id= alone"
            refuse_second_memory({"message_history= or conversation=": way})
        prompt = None if ctx.prompt is None else prompt_of(ctx.prompt)

        async def run(messages: list[ModelMessage]) -> AgentRunResult[Any]:
            ctx.messages[:] = messages if prompt is None else _before_prompt(messages)
            return await handler()

        remembering: Any = with_session(
            run, store=self.store, adapter=_Runs(), middleware=self.middleware
        )
        result: AgentRunResult[Any] = await remembering(
            [] if prompt is None else [prompt], session=ctx.conversation_id
        )
        return result


class _Runs:
    """Converts what a run adds behind its prompt, and what it is shown."""

    def to_items(self, messages: Any, /, *, role: str = "user") -> list[Item]:
        behind: list[Any] = []
        for message in messages if isinstance(messages, list) else [messages]:
            if isinstance(message, AgentRunResult):
                first, *rest = told(message)
                behind += [*_without_prompt(first), *rest]
            else:
                behind.append(message)
        return to_items(behind, role=role)

    def from_items(self, items: Sequence[Item], /) -> list[ModelMessage]:
        return shown(items)


def _before_prompt(messages: list[ModelMessage]) -> list[ModelMessage]:
    """Return the messages without the last one of a user: the framework appends it itself."""
    for place in range(len(messages) - 1, -1, -1):
        if any(isinstance(part, UserPromptPart) for part in messages[place].parts):
            return [*messages[:place], *messages[place + 1 :]]
    return messages


def _without_prompt(message: ModelMessage) -> list[ModelMessage]:
    """Return the first message of a run without the prompt, which is the input of the turn."""
    if not isinstance(message, ModelRequest):
        return [message]
    parts = [part for part in message.parts if not isinstance(part, UserPromptPart)]
    return [replace(message, parts=parts)] if parts else []
