"""What a turn leaves in OpenTelemetry: spans and metrics, with the ids that lead to each other."""

import asyncio
import json
import sys

import pytest
from opentelemetry import trace as api
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from support import CALL, OUTPUT, gathered

from memwrap import ConfigurationError, InMemorySession, StoreError, record, with_session
from memwrap.middleware import Log, Memory, Redact, Trace
from memwrap.middleware.trace import SCHEMA_URL
from memwrap.testing import FlakySession, LayerContract, ScriptedAgent

ANSWER = {
    "id": "resp_1",
    "object": "response",
    "model": "small-1",
    "output": [{"type": "message", "role": "assistant", "content": "hush"}],
    "usage": {
        "input_tokens": 10,
        "output_tokens": 5,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens_details": {"reasoning_tokens": 2},
    },
}


class Telemetry:
    def __init__(self):
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader])

    def layer(self, **options):
        return Trace(tracer_provider=self.tracers, meter_provider=self.meters, **options)

    def spans(self):
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def metrics(self):
        data = self.reader.get_metrics_data()
        scopes = [scope for one in data.resource_metrics for scope in one.scope_metrics]
        assert {scope.scope.schema_url for scope in scopes} == {SCHEMA_URL}
        return {
            metric.name: [(point.sum, dict(point.attributes)) for point in metric.data.data_points]
            for scope in scopes
            for metric in scope.metrics
        }


@pytest.fixture
def telemetry():
    return Telemetry()


async def test_span_of_a_turn(telemetry, session):
    """A turn is a span by the conventions, with children for loading and storing."""
    layer = telemetry.layer(agent_name="helper", provider_name="acme")
    await with_session(ScriptedAgent(ANSWER), middleware=[layer])("hush", session=session)
    spans = telemetry.spans()
    span = spans["invoke_agent helper"]
    assert span.kind is api.SpanKind.INTERNAL
    assert span.instrumentation_scope.schema_url == SCHEMA_URL
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "acme",
        "gen_ai.agent.name": "helper",
        "gen_ai.conversation.id": "s",
        "gen_ai.response.model": "small-1",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.cache_creation.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 2,
    }
    for name in ("memwrap.load", "memwrap.commit"):
        assert spans[name].parent.span_id == span.context.span_id
    assert "hush" not in str([one.to_json() for one in spans.values()])


async def test_conversation_is_known_at_the_start(telemetry, session):
    """Samplers and processors see the conversation when the span begins."""
    begun = []

    class Look(SpanProcessor):
        def on_start(self, span, parent_context=None):
            begun.append(dict(span.attributes))

    telemetry.tracers.add_span_processor(Look())
    await with_session(ScriptedAgent("x"), middleware=[telemetry.layer()])("x", session=session)
    assert begun[0]["gen_ai.conversation.id"] == "s"
    assert begun[0]["gen_ai.agent.name"] == "ScriptedAgent"
    assert begun[0]["gen_ai.provider.name"] == "unknown"


async def test_spans_inside(telemetry, session):
    """Spans of the agent are children of the turn's, and nothing is current behind it."""

    async def agent(items):
        with api.get_tracer("mine", tracer_provider=telemetry.tracers).start_span("mine"):
            return "x"

    await with_session(agent, middleware=[telemetry.layer(agent_name="a")])("x", session=session)
    spans = telemetry.spans()
    assert spans["mine"].parent.span_id == spans["invoke_agent a"].context.span_id
    assert api.get_current_span() is api.INVALID_SPAN


def test_spans_inside_of_plain_functions(telemetry):
    """The thread of a plain function is in the span too."""

    def agent(items):
        with api.get_tracer("mine", tracer_provider=telemetry.tracers).start_span("mine"):
            return "x"

    session = InMemorySession("s")
    with_session(agent, middleware=[telemetry.layer(agent_name="a")])("x", session=session)
    spans = telemetry.spans()
    assert spans["mine"].parent.span_id == spans["invoke_agent a"].context.span_id


async def test_metrics(telemetry, session):
    """Durations and tokens of turns are metrics, without the ids of conversations."""
    layer = telemetry.layer(agent_name="a")
    error = ValueError("hush")
    agent = with_session(ScriptedAgent(ANSWER, error), middleware=[layer])
    await agent("x", session=session)
    with pytest.raises(ValueError):
        await agent("x", session=session)
    metrics = telemetry.metrics()
    about = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "unknown",
        "gen_ai.agent.name": "a",
    }
    durations = [attributes for _, attributes in metrics["gen_ai.invoke_agent.duration"]]
    model = {"gen_ai.response.model": "small-1"}
    assert durations == [about | model, about | {"error.type": "ValueError"}]
    tokens = {
        attributes["gen_ai.token.type"]: total
        for total, attributes in metrics["gen_ai.client.token.usage"]
    }
    assert tokens == {"input": 10, "output": 5}


