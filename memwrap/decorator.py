"""`with_session`: find the adapter and the layers of an agent, and wrap it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Unpack, overload

from memwrap.arguments import Arguments
from memwrap.chain import build_chain, check_order, check_positions, place_of
from memwrap.context import UNSET, MaybeSession
from memwrap.dialects import Adapter, Method, adapter_for, default_adapter, methods_of
from memwrap.endpoint import endpoint_for
from memwrap.exceptions import ConfigurationError
from memwrap.kinds import kind_of
from memwrap.memory.layer import Memory
from memwrap.names import name_of
from memwrap.options import Options
from memwrap.plan import Find, Plan
from memwrap.sessions.base import StoreLike
from memwrap.sessions.resolve import check_named, check_store
from memwrap.sessions.urls import store_of
from memwrap.tasks import call_named
from memwrap.turn import Middleware
from memwrap.window import windows_of
from memwrap.wrapper import SessionWrapper, is_wrapped, proxy_of

if TYPE_CHECKING:
    from typing import Concatenate

    from memwrap import signatures_of_objects as kinds
    from memwrap import signatures_of_runs as runs
    from memwrap.signatures import A, Decorator, P, R, S, SessionAgent, SessionMethod
    from memwrap.signatures_of_workflows import SessionStepwise, Stepwise

__all__ = ["with_session"]

_POSITIONAL = {
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
}


# The checker cannot tell a list of messages from any S; the first match is the right one.
@overload
def with_session(
    agent: runs.Conversing[R], /, **options: Unpack[Options]
) -> runs.SessionConversing[R]: ...
@overload
def with_session(  # type: ignore[overload-overlap]
    agent: Callable[Concatenate[list[Any], P], R], /, **options: Unpack[Options]
) -> SessionAgent[P, R]: ...
@overload
def with_session(
    agent: Callable[Concatenate[S, list[Any], P], R], /, **options: Unpack[Options]
) -> SessionMethod[S, P, R]: ...
@overload
def with_session(agent: kinds.Delegate, /, **options: Unpack[Options]) -> kinds.SessionDelegate: ...
@overload
def with_session(agent: kinds.Stateful, /, **options: Unpack[Options]) -> kinds.SessionStateful: ...
@overload
def with_session(agent: runs.Provided, /, **options: Unpack[Options]) -> runs.SessionProvided: ...
@overload
def with_session(
    agent: kinds.Prompted[R, S, kinds.E_co, kinds.I_co], /, **options: Unpack[Options]
) -> kinds.SessionPrompted[R, S, kinds.E_co, kinds.I_co]: ...
@overload
def with_session(agent: Stepwise, /, **options: Unpack[Options]) -> SessionStepwise: ...
@overload
def with_session(agent: A, /, **options: Unpack[Options]) -> A: ...
@overload
def with_session(**options: Unpack[Options]) -> Decorator: ...
def with_session(
    agent: Any = UNSET,
    /,
    *,
    session: MaybeSession = UNSET,
    store: StoreLike | None = None,
    key: str | None = None,
    adapter: Adapter | None = None,
    middleware: Sequence[Middleware] = (),
) -> Any:
    """Let an agent remember its conversation.

    The agent's first argument becomes history + input, in the agent's dialect. Callers pass the
    new input there, and may add ``session=``: a session, an id in the store, or None for no
    memory this time; and ``turn_id=``: a call with the id and input of a stored turn gets its
    answer again, without the agent being called. What the agent returns or yields is stored
    together with the input when it has ended well. The method `on` of the agent that is returned
    binds it to a session, and to a turn id: ``agent.on(session, turn_id=...)``.

    Args:
        agent: An async function or generator function, a function or generator function, a
            method, a callable object, a ``functools.partial``, or an agent object of a framework
            that memwrap knows. Without it, `with_session` returns a decorator.
        session: The session of every call that names none and has none around it.
        store: Where ids become sessions: a store, the URL of one, or a function from id to
            session.
        key: The agent's parameter that holds the id of the session; for an agent object, a name
            that its adapter looks up, such as one in a config.
        adapter: Converts the agent's messages to items and back; by default the adapter of the
            agent's type.
        middleware: The layers around the agent, the first outermost. Unless they hold a
            `Memory`, one is put around them all, save those that have to stand outside of it.

    Returns:
        The agent, as it was, with memory.

    Raises:
        ConfigurationError: The agent cannot be called, or an option is not what it should be.
    """
    store = store_of(store)
    if agent is UNSET:
        return functools.partial(
            with_session,
            **_given(session=session),
            store=store,
            key=key,
            adapter=adapter,
            middleware=middleware,
        )
    _check(agent, store, adapter)
    if session is not UNSET:
        check_named(session, store)  # now rather than at the first call
    found = adapter if adapter is not None else adapter_for(agent) or default_adapter()
    if not isinstance(middleware, Sequence) or isinstance(middleware, str):
        raise ConfigurationError(
            "middleware is a list of layers; put a single one into brackets, as in"
            f" middleware=[{name_of(middleware)}]"
        )
    again = _Again(session=session, store=store, key=key, adapter=adapter, middleware=middleware)
    layers = list(middleware)
    if not any(isinstance(layer, Memory) for layer in layers):
        layers.insert(place_of(Memory, layers), Memory())
    memories = [place for place, layer in enumerate(layers) if isinstance(layer, Memory)]
    check_positions(layers, memories)
    check_order(layers)
    windows = windows_of(layers[memories[0] :])

    def remember(method: Method, *, is_function: bool = False) -> SessionWrapper:
        parameters = _parameters(method.call)
        return SessionWrapper(
            method.call,
            Plan(
                method=method,
                streaming=method.kind.is_stream,
                handler=build_chain(layers, endpoint_for(method.kind)),
                adapter=found,
                session=session,
                store=store,
                key=None if key is None else _key(key, parameters, method),
                input_name=next(iter(parameters), None),
                is_method=_is_method(method.call),
                takes_session=is_function and "session" in parameters,
                takes_turn_id=is_function and "turn_id" in parameters,
                session_place=_place("session", parameters) if is_function else None,
                windows=windows,
                arguments=Arguments.of(parameters) if is_function else None,
                call=call_named(name_of(method.call)),
            ),
            again,
        )

    methods = methods_of(found, agent)
    if methods is None:
        return remember(Method(agent, kind_of(agent)), is_function=True)
    return proxy_of(agent, methods, remember, again)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not UNSET}


class _Again:
    """`with_session` with given options, for copies of an agent."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def __call__(self, agent: Any, /) -> Any:
        return with_session(agent, **_given(**self._options))

    def reduced(self, agent: Any) -> Any:
        """Return what pickle makes such an agent of: modules go by their name."""
        options = _given(**self._options)
        adapter = options.pop("adapter")
        name = adapter.__name__ if isinstance(adapter, ModuleType) else None
        return _unpickled, (agent, options, name or adapter)


