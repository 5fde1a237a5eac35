"""How an agent of ADK's is run with memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import aclosing, closing
from functools import partial
from typing import Any

from google.adk.agents import BaseAgent
from google.adk.apps import App
from google.adk.events import Event, EventActions
from google.adk.runners import Runner

from memwrap.adapters.adk.convert import Quiet, from_items
from memwrap.adapters.adk.state import RunService, lasting
from memwrap.adapters.streams import Shown, shown_by
from memwrap.dialects import Kind, Method, Methods
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item
from memwrap.memory.repeats import note_replay

__all__ = ["methods"]

_APP = "memwrap"  # the name of the app that the agent is for the time of a call
_ID = "session"
_USER = "user"


def methods(agent: Any) -> Methods | None:
    """Return how an agent is run; None for other objects.

    Raises:
        ConfigurationError: It is a runner or an app, which have a session service of their own.
    """
    if isinstance(agent, (Runner, App)):
        raise ConfigurationError(
            f"a {type(agent).__name__} remembers by its runner's session service: pass"
            " with_session its agent, or keep it and give the runner"
            " session_service=memwrap.adapters.adk.MemwrapSessionService(store)"
        )
    if not isinstance(agent, BaseAgent):
        return None
    again: dict[str, Any] = {"rebuild": _again}
    remember = {
        "run_async": Method(
            _run_async(agent), Kind.STREAM, show=partial(Shown, show=_shown), **again
        ),
        "run": Method(
            _run(agent),
            Kind.SYNC_STREAM,
            instead="run_async",
            show=partial(shown_by, show=_shown),
            **again,
        ),
    }
    derived = {"run_live": _refuse_live}
    return Methods("run_async", remember, derived, copies=("clone",))


def _run_async(agent: BaseAgent) -> Callable[..., Any]:
    async def run_async(
        events: Sequence[Event],
        *,
        user_id: str = _USER,
        run_config: Any = None,
        state_delta: dict[str, Any] | None = None,
    ) -> AsyncGenerator[Event, None]:
        runner, options = _runner(agent, events, user_id, run_config, state_delta)
        for change in _changes(state_delta):
            yield change
        async with aclosing(runner.run_async(**options)) as told:
            async for event in told:
                yield event

    return run_async


def _run(agent: BaseAgent) -> Callable[..., Any]:
    def run(
        events: Sequence[Event],
        *,
        user_id: str = _USER,
        run_config: Any = None,
        state_delta: dict[str, Any] | None = None,
    ) -> Generator[Event, None, None]:
        runner, options = _runner(agent, events, user_id, run_config, state_delta)
        yield from _changes(state_delta)
        with closing(runner.run(**options)) as told:
            yield from told

    return run


def _runner(
    agent: BaseAgent, events: Sequence[Event], user_id: str, run_config: Any, state_delta: Any
) -> tuple[Runner, dict[str, Any]]:
    """Return a runner for one call, and the arguments of its methods."""
    *history, last = events
    service = RunService(_APP, user_id, _ID, history)
    runner = Runner(app_name=_APP, agent=agent, session_service=service)
    options = {"user_id": user_id, "session_id": _ID, "new_message": last.content}
    return runner, options | {"run_config": run_config, "state_delta": state_delta}


def _changes(state_delta: dict[str, Any] | None) -> list[Quiet]:
    """Return what the caller changes of the state, which the runner keeps with the input."""
    kept = lasting(state_delta or {})
    return [Quiet(author=_USER, actions=EventActions(state_delta=kept))] if kept else []


class Again(list[Event]):
    """The events that some items of a stored run are."""


def _again(items: Sequence[Item], type_name: str, values: Sequence[Any]) -> Again:  # noqa: ARG001
    """Return the events of a stored run that its caller was given."""
    told = (one for one in from_items(items) if one.author != _USER or one.content is not None)
    events = Again(told)
    for event in events:
        note_replay(event)
    return events


def _shown(event: Any) -> Sequence[Event]:
    if isinstance(event, Again):
        return event
    return [] if isinstance(event, Quiet) else [event]


def _refuse_live(remembering: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG001
    raise ConfigurationError(
        "run_live does not remember here: give a Runner the session service"
        " memwrap.adapters.adk.MemwrapSessionService(store), and call its run_live"
    )