async def test_errors(telemetry, session):
    """An error is told by its type; its text is nowhere."""
    error = StoreError("hush")
    agent = with_session(ScriptedAgent(error), middleware=[telemetry.layer(agent_name="a")])
    with pytest.raises(StoreError) as caught:
        await agent("x", session=session)
    assert caught.value is error
    span = telemetry.spans()["invoke_agent a"]
    assert span.attributes["error.type"] == "memwrap.exceptions.StoreError"
    assert span.status.status_code is api.StatusCode.ERROR
    assert "hush" not in span.to_json()


async def test_errors_of_the_store(telemetry):
    """A load that fails is told by its own span too."""
    session = FlakySession()
    session.fail("get_items", OSError("hush"), times=9)
    agent = with_session(ScriptedAgent("x"), middleware=[telemetry.layer(agent_name="a")])
    with pytest.raises(StoreError):
        await agent("x", session=session)
    spans = telemetry.spans()
    assert spans["memwrap.load"].attributes["error.type"].endswith("StoreError")
    assert "hush" not in spans["memwrap.load"].to_json()


async def test_streams(telemetry, session):
    """A stream is one span to its end, or until it is left, which is no error."""
    script = ScriptedAgent(["a", ANSWER], ["a", "b"])
    stream = with_session(script.stream, middleware=[telemetry.layer(agent_name="a")])
    await gathered(stream("x", session=session))
    assert telemetry.spans()["invoke_agent a"].attributes["gen_ai.usage.input_tokens"] == 10
    telemetry.exporter.clear()
    left = stream("y", session=session)
    await anext(left)
    await left.aclose()
    (span,) = [s for s in telemetry.exporter.get_finished_spans() if "invoke" in s.name]
    assert span.status.status_code is api.StatusCode.UNSET
    assert "error.type" not in span.attributes


@pytest.mark.parametrize("switch", ["option", "true", "span_only", "SPAN_AND_EVENT"])
async def test_content(telemetry, session, monkeypatch, switch):
    """Content is added when it is asked for, as it is stored."""
    if switch != "option":
        monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", switch)
    layer = telemetry.layer(agent_name="a", content=switch == "option")

    async def agent(items):
        record([CALL, OUTPUT])
        return "my key is sk-2"

    await with_session(agent, middleware=[layer, Redact(r"sk-\d", agent=False)])(
        "sk-1", session=session
    )
    attributes = telemetry.spans()["invoke_agent a"].attributes
    assert json.loads(attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "[REDACTED]"}]}
    ]
    call, output, answer = json.loads(attributes["gen_ai.output.messages"])
    assert call["parts"][0]["type"] == "tool_call"
    assert output["parts"][0] == {"type": "tool_call_response", "id": "c", "response": "done"}
    assert answer["parts"][0]["content"] == "my key is [REDACTED]"


@pytest.mark.parametrize("value", ["", "false", "no_content", "event_only"])
async def test_no_content(telemetry, session, monkeypatch, value):
    """By default, and for other values of the variable, there is no content."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", value)
    agent = with_session(ScriptedAgent("hush"), middleware=[telemetry.layer(agent_name="a")])
    await agent("hush", session=session)
    assert "hush" not in telemetry.spans()["invoke_agent a"].to_json()


async def test_without_a_session(telemetry):
    """A turn without a session has a span without a conversation: none is made up."""
    agent = with_session(ScriptedAgent("x"), middleware=[telemetry.layer(agent_name="a")])
    await agent("x", session=None)
    assert "gen_ai.conversation.id" not in telemetry.spans()["invoke_agent a"].attributes


async def test_turns_at_once(telemetry):
    """Turns that run at once have spans of their own."""
    agent = with_session(ScriptedAgent(*"abc"), middleware=[telemetry.layer(agent_name="a")])
    await asyncio.gather(*(agent("x", session=InMemorySession(name)) for name in "123"))
    roots = [s for s in telemetry.exporter.get_finished_spans() if s.name == "invoke_agent a"]
    assert sorted(span.attributes["gen_ai.conversation.id"] for span in roots) == ["1", "2", "3"]
    assert all(span.parent is None for span in roots)


@pytest.mark.parametrize("test", [name for name in dir(LayerContract) if name.startswith("test_")])
def test_contract_with_providers(test):
    """The layer keeps the contract of layers while it traces."""

    class Contract(LayerContract):
        def layer(self):
            return Telemetry().layer()

    getattr(Contract(), test)()


def test_wrong_place_is_refused():
    """Behind memory there would be nothing to tell of loading and storing."""
    with pytest.raises(ConfigurationError, match="put Trace before Memory"):
        with_session(ScriptedAgent(), middleware=[Log(), Memory(), Trace()])


def test_missing_library_is_named(monkeypatch):
    """Without OpenTelemetry's interface the error names the extra."""
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with pytest.raises(ConfigurationError, match=r"memwrap\[otel\]"):
        Trace()