def _unpickled(agent: Any, options: dict[str, Any], adapter: Any) -> Any:
    found: Any = import_module(adapter) if isinstance(adapter, str) else adapter
    return with_session(agent, **options, adapter=found)


def _check(agent: Any, store: Any, adapter: Any) -> None:
    if is_wrapped(agent):
        raise ConfigurationError(
            f"{name_of(agent)} remembers already; wrapped twice, it would store twice"
        )
    if isinstance(agent, type):
        raise ConfigurationError(
            f"with_session wraps agents, and {agent.__name__} is a class; wrap an instance of it"
        )
    check_store(store)
    for name in ("to_items", "from_items") if adapter is not None else ():
        if not callable(getattr(adapter, name, None)):
            raise ConfigurationError(
                f"adapter has no {name}(); it is a module such as memwrap.adapters.chat, or an"
                " object with to_items and from_items"
            )


def _parameters(agent: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters, without ``self`` or ``cls``, from the input on."""
    function = agent.__func__ if isinstance(agent, (classmethod, staticmethod)) else agent
    try:
        parameters = dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some built-in functions have none
        return {}
    if isinstance(agent, classmethod) or _is_method(function):
        parameters.pop(next(iter(parameters), ""), None)
    if not any(parameter.kind in _POSITIONAL for parameter in parameters.values()):
        raise ConfigurationError(
            f"{name_of(agent)} takes no argument; an agent's first one receives the messages,"
            " history and input"
        )
    return parameters


def _is_method(function: Any) -> bool:
    """Tell whether *function* is defined in a class body and not bound yet."""
    if not inspect.isfunction(function):
        return False
    return next(iter(inspect.signature(function).parameters), None) in {"self", "cls"}


def _key(key: str, parameters: dict[str, inspect.Parameter], method: Method) -> tuple[str, Find]:
    """Return the key, and a function that finds its value in the caller's arguments."""
    if method.session_of is not None:
        return key, functools.partial(method.session_of, key)
    kinds = {parameter.kind for parameter in parameters.values()}
    if key not in parameters and inspect.Parameter.VAR_KEYWORD not in kinds:
        raise ConfigurationError(
            f"key={key!r}: {name_of(method.call)} has no such parameter; name the one that holds"
            " the session's id"
        )
    if key == next(iter(parameters), None):
        raise ConfigurationError(
            f"key={key!r} is the parameter of the input of {name_of(method.call)}; name the one"
            " that holds the session's id"
        )
    place = _place(key, parameters)

    def find(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if key in kwargs:
            return kwargs[key]
        return args[place] if place is not None and place < len(args) else UNSET

    return key, find


def _place(name: str, parameters: dict[str, inspect.Parameter]) -> int | None:
    """Return the parameter's index among the arguments after the input; None if it has none."""
    parameter = parameters.get(name)
    if parameter is None or parameter.kind is inspect.Parameter.KEYWORD_ONLY:
        return None
    return list(parameters).index(name) - 1
