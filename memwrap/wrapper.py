"""What `with_session` returns: it looks like the agent, takes ``session=``, and remembers.

Functions, methods and callable objects become a wrapt function wrapper. Agent objects become a
proxy on which the methods that their adapter names are such wrappers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import wrapt

from memwrap.binding import Binding, BoundAgain, BoundProxy, On, bound
from memwrap.context import UNSET
from memwrap.copies import Again, Copied, CopiedMethod, again_of
from memwrap.dialects import Kind, Method, Methods
from memwrap.exceptions import ConfigurationError
from memwrap.names import name_of
from memwrap.plan import Plan

__all__ = ["AgentProxy", "SessionWrapper", "is_wrapped", "main_call", "proxy_of"]


class _Signature:
    """Shows the agent's signature with ``session`` in it."""

    @property
    def __signature__(self) -> inspect.Signature:
        signature = inspect.signature(self.__wrapped__)  # type: ignore[attr-defined]
        parameters = list(signature.parameters.values())
        if any(parameter.name == "session" for parameter in parameters):
            return signature
        session = inspect.Parameter("session", inspect.Parameter.KEYWORD_ONLY, default=UNSET)
        variable = bool(parameters) and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD
        parameters.insert(len(parameters) - variable, session)
        return signature.replace(parameters=parameters)

    @property
    def __func__(self) -> Any:
        # inspect takes a method's kind and signature from here, and drops `self` from it
        function = self.__wrapped__.__func__  # type: ignore[attr-defined]
        return SessionWrapper(function, self._self_plan, self._self_again)  # type: ignore[attr-defined]


class _BoundWrapper(CopiedMethod, _Signature, wrapt.BoundFunctionWrapper[..., Any]):
    """A remembering method of an object."""

    on = On()

    def _self_bind(self, binding: Binding) -> BoundProxy:
        return BoundProxy(self, binding)


class SessionWrapper(Copied, _Signature, wrapt.FunctionWrapper[..., Any]):
    """A remembering function."""

    __bound_function_wrapper__ = _BoundWrapper
    on = On()

    def __init__(self, agent: Any, plan: Plan, again: Again) -> None:
        super().__init__(agent, plan.start)
        self._self_plan = plan
        self._self_again = again

    def _self_bind(self, binding: Binding) -> BoundProxy:
        if self._self_plan.is_method:
            # Without its object: a class method below @classmethod, from Python 3.13 on.
            name = name_of(self)
            raise ConfigurationError(
                f"{name}: on() needs the object or class that the method belongs to; of a class"
                " method Python hides it below @classmethod: write @with_session above that"
            )
        return BoundProxy(self, binding)


class AgentProxy(Copied, wrapt.ObjectProxy[Any]):
    """An agent object, some of whose methods remember."""

    on = On()

    def __init__(
        self,
        agent: Any,
        main: str,
        remembering: Mapping[str, SessionWrapper | BoundProxy],
        again: Again | None = None,
    ) -> None:
        super().__init__(agent)
        self._self_main = main
        self._self_remembering = remembering
        self._self_again = again

    @property
    def _self_plan(self) -> Any:
        return self._self_remembering[self._self_main]._self_plan  # noqa: SLF001

    def _self_bind(self, binding: Binding) -> AgentProxy:
        methods = {name: bound(way, binding) for name, way in self._self_remembering.items()}
        again = BoundAgain(again_of(self), binding)
        return type(self)(self.__wrapped__, self._self_main, methods, again)


def proxy_of(
    agent: Any, methods: Methods, remember: Callable[[Method], SessionWrapper], again: Again
) -> AgentProxy:
    """Return *agent* as a proxy on which the adapter's methods remember."""

    def remembering(name: str) -> property:
        return property(lambda proxy: proxy._self_remembering[name])  # noqa: SLF001

    def copying(name: str) -> Callable[..., Any]:
        def method(proxy: AgentProxy, *args: Any, **kwargs: Any) -> Any:
            made = getattr(proxy.__wrapped__, name)(*args, **kwargs)
            return again_of(proxy)(made)

        original = getattr(type(agent), name, None)
        return method if original is None else wraps(original)(method)

    members = {name: remembering(name) for name in methods.remember} | dict(methods.derived)
    members |= {name: copying(name) for name in methods.copies}
    kind: type[AgentProxy] = type("AgentProxy", (AgentProxy,), members)
    wrapped = {name: remember(method) for name, method in methods.remember.items()}
    return kind(agent, methods.main, wrapped, again)


def main_call(agent: Any) -> tuple[Any, Kind]:
    """Return the callable that `memwrap.run` uses for a remembering agent, and its `Kind`."""
    if issubclass(type(agent), AgentProxy):
        agent = agent._self_remembering[agent._self_main]  # noqa: SLF001
    plan: Plan = agent._self_plan  # noqa: SLF001
    return agent, plan.method.kind


def is_wrapped(agent: object) -> bool:
    """Tell whether *agent* came out of `with_session` (``isinstance`` sees through proxies)."""
    return issubclass(type(agent), (SessionWrapper, _BoundWrapper, BoundProxy, AgentProxy))
