"""Trace turns with OpenTelemetry, by its conventions for generative AI."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from contextlib import suppress
from importlib import import_module
from time import monotonic, perf_counter
from typing import Any, TypeVar

from memwrap.exceptions import ConfigurationError
from memwrap.memory.layer import Memory
from memwrap.middleware.telling import content_of, histograms, tokens_of, type_of
from memwrap.names import name_of
from memwrap.turn import Handler, Send, Turn
from memwrap.usage import Counting, Usage

__all__ = ["SCHEMA_URL", "Trace"]

SCHEMA_URL = "https://opentelemetry.io/schemas/1.37.0"
"""The version of the conventions that names of spans, attributes and metrics are from."""

_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_API = ("opentelemetry.trace", "opentelemetry.metrics")  # whose own providers do nothing
_ASK_AGAIN = 0.1  # seconds: looking for a global provider costs more than the rest of the layer

R = TypeVar("R")


class Trace:
    """Make a span ``invoke_agent`` of each turn, with spans of loading and storing in it.

    The span has the session's id from its start, and so have the spans of other libraries in it
    that take it from OpenTelemetry's context. It tells tokens, and of an error its type, never
    its text. Metrics are durations and tokens. Without a provider the layer stands aside.

    Needs OpenTelemetry's interface: ``pip install 'memwrap[otel]'``.

    Args:
        tracer_provider: Where spans go; by default the global one.
        meter_provider: Where metrics go; by default the global one.
        agent_name: The name of the agent; by default that of the function or class.
        provider_name: Who runs the model, by its name in the conventions.
        content: Add input and answer as they are stored, after redactions. Also switched on by
            the environment variable ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT``.

    Raises:
        ConfigurationError: OpenTelemetry's interface is not installed.
    """

    inside_of = ()
    outside_of = (Memory,)

    def __init__(
        self,
        *,
        tracer_provider: Any = None,
        meter_provider: Any = None,
        agent_name: str | None = None,
        provider_name: str | None = None,
        content: bool = False,
    ) -> None:
        try:
            self._trace = import_module("opentelemetry.trace")
            self._metrics = import_module("opentelemetry.metrics")
            self._context = import_module("memwrap.middleware.ambient")
        except ImportError:
            raise ConfigurationError(
                "Trace needs OpenTelemetry's interface: pip install 'memwrap[otel]'"
            ) from None
        self._tracer_provider = tracer_provider
        self._meter_provider = meter_provider
        self.agent_name = agent_name
        self.provider_name = provider_name
        asked = os.environ.get(_CAPTURE, "").strip().lower()
        self.content = content or asked in {"true", "span_only", "span_and_event"}
        self._tracer = self._trace.get_tracer(
            "memwrap", tracer_provider=tracer_provider, schema_url=SCHEMA_URL
        )
        meter = self._metrics.get_meter(
            "memwrap", meter_provider=meter_provider, schema_url=SCHEMA_URL
        )
        self._duration, self._tokens = histograms(meter)
        self._idle_until = [0.0]

    def _is_idle(self) -> bool:
        """Tell whether nobody takes spans or metrics; if so, it is not asked again for a while."""
        tracers = self._tracer_provider or self._trace.get_tracer_provider()
        meters = self._meter_provider or self._metrics.get_meter_provider()
        if not all(type(found).__module__.startswith(_API) for found in (tracers, meters)):
            return False
        self._idle_until[0] = monotonic() + _ASK_AGAIN
        return True

    def __repr__(self) -> str:
        return f"Trace(agent_name={self.agent_name!r}, content={self.content})"

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn in its span."""
        if monotonic() < self._idle_until[0] or self._is_idle():
            await handler(turn, send)
            return
        counting = Counting(turn.run, send)
        name = self.agent_name or name_of(turn.run.agent)
        about = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": self.provider_name or "unknown",
            "gen_ai.agent.name": name,
        }
        known = {"gen_ai.conversation.id": turn.session_id} if turn.session_id else {}
        span = self._tracer.start_span(f"invoke_agent {name}", attributes=about | known)
        begun = perf_counter()
        turn.run.watch = self._watch
        with self._context.ambient(span, turn.session_id):
            try:
                await handler(turn, counting.send)
            except Exception as exc:
                about["error.type"] = type_of(exc)
                span.set_status(self._trace.StatusCode.ERROR)
                raise
            finally:
                with suppress(Exception):  # what cannot be told fails no turn
                    self._tell(turn, span, about, counting.whole, perf_counter() - begun)
                span.end()

    async def _watch(self, name: str, work: Awaitable[R]) -> R:
        """Await a part of a turn that belongs to memory, in a span of its own."""
        with self._tracer.start_as_current_span(
            f"memwrap.{name}", record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                return await work
            except Exception as exc:
                span.set_attribute("error.type", type_of(exc))
                span.set_status(self._trace.StatusCode.ERROR)
                raise

    def _tell(
        self, turn: Turn, span: Any, about: dict[str, str], usage: Usage | None, seconds: float
    ) -> None:
        if usage is not None and usage.model is not None:
            about["gen_ai.response.model"] = usage.model
        self._duration.record(seconds, about)
        for kind in ("input", "output") if usage is not None else ():
            tokens = getattr(usage, f"{kind}_tokens")
            self._tokens.record(tokens, about | {"gen_ai.token.type": kind})
        if not span.is_recording():
            return
        span.set_attributes(about | tokens_of(usage))
        if self.content:
            span.set_attributes(content_of(turn))
