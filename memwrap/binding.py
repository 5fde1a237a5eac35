"""`on`: a remembering agent bound to a session, and to the id of one turn."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import copy, deepcopy
from types import MethodType
from typing import Any, NamedTuple

import wrapt

from memwrap.arguments import check_turn_id, refuse_turn_id_alone
from memwrap.copies import Again
from memwrap.exceptions import ConfigurationError
from memwrap.names import name_of
from memwrap.sessions.base import SessionLike
from memwrap.sessions.resolve import check_named

__all__ = ["Binding", "BoundAgain", "BoundProxy", "On", "bound"]


class Binding(NamedTuple):
    """What an agent is bound to.

    Attributes:
        session: A session, an id in the agent's store, or None for no memory.
        turn_id: The id of the one turn that the agent is bound to; None for any turn.
    """

    session: SessionLike
    turn_id: str | None = None

    def options(self, agent: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments by name of a call, with what the agent is bound to.

        Raises:
            ConfigurationError: The call names again what the agent is bound to.
        """
        bound = {"session": self.session}
        if self.turn_id is not None:
            bound["turn_id"] = self.turn_id
        if again := bound.keys() & kwargs.keys():
            name = min(again)
            raise ConfigurationError(
                f"{name_of(agent)} is bound by on(), and was given {name}= again: leave {name}="
                " out, or bind the agent anew with on(...)"
            )
        return kwargs | bound


class On:
    """The method `on` of a remembering agent, unless the agent has an `on` of its own."""

    def __get__(self, agent: Any, owner: Any = None) -> Callable[..., Any]:
        if agent is None:
            return on
        own: Callable[..., Any] | None = getattr(agent.__wrapped__, "on", None)
        return MethodType(on, agent) if own is None else own


def on(agent: Any, session: SessionLike, *, turn_id: str | None = None) -> Any:
    """Return the agent bound to a session, whose calls take neither argument any more.

    An agent that is bound already is bound anew.

    Args:
        agent: A remembering agent.
        session: A session, an id in the agent's store, or None for no memory.
        turn_id: The id of the one turn that the agent is for.

    Raises:
        ConfigurationError: *session* is no session, or *turn_id* no id or without a session.
    """
    plan = agent._self_plan  # noqa: SLF001
    check_named(session, plan.store)
    if turn_id is not None:
        check_turn_id(turn_id)
        if session is None and not plan.takes_turn_id:
            refuse_turn_id_alone(name_of(agent), turn_id)
    return bound(agent, Binding(session, turn_id))


def bound(agent: Any, binding: Binding) -> Any:
    """Return the remembering *agent* bound to what *binding* has."""
    return agent._self_bind(binding)  # noqa: SLF001  (an agent may have any other name itself)


class BoundProxy(wrapt.ObjectProxy[Any]):
    """A remembering function or method that is bound to a session."""

    on = on

    def __init__(self, agent: Any, binding: Binding) -> None:
        super().__init__(agent)
        self._self_binding = binding

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: D102
        agent: Any = self.__wrapped__
        return agent(*args, **self._self_binding.options(agent, kwargs))

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self.__wrapped__.__wrapped__)

    def _self_bind(self, binding: Binding) -> BoundProxy:
        return BoundProxy(self.__wrapped__, binding)

    def __copy__(self) -> BoundProxy:
        return BoundProxy(copy(self.__wrapped__), self._self_binding)

    def __deepcopy__(self, memo: dict[int, Any]) -> BoundProxy:
        return BoundProxy(deepcopy(self.__wrapped__, memo), self._self_binding)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return BoundProxy, (self.__wrapped__, self._self_binding)


class BoundAgain:
    """Another agent of the same kind, bound to the same session."""

    def __init__(self, again: Again, binding: Binding) -> None:
        self._again = again
        self._binding = binding

    def __call__(self, agent: Any, /) -> Any:
        """Return *agent* with memory, and bound."""
        return bound(self._again(agent), self._binding)

    def reduced(self, agent: Any) -> Any:
        """Return what pickle makes such an agent of."""
        make, arguments = self._again.reduced(agent)
        return _unpickled, (make, arguments, self._binding)


def _unpickled(make: Callable[..., Any], arguments: tuple[Any, ...], binding: Binding) -> Any:
    return bound(make(*arguments), binding)
