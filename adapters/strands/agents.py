"""How an agent of Strands is run with memory: called, or streamed; one turn at a time.

A key is looked up among the arguments of the call, and in its ``invocation_state``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import wraps
from typing import Any

from strands import Agent

from memwrap.adapters.named import named_in
from memwrap.adapters.second_memory import refuse_second_memory
from memwrap.adapters.strands.convert import (
    RESULT,
    StreamEvent,
    from_items,
    messages_of,
    new_messages,
    result_of,
)
from memwrap.adapters.strands.fitting import alternating, fitting
from memwrap.adapters.strands.seat import Given, seat_of
from memwrap.adapters.strands.shape import Message
from memwrap.adapters.streams import Shown
from memwrap.dialects import Kind, Method, Methods, PutBack
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item
from memwrap.memory.repeats import is_replay

__all__ = ["methods"]

_PLUG = "give the agent a memwrap.adapters.strands.MemwrapSessionManager, and no with_session"


def methods(agent: Any) -> Methods | None:
    """Return how an agent is run; None for other objects.

    Raises:
        ConfigurationError: The agent remembers by other means.
    """
    if not isinstance(agent, Agent):
        return None
    refuse_second_memory(_other_memory(agent))
    seat = seat_of(agent)

    @wraps(agent.invoke_async)
    async def invoke_async(given: Given, **options: Any) -> Any:
        async with seat.taken(agent, given) as run:
            result = await agent.invoke_async(given.input, **options)  # type: ignore[arg-type]
            return new_messages(result, run.added)

    @wraps(agent.__call__)
    def call(given: Given, **options: Any) -> Any:
        with seat.taken_here(agent, given) as run:
            result = agent(given.input, **options)  # type: ignore[arg-type]
            return new_messages(result, run.added)

    @wraps(agent.stream_async)
    async def stream_async(given: Given, **options: Any) -> AsyncGenerator[StreamEvent, None]:
        async with seat.taken(agent, given) as run:
            events: Any = agent.stream_async(given.input, **options)  # type: ignore[arg-type]
            async with aclosing(events):
                async for event in events:
                    if RESULT in event:
                        new_messages(event[RESULT], run.added)
                    yield StreamEvent(event)

    def streamed(items: Sequence[Item], type_name: str, values: Sequence[Any]) -> StreamEvent:  # noqa: ARG001
        return StreamEvent({RESULT: result_of(items, values)})

    options: dict[str, Any] = {"split": _split, "session_of": named_in("invocation_state")}
    remember = {
        "invoke_async": Method(invoke_async, Kind.CALL, **options),
        "stream_async": Method(stream_async, Kind.STREAM, show=_shown, rebuild=streamed, **options),
        "__call__": Method(call, Kind.SYNC_CALL, instead="invoke_async", **options),
    }
    refused = {name: _refused(name) for name in ("structured_output", "structured_output_async")}
    return Methods("invoke_async", remember, refused)


def _split(prompt: Any) -> tuple[Any, PutBack]:
    """Take a prompt in any of the framework's forms for messages."""
    several = prompt if isinstance(prompt, list) else [prompt]
    if any(isinstance(one, dict) and "interruptResponse" in one for one in several):
        raise ConfigurationError(
            "a remembering agent goes on with no interrupt, as other turns may have run since:"
            f" {_PLUG}"
        )

    def put_back(history: list[Item], new: list[Item]) -> Given:
        return _given(from_items(history), from_items(new))

    return [] if prompt is None else prompt, put_back


def _given(history: list[Message], input: list[Message]) -> Given:
    history, input = fitting(history), alternating(input) if history else fitting(input)
    if history and input and history[-1]["role"] == input[0]["role"]:
        input = alternating([history.pop(), *input])
    return Given(history, input)


def _other_memory(agent: Agent) -> dict[str, str]:
    found: dict[str, str] = {}
    # Strands has no public way to an agent's session manager; a test notices a change.
    if getattr(agent, "_session_manager", None) is not None:
        found["session_manager="] = "leave it out, or call the agent without with_session"
    if getattr(agent.model, "stateful", False):
        found["a model that keeps the conversation on its server"] = "switch that off"
    return found


def _refused(name: str) -> Callable[..., Any]:
    def refuse(remembering: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG001
        raise ConfigurationError(
            f"{name} does not remember: pass structured_output_model= to invoke_async, or to the"
            " agent itself"
        )

    return refuse


def _shown(events: AsyncGenerator[Any, None]) -> Shown[dict[str, Any]]:
    return Shown(events, _told)


def _told(event: Any) -> list[dict[str, Any]]:
    """Return what the caller gets of an event: of a stored run's result what told of it too."""
    value = event.value if isinstance(event, StreamEvent) else event
    if not is_replay(event):
        return [value]
    return [*(one for message in messages_of(value[RESULT]) for one in _retold(message)), value]


def _retold(message: Message) -> list[dict[str, Any]]:
    """Return the events by which a stream tells of a message."""
    texts = [block["text"] for block in message["content"] if "text" in block]
    said = texts if message["role"] == "assistant" else []
    return [*({"data": text} for text in said), {"message": message}]
