"""LangChain runnables that take a list of messages, and remember.

``invoke``, ``ainvoke``, ``stream``, ``astream``, ``transform`` and ``atransform`` remember;
``batch``, ``abatch`` and their like make a turn of each input, one after the other. What ``|``,
``bind``, ``with_config`` and their like return is built on the remembering runnable, and takes
``session=`` too, as far as it hands on options to it. ``astream_events`` and ``astream_log`` stop
before a turn has ended, and are refused.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial, partialmethod
from typing import Any

from langchain_core.runnables import (
    Runnable,
    RunnableBinding,
    RunnablePassthrough,
    RunnableSequence,
    RunnableWithFallbacks,
    ensure_config,
)
from langchain_core.runnables.config import merge_configs
from langchain_core.runnables.history import RunnableWithMessageHistory

from memwrap.adapters.langchain.convert import from_items
from memwrap.adapters.langchain.structured import bind_tools, watched, with_structured_output
from memwrap.adapters.second_memory import refuse_second_memory
from memwrap.context import MASKED, UNSET, current_turn
from memwrap.dialects import Kind, Method, Methods, adapter_for
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item

__all__ = ["answer", "config_of", "is_graph", "methods"]

# What these do or return is made of the runnable, and must be made of the remembering one.
_DERIVED = (
    *("__or__", "__ror__", "abatch_as_completed", "as_tool", "assign", "atransform"),
    "batch_as_completed",
    *("bind", "map", "pick", "pipe", "transform", "with_alisteners", "with_config"),
    *("with_fallbacks", "with_listeners", "with_retry", "with_types"),
)
_DERIVED_BY_MODELS = {"bind_tools": bind_tools, "with_structured_output": with_structured_output}
_COPIES = ("copy", "model_copy")
_REFUSED = ("astream_events", "astream_log", "stream_events")
_PROMPTED = ("agenerate", "agenerate_prompt", "generate", "generate_prompt")
_TOO_LATE = ("configurable_alternatives", "configurable_fields")


def methods(agent: Any) -> Methods | None:
    """Return how a runnable is run; None for other objects."""
    if not isinstance(agent, Runnable):
        return None
    refuse_second_memory(_wrappers_in(agent))
    _refuse_graph(agent)
    session_of = partial(_configured, agent)
    remember = {
        name: Method(watched(agent, getattr(agent, name)), kind, instead, session_of=session_of)
        for name, (kind, instead) in _WAYS.items()
    }
    return Methods("ainvoke", remember, _derived(agent), _copies(agent))


def answer(items: Sequence[Item], /) -> Any:
    """Return what a turn that is stored under its id gives again: its last message."""
    messages = from_items(items)
    return messages[-1] if messages else None


_WAYS = {
    "ainvoke": (Kind.CALL, None),
    "invoke": (Kind.SYNC_CALL, "ainvoke"),
    "astream": (Kind.STREAM, None),
    "stream": (Kind.SYNC_STREAM, "astream"),
}


def _copies(agent: Any) -> list[str]:
    """Return the names of methods that return another runnable, without memory of its own.

    Bindings and fallbacks hand on to their models what they have not themselves.
    """
    kind = type(agent)
    given_on = [name for name in _DERIVED_BY_MODELS if not hasattr(kind, name)]
    copies = [name for name in _COPIES if hasattr(kind, name)]
    return copies + [name for name in given_on if _hands_on(agent, name)]


def _hands_on(agent: Any, name: str) -> bool:
    if isinstance(agent, RunnableBinding):
        model: Any = agent.bound
    elif isinstance(agent, RunnableWithFallbacks):
        model = agent.runnable
    else:
        return False
    return hasattr(type(model), name) or _hands_on(model, name)


def _derived(agent: Any) -> dict[str, Any]:
    """Return the attributes that are built on the remembering methods, or refused."""
    kind = type(agent)
    return {
        "abatch": _abatch,
        "batch": _batch,
        # Of the base class: some subclasses take themselves apart, and would lose the memory.
        **{name: getattr(Runnable, name) for name in _DERIVED if hasattr(Runnable, name)},
        **{
            name: partialmethod(partial(build, kind))
            for name, build in _DERIVED_BY_MODELS.items()
            if hasattr(kind, name)
        },
        **{name: _refuse(name, _WITHOUT_END) for name in _REFUSED if hasattr(kind, name)},
        **{
            name: _refuse(name, _OF_PROMPTS)
            for name in _PROMPTED
            if hasattr(kind, name) or _hands_on(agent, name)
        },
        **{name: _refuse(name, _FORGETFUL) for name in _TOO_LATE if hasattr(kind, name)},
        **(_ONE_STEP if isinstance(agent, RunnableSequence) else {}),
    }


def config_of(agent: Any, config: Any) -> dict[str, Any]:
    """Return what is configurable in a call: by its config, the runnable's own, and that around."""
    return _merged(ensure_config(), getattr(agent, "config", None), config)


def _merged(*configs: Any) -> dict[str, Any]:
    found: dict[str, Any] = merge_configs(*configs).get("configurable", {})
    return found


def _configured(agent: Any, key: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return what the config of a call has under *key*.

    While a turn runs, the config around is that of the turn, and not this call's; nor is one that
    is handed on, as nodes and tools hand on theirs.
    """
    config = args[0] if args else kwargs.get("config")
    found = config_of(agent, config).get(key, UNSET)
    if current_turn() is None or found is UNSET:
        return found
    own = _merged(getattr(agent, "config", None), config).get(key, MASKED)
    return MASKED if own == _merged(ensure_config()).get(key, UNSET) else own


def _wrappers_in(agent: Any) -> dict[str, str]:
    """Return LangChain's own memory in a runnable, and what to use in its place."""
    if isinstance(agent, RunnableWithMessageHistory):
        way = "make it with memwrap.adapters.langchain.from_runnable_with_history"
        return {"RunnableWithMessageHistory": way}
    found: dict[str, str] = {}
    for part in _parts(agent, getattr(agent, "steps", ())):
        found |= _wrappers_in(part)
    return found


def is_graph(agent: Any) -> bool:
    """Tell whether a runnable is of a framework built on LangChain, with an adapter of its own."""
    return adapter_for(agent) not in (None, sys.modules["memwrap.adapters.langchain"])


def _refuse_graph(agent: Any) -> None:
    """Refuse a runnable whose input or output is that of a graph: a state, and no messages."""
    steps = getattr(agent, "steps", ())
    for part in _parts(agent, [*steps[:1], *steps[-1:]]):
        if is_graph(part):
            raise ConfigurationError(
                f"a graph is inside of a {type(agent).__name__}; wrap the graph itself, and build"
                " on that: with_session(graph).with_retry()"
            )
        _refuse_graph(part)


def _parts(agent: Any, steps: Sequence[Any]) -> list[Any]:
    wrapped = [getattr(agent, name, None) for name in ("bound", "runnable")]
    parts = [*wrapped, *steps, *getattr(agent, "fallbacks", ())]
    return [part for part in parts if isinstance(part, Runnable)]


_WITHOUT_END = (
    "it stops before the turn has ended. Use astream, or"
    " (agent | RunnablePassthrough()).{name}(...)"
)
_OF_PROMPTS = "it takes whole prompts. Use invoke, or batch for several"
_FORGETFUL = "configure the runnable first, and wrap what that returns"


def _refuse(name: str, why: str) -> Callable[..., Any]:
    def refuse(remembering: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG001
        raise ConfigurationError(f"{name} does not remember: {why.format(name=name)}")

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
