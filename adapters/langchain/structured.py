"""Structured output of models that remember: answers that are calls of a tool that nobody runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import (
    RunnableBinding,
    RunnableGenerator,
    RunnableParallel,
    RunnableSequence,
)
from langchain_core.runnables.utils import AddableDict

from memwrap.answers import answers_marked
from memwrap.context import current_turn
from memwrap.turn import Kept

__all__ = ["bind_tools", "raw_of", "watched", "with_structured_output"]

RAW = "raw"
_RAW_AND_PARSED = {RAW, "parsed", "parsing_error"}
"""What ``include_raw`` gives."""

_FORMATS = ("ls_structured_output_format", "structured_output_format")
"""The options by which LangChain's models tell of structured output."""


def watched(agent: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of a runnable that notes which of its calls of tools are answers."""
    bound = _options_of(agent)

    @wraps(call)
    def watch(*args: Any, **options: Any) -> Any:
        turn = current_turn()
        if turn is not None and _is_structured({**bound, **options}):
            turn.before_save.append(_with_answers)
        return call(*args, **options)

    return watch


def raw_of(results: list[Any]) -> list[Any]:
    """Return results with the model's message in place of what ``include_raw`` gives around it."""
    pieces = [isinstance(one, Mapping) and one.keys() <= _RAW_AND_PARSED for one in results]
    if not any(is_piece and one for is_piece, one in zip(pieces, results, strict=True)):
        return results
    shown: list[Any] = []
    has_raw = False
    for is_piece, one in zip(pieces, results, strict=True):
        if is_piece and isinstance(one.get(RAW), BaseMessage):
            has_raw = True
            shown.append(one[RAW])
        elif not (is_piece and has_raw and RAW not in one):  # the same, parsed
            shown.append(one)
    return shown


def bind_tools(kind: type, remembering: Any, tools: Sequence[Any], **options: Any) -> Any:
    """Bind tools to a remembering model of *kind*."""
    bound = kind.bind_tools(remembering, tools, **options)  # type: ignore[attr-defined]
    if bound is not remembering or not _is_structured({**options, "tools": list(tools)}):
        return bound
    # The model keeps its options to itself, and a call of it would not tell of them.
    bare: dict[str, Any] = {"kwargs": {}, "schema": next(iter(tools), None)}
    told = next((options[name] for name in _FORMATS if options.get(name)), bare)
    return RunnableBinding(bound=bound, kwargs={_FORMATS[0]: told})


def with_structured_output(kind: type, remembering: Any, *args: Any, **options: Any) -> Any:
    """Return a remembering model of *kind* with its output structured."""
    built = kind.with_structured_output(remembering, *args, **options)  # type: ignore[attr-defined]
    first = built.first if isinstance(built, RunnableSequence) else None
    if isinstance(first, RunnableParallel) and first.steps__.keys() == {RAW}:
        # That would not hand on the session to the model.
        return RunnableSequence(first.steps__[RAW], _RAW, *built.middle, built.last)
    return built


def _raw(messages: Iterator[Any]) -> Iterator[AddableDict]:
    for message in messages:
        yield AddableDict(raw=message)


async def _araw(messages: AsyncIterator[Any]) -> AsyncIterator[AddableDict]:
    async for message in messages:
        yield AddableDict(raw=message)


_RAW: RunnableGenerator[Any, AddableDict] = RunnableGenerator(_raw, _araw)


def _options_of(agent: Any) -> dict[str, Any]:
    """Return the options that the model in a runnable is called with, as far as they are bound."""
    if isinstance(agent, RunnableSequence):
        return _options_of(agent.last)
    if isinstance(agent, RunnableBinding):
        return {**_options_of(agent.bound), **agent.kwargs}
    return {}


def _is_structured(options: Mapping[str, Any]) -> bool:
    """Tell whether a model is to answer by a call: it is told the format, or has no choice."""
    if any(options.get(name) is not None for name in _FORMATS):
        return True
    tools, choice = options.get("tools"), options.get("tool_choice")
    is_only = isinstance(tools, list) and len(tools) == 1
    return is_only and choice not in (None, False, "auto", "none", {"type": "auto"})


def _with_answers(kept: Kept) -> Kept:
    return kept._replace(new_items=answers_marked(kept.new_items))
