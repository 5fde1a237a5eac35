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
from functools import partial
from typing import Any

from langchain_core.runnables import (
    Runnable,
    RunnableBinding,
    RunnablePassthrough,
    RunnableSequence,
    ensure_config,
)
from langchain_core.runnables.config import merge_configs
from langchain_core.runnables.history import RunnableWithMessageHistory

from memwrap.context import UNSET
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
    _refuse_other_memory(agent)
    kind = type(agent)
    find = partial(_configured, getattr(agent, "config", None))
    return {
        "ainvoke": Method(agent.ainvoke, Kind.CALL, find=find),
        "invoke": Method(agent.invoke, Kind.SYNC_CALL, instead="ainvoke", find=find),
        "astream": Method(agent.astream, Kind.STREAM, find=find),
        "stream": Method(agent.stream, Kind.SYNC_STREAM, instead="astream", find=find),
        "abatch": _abatch,
        "batch": _batch,
        # Of the base class: some subclasses take themselves apart, and would lose the memory.
        **{name: getattr(Runnable, name) for name in _DERIVED if hasattr(Runnable, name)},
        **{name: getattr(kind, name) for name in _DERIVED_BY_MODELS if hasattr(kind, name)},
        **{name: _refuse(name) for name in _REFUSED if hasattr(kind, name)},
        **(_ONE_STEP if isinstance(agent, RunnableSequence) else {}),
    }


def _configured(bound: Any, key: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return what the config of a call, or of the runnable itself, has under *key*."""
    config = args[0] if args else kwargs.get("config")
    configurable = ensure_config(merge_configs(bound, config)).get("configurable", {})
    return configurable.get(key, UNSET)


def _refuse_other_memory(agent: Any) -> None:
    """Refuse a runnable in which LangChain's own wrapper remembers already."""
    if isinstance(agent, RunnableWithMessageHistory):
        raise ConfigurationError(
            "RunnableWithMessageHistory remembers already, and with_session would a second time;"
            " make it with memwrap.adapters.langchain.from_runnable_with_history instead"
        )
    parts = [getattr(agent, name, None) for name in ("bound", "runnable")]
    for part in (*parts, *getattr(agent, "steps", ()), *getattr(agent, "fallbacks", ())):
        if isinstance(part, Runnable):
            _refuse_other_memory(part)


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
