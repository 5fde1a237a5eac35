"""The ids of conversations in the spans of libraries that trace calls of models."""

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util.genai.handler import TelemetryHandler

from memwrap import with_session
from memwrap.middleware import Trace


async def test_spans_of_other_libraries_take_the_conversation(session):
    """A span of a call of a model, inside of a turn's, has the id of the turn's session."""
    exporter, tracers, meters = InMemorySpanExporter(), TracerProvider(), MeterProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    handler = TelemetryHandler(tracers, meters)

    async def agent(items):
        handler.inference("openai", request_model="small").stop()
        return "x"

    layer = Trace(tracer_provider=tracers, meter_provider=meters, agent_name="a")
    await with_session(agent, middleware=[layer])("x", session=session)
    handler.inference("openai", request_model="behind").stop()
    spans = {span.name: span for span in exporter.get_finished_spans()}
    inside, behind = spans["chat small"], spans["chat behind"]
    assert inside.parent.span_id == spans["invoke_agent a"].context.span_id
    assert inside.attributes["gen_ai.conversation.id"] == "s"
    assert "gen_ai.conversation.id" not in behind.attributes
