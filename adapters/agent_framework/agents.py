"""How an agent of Agent Framework is run with memory: called, or streamed.

The history comes before the input, in one list of messages. So the agent's context providers are
shown both as the input of the run. A key is looked up among the arguments of the call, and in its
``function_invocation_kwargs`` and ``client_kwargs``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import wraps
from typing import Any

from agent_framework import (
    AgentResponse,
    AgentResponseUpdate,
    AgentSession,
    BaseAgent,
    HistoryProvider,
    Message,
    ResponseStream,
    SupportsAgentRun,
)

from memwrap.adapters.named import named_in
from memwrap.adapters.second_memory import refuse_second_memory
from memwrap.adapters.streams import Shown
from memwrap.dialects import Kind, Method, Methods
from memwrap.exceptions import ConfigurationError
from memwrap.memory.repeats import is_replay

__all__ = ["methods"]

_APPROVAL = "function_approval_response"
_named = named_in("function_invocation_kwargs", "client_kwargs")
_PLUG = (
    "or give the agent memwrap.adapters.agent_framework.MemwrapHistoryProvider, and call it"
    " without with_session"
)


def methods(agent: Any) -> Methods | None:
    """Return how an agent is run; None for other objects.

    Raises:
        ConfigurationError: The agent remembers by other means.
    """
    if not (isinstance(agent, BaseAgent) and isinstance(agent, SupportsAgentRun)):
        return None
    refuse_second_memory(_other_memory(agent, {}))

    @wraps(agent.run)
    async def run(messages: Any, **options: Any) -> Any:
        _check(agent, messages, options)
        return await agent.run(messages, **options)

    @wraps(agent.run)
    async def run_streamed(messages: Any, **options: Any) -> AsyncGenerator[Any, None]:
        _check(agent, messages, options)
        async with agent.run(messages, stream=True, **options) as stream:
            async for update in stream:
                yield update
            yield await stream.get_final_response()  # _Told keeps it from the reader

    remember = {
        "run_once": Method(run, Kind.CALL, session_of=_named),
        "run_streamed": Method(run_streamed, Kind.STREAM, session_of=_named, show=_shown),
    }
    is_block = hasattr(type(agent), "__aenter__")
    return Methods("run_once", remember, {"run": _run} | (_BLOCK if is_block else {}))


def _run(remembering: Any, messages: Any = None, *, stream: bool = False, **options: Any) -> Any:
    """Run the agent, as the framework's own ``run`` does."""
    if isinstance(options.get("session"), AgentSession):
        way = f"pass session=<id>, or a session of memwrap's; {_PLUG}"
        refuse_second_memory({"session=AgentSession(...)": way})
    given = [] if messages is None else messages
    return (remembering.run_streamed if stream else remembering.run_once)(given, **options)


async def _enter(remembering: Any) -> Any:
    """Open the agent's tools; the block's agent is the remembering one."""
    await remembering.__wrapped__.__aenter__()
    return remembering


async def _leave(remembering: Any, *error: Any) -> None:
    await remembering.__wrapped__.__aexit__(*error)


_BLOCK: dict[str, Any] = {"__aenter__": _enter, "__aexit__": _leave}


def _check(agent: Any, messages: Sequence[Message], options: Mapping[str, Any]) -> None:
    """Refuse a run that would remember twice, or that the framework could not go on with."""
    refuse_second_memory(_other_memory(agent, options))
    if any(content.type == _APPROVAL for message in messages for content in message.contents):
        raise ConfigurationError(
            "the framework takes an approval only with the AgentSession that asked for it, which a"
            f" remembering agent has not: {_PLUG.removeprefix('or ')}, with that AgentSession"
        )


def _other_memory(agent: Any, options: Mapping[str, Any]) -> dict[str, str]:
    """Return what else would remember: providers of history, and ids of a service's own."""
    found: dict[str, str] = {}
    for provider in agent.context_providers:
        if isinstance(provider, HistoryProvider) and provider.load_messages:
            name = f"the history provider {type(provider).__name__}"
            found[name] = "take it out of context_providers, or call the agent without with_session"
    given = options.get("options")
    own = getattr(agent, "default_options", None)
    for place in (one for one in (own, given) if isinstance(one, Mapping)):
        if place.get("conversation_id") is not None:
            found["conversation_id in the options"] = "leave it out"
    return found


class _Told:
    """What the caller gets of a remembered stream: its updates, and the response at the end."""

    def __init__(self) -> None:
        self._response: AgentResponse[Any] | None = None

    def show(self, event: Any) -> Sequence[AgentResponseUpdate]:
        """Return an update; the response is kept from the reader."""
        if not isinstance(event, AgentResponse):
            return [event]
        self._response = event
        return event.to_updates() if is_replay(event) else []  # a new run has had its own

    def final(self, updates: Sequence[AgentResponseUpdate]) -> AgentResponse[Any]:
        """Return the response of the run; of one that was left early what its updates say."""
        return self._response or AgentResponse.from_updates(updates)


def _shown(events: AsyncGenerator[Any, None]) -> ResponseStream[Any, Any]:
    told = _Told()
    return ResponseStream(Shown(events, told.show), finalizer=told.final)
