"""How a graph is run with memory: called, or streamed in step with its caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping
from contextlib import aclosing, closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph.pregel import Pregel
from langgraph.types import Command

from memwrap.adapters import langchain
from memwrap.adapters.langgraph.run import Run
from memwrap.adapters.langgraph.state import (
    MESSAGES,
    GraphState,
    State,
    StreamEnd,
    StreamEvent,
    from_items,
    is_state,
)
from memwrap.exceptions import ConfigurationError
from memwrap.types import Arrange, Item, Method

if TYPE_CHECKING:
    from memwrap.turn import Turn

__all__ = ["methods"]


def methods(
    agent: Any, *, from_items: Callable[[list[Item]], State] = from_items
) -> Mapping[str, Method | Callable[..., Any]]:
    """Return how a graph is run; nothing for other objects."""
    known = langchain.methods(agent)
    if not isinstance(agent, Pregel):
        return known
    if MESSAGES not in agent.channels:
        raise ConfigurationError(
            f"the graph {agent.get_name()} has no key {MESSAGES!r} in its state, where history"
            " could go; wrap the function that calls the graph"
        )
    bind = partial(_bind, from_items)
    ways = {
        "ainvoke": _ainvoke(agent),
        "invoke": _invoke(agent),
        "astream": _astream(agent),
        "stream": _stream(agent),
    }
    shown = {"astream": _ashow, "stream": _show}
    return {
        name: replace(method, call=ways[name], bind=bind, present=shown.get(name))
        if isinstance(method, Method)
        else method
        for name, method in known.items()
    }


def _bind(from_items: Callable[[list[Item]], State], input: Any) -> tuple[Any, Arrange]:
    """Take the messages out of a state, or a command, or take messages for one."""
    if isinstance(input, Command):
        return [], lambda history, new: input  # noqa: ARG005
    state = dict(input) if is_state(input) else {}

    def arrange(history: list[Item], new: list[Item]) -> State:
        return state | from_items([*history, *new])

    return state.get(MESSAGES, input), arrange


def _ainvoke(graph: Any) -> Callable[..., Any]:
    async def ainvoke(state: Any, config: Any = None, **options: Any) -> GraphState:
        run = Run(graph, state, config, options, mode="values")
        async with aclosing(graph.astream(state, config, **run.options)) as chunks:
            async for chunk in chunks:
                run.take(chunk)
        return run.result()

    return ainvoke


def _invoke(graph: Any) -> Callable[..., Any]:
    def invoke(state: Any, config: Any = None, **options: Any) -> GraphState:
        run = Run(graph, state, config, options, mode="values")
        for chunk in graph.stream(state, config, **run.options):
            run.take(chunk)
        return run.result()

    return invoke


def _astream(graph: Any) -> Callable[..., Any]:
    async def astream(
        state: Any, config: Any = None, **options: Any
    ) -> AsyncGenerator[StreamEvent | StreamEnd, None]:
        run = Run(graph, state, config, options)
        try:
            async with aclosing(graph.astream(state, config, **run.options)) as chunks:
                async for chunk in chunks:
                    for event in run.take(chunk):
                        yield event
        except (GeneratorExit, asyncio.CancelledError):
            run.record_delivered()
            raise
        yield StreamEnd(run.new_messages)

    return astream


def _stream(graph: Any) -> Callable[..., Any]:
    def stream(
        state: Any, config: Any = None, **options: Any
    ) -> Generator[StreamEvent | StreamEnd, None, None]:
        run = Run(graph, state, config, options)
        try:
            with closing(graph.stream(state, config, **run.options)) as chunks:
                for chunk in chunks:
                    yield from run.take(chunk)
        except GeneratorExit:
            run.record_delivered()
            raise
        yield StreamEnd(run.new_messages)

    return stream


async def _ashow(events: Any, turn: Turn) -> AsyncGenerator[Any, None]:  # noqa: ARG001
    async with aclosing(events):
        async for event in events:
            for shown in _shown(event):
                yield shown


def _show(events: Any, turn: Turn) -> Generator[Any, None, None]:  # noqa: ARG001
    with closing(events):
        for event in events:
            yield from _shown(event)


def _shown(event: Any) -> Iterable[Any]:
    if isinstance(event, StreamEnd):
        return ()
    return (event.value if isinstance(event, StreamEvent) else event,)
