"""How a graph is run with memory: called, or streamed in step with its caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping
from contextlib import aclosing, closing
from dataclasses import fields, is_dataclass, replace
from functools import partial, wraps
from typing import Any

from langgraph.pregel import Pregel
from pydantic import BaseModel

from memwrap.adapters import langchain
from memwrap.adapters.langgraph.run import Run
from memwrap.adapters.langgraph.state import (
    MESSAGES,
    GraphState,
    State,
    StreamEnd,
    StreamEvent,
    from_items,
)
from memwrap.adapters.langgraph.thread import messages_with, resumes
from memwrap.adapters.streams import Shown, shown_by
from memwrap.dialects import Method, Methods, PutBack
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item

__all__ = ["methods"]


def methods(
    agent: Any, *, from_items: Callable[[list[Item]], State] = from_items
) -> Methods | None:
    """Return how a graph is run; None for other objects."""
    known = langchain.methods(agent)
    if known is None or not isinstance(agent, Pregel):
        return known
    if MESSAGES not in agent.channels:
        raise ConfigurationError(
            f"the graph {agent.get_name()} has no key {MESSAGES!r} in its state, where history"
            " could go; wrap the function that calls the graph"
        )
    split = partial(_split, from_items)
    ways = {
        "ainvoke": _ainvoke(agent),
        "invoke": _invoke(agent),
        "astream": _astream(agent),
        "stream": _stream(agent),
    }
    shown: dict[str, Callable[[Any], Any]] = {
        "astream": partial(Shown, show=_shown),
        "stream": partial(shown_by, show=_shown),
    }
    remember: dict[str, Method] = {
        name: replace(method, call=ways[name], split=split, show=shown.get(name))
        for name, method in known.remember.items()
    }
    return replace(known, remember=remember)


def _split(from_items: Callable[[list[Item]], State], input: Any) -> tuple[Any, PutBack]:
    """Take the messages out of a state, or take messages for one."""
    if resumes(input):
        return _resumed(from_items, input)
    state = _state_of(input)

    def put_back(history: list[Item], new: list[Item]) -> State:
        return (state or {}) | from_items([*history, *new])

    messages = input if state is None else state.get(MESSAGES, [])
    # LangGraph takes what is no list for one message, a pair of strings too.
    return messages if isinstance(messages, list) else [messages], put_back


def _resumed(from_items: Callable[[list[Item]], State], input: Any) -> tuple[Any, PutBack]:
    """Take the messages out of what a Command adds to a state; the state has the history."""
    messages = messages_with(input)
    if messages is None:
        return [], lambda history, new: input  # noqa: ARG005

    def put_back(history: list[Item], new: list[Item]) -> Any:  # noqa: ARG001
        return replace(input, update={**input.update, **from_items(new)})

    return messages if isinstance(messages, list) else [messages], put_back


def _state_of(input: Any) -> State | None:
    """Return a state as a dict, as the graph itself reads it; None for messages."""
    if isinstance(input, Mapping):
        return None if MESSAGES not in input and input.keys() & {"role", "type"} else dict(input)
    if isinstance(input, BaseModel) and not hasattr(input, "content"):
        return {key: getattr(input, key) for key in input.model_fields_set}
    if is_dataclass(input) and not isinstance(input, type):
        return {field.name: getattr(input, field.name) for field in fields(input)}
    return None


def _ainvoke(graph: Any) -> Callable[..., Any]:
    @wraps(graph.ainvoke)
    async def ainvoke(input: Any, config: Any = None, **options: Any) -> GraphState:
        run = Run(graph, input, config, options, is_call=True)
        async with aclosing(_achunks(graph, input, run)) as chunks:
            async for chunk in chunks:
                run.take(chunk)
        return run.result()

    return ainvoke


def _invoke(graph: Any) -> Callable[..., Any]:
    @wraps(graph.invoke)
    def invoke(input: Any, config: Any = None, **options: Any) -> GraphState:
        run = Run(graph, input, config, options, is_call=True)
        with closing(_chunks(graph, input, run)) as chunks:
            for chunk in chunks:
                run.take(chunk)
        return run.result()

    return invoke


def _astream(graph: Any) -> Callable[..., Any]:
    @wraps(graph.astream)
    async def astream(
        input: Any, config: Any = None, **options: Any
    ) -> AsyncGenerator[StreamEvent | StreamEnd, None]:
        run = Run(graph, input, config, options)
        try:
            async with aclosing(_achunks(graph, input, run)) as chunks:
                async for chunk in chunks:
                    for event in run.take(chunk):
                        yield event
        except (GeneratorExit, asyncio.CancelledError):
            run.record_delivered()
            raise
        yield StreamEnd(run.new_messages)

    return astream


def _stream(graph: Any) -> Callable[..., Any]:
    @wraps(graph.stream)
    def stream(
        input: Any, config: Any = None, **options: Any
    ) -> Generator[StreamEvent | StreamEnd, None, None]:
        run = Run(graph, input, config, options)
        try:
            with closing(_chunks(graph, input, run)) as chunks:
                for chunk in chunks:
                    yield from run.take(chunk)
        except GeneratorExit:
            run.record_delivered()
            raise
        yield StreamEnd(run.new_messages)

    return stream


async def _achunks(graph: Any, input: Any, run: Run) -> AsyncGenerator[Any, None]:
    """Stream a graph in the turn's own thread, if it has one."""
    has_ended = False
    if run.thread is not None:
        await run.thread.afind()
    try:
        async with aclosing(graph.astream(input, run.config, **run.options)) as chunks:
            async for chunk in chunks:
                yield chunk
        has_ended = True
    finally:
        if run.thread is not None:
            await run.thread.aleave(has_ended=has_ended, waits_behind=run.waits_behind)


def _chunks(graph: Any, input: Any, run: Run) -> Generator[Any, None, None]:
    """Stream a graph as `_achunks` does."""
    has_ended = False
    if run.thread is not None:
        run.thread.find()
    try:
        with closing(graph.stream(input, run.config, **run.options)) as chunks:
            yield from chunks
        has_ended = True
    finally:
        if run.thread is not None:
            run.thread.leave(has_ended=has_ended, waits_behind=run.waits_behind)


def _shown(event: Any) -> Iterable[Any]:
    if isinstance(event, StreamEnd):
        return ()
    return (event.value if isinstance(event, StreamEvent) else event,)
