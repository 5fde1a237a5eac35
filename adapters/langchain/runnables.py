"""LangChain runnables that take a list of messages, and remember.

``invoke``, ``ainvoke``, ``stream``, ``astream``, ``transform`` and ``atransform`` remember;
``batch``, ``abatch`` and their like make a turn of each input, one after the other. What ``|``,
``bind``, ``with_config`` and their like return is built on the remembering runnable, and takes
``session=`` too, as far as it hands on options to it. ``astream_events`` and ``astream_log`` stop
before a turn has ended, and are refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.runnables import (
    Runnable,
    RunnableBinding,
    RunnablePassthrough,
    RunnableSequence,
)

from memwrap.exceptions import ConfigurationError
from memwrap.types import Kind, Method

__all__ = ["methods"]

# What these do or return is made of the runnable, and must be made of the remembering one.
_DERIVED = (
    *("__or__", "__ror__", "abatch_as_completed", "assign", "atransform", "batch_as_completed"),
    *("bind", "map", "pick", "pipe", "transform", "with_alisteners", "with_config"),
    *("with_fallbacks", "with_listeners", "with_retry", "with_types"),
)
_DERIVED_BY_MODELS = ("bind_tools", "with_structured_output")
_REFUSED = ("astream_events", "astream_log", "stream_events")


def methods(agent: Any) -> Mapping[str, Any]:
    """Return how a runnable is run; nothing for other objects."""
    if not isinstance(agent, Runnable):
        return {}
    kind = type(agent)
    return {
        "ainvoke": Method(agent.ainvoke, Kind.CALL),
        "invoke": Method(agent.invoke, Kind.SYNC_CALL, instead="ainvoke"),
        "astream": Method(agent.astream, Kind.STREAM),
        "stream": Method(agent.stream, Kind.SYNC_STREAM, instead="astream"),
        "abatch": _abatch,
        "batch": _batch,
        # Of the base class: some subclasses take themselves apart, and would lose the memory.
        **{name: getattr(Runnable, name) for name in _DERIVED if hasattr(Runnable, name)},
        **{name: getattr(kind, name) for name in _DERIVED_BY_MODELS if hasattr(kind, name)},
        **{name: _refuse(name) for name in _REFUSED if hasattr(kind, name)},
        **(_ONE_STEP if isinstance(agent, RunnableSequence) else {}),
    }


def _refuse(name: str) -> Callable[..., Any]:
    def refuse(remembering: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG001
        raise ConfigurationError(
            f"{name} does not remember: it stops before the turn has ended. Use astream, or"
            f" (agent | RunnablePassthrough()).{name}(...)"
        )

    return refuse


def _step(remembering: Any) -> Any:
    return RunnableBinding(bound=remembering)


def _nothing(remembering: Any) -> Any:  # noqa: ARG001
    return RunnablePassthrough()


# A larger sequence takes over the steps of a smaller one. Those of a remembering sequence are
# itself, and another that does nothing, because there have to be two.
_ONE_STEP = {
    "first": property(_step),
    "middle": property(lambda _: []),
    "last": property(_nothing),
    "steps": property(lambda remembering: [_step(remembering), _nothing(remembering)]),
}


def _batch(
    remembering: Any,
    inputs: Sequence[Any],
    config: Any = None,
    *,
    return_exceptions: bool = False,
    **kwargs: Any,
) -> list[Any]:
    results: list[Any] = []
    for input, own, session in _turns(inputs, config, kwargs):
        try:
            results.append(remembering.invoke(input, own, **kwargs, **session))
        except Exception as exc:
            if not return_exceptions:
                raise
            results.append(exc)
    return results


async def _abatch(
    remembering: Any,
    inputs: Sequence[Any],
    config: Any = None,
    *,
    return_exceptions: bool = False,
    **kwargs: Any,
) -> list[Any]:
    turns = _turns(inputs, config, kwargs)
    if len({id(session.get("session")) for _, _, session in turns}) == len(turns):
        # A conversation for each input: none has to wait for another.
        calls = (remembering.ainvoke(input, own, **kwargs, **one) for input, own, one in turns)
        return await asyncio.gather(*calls, return_exceptions=return_exceptions)
    results: list[Any] = []
    for input, own, session in turns:
        try:
            results.append(await remembering.ainvoke(input, own, **kwargs, **session))
        except Exception as exc:
            if not return_exceptions:
                raise
            results.append(exc)
    return results


def _turns(
    inputs: Sequence[Any], config: Any, kwargs: dict[str, Any]
) -> list[tuple[Any, Any, dict[str, Any]]]:
    """Pair each input with its config and its session: one for all, or a list of them."""
    configs = list(config) if isinstance(config, Sequence) else [config] * len(inputs)
    sessions: list[dict[str, Any]] = [{}] * len(inputs)
    if "session" in kwargs:
        session = kwargs.pop("session")
        several = isinstance(session, (list, tuple))
        sessions = [{"session": one} for one in (session if several else [session] * len(inputs))]
    if not len(inputs) == len(configs) == len(sessions):
        raise ConfigurationError(
            f"{len(inputs)} inputs, {len(configs)} configs and {len(sessions)} sessions do not"
            " pair up; give one for all, or a list as long as the inputs"
        )
    return list(zip(inputs, configs, sessions, strict=True))
