"""A turn as a span of OpenTelemetry, printed."""

import asyncio

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from memwrap import InMemoryStore, with_session
from memwrap.middleware import Trace

exporter, tracers = InMemorySpanExporter(), TracerProvider()
tracers.add_span_processor(SimpleSpanProcessor(exporter))


@with_session(store=InMemoryStore(), middleware=[Trace(tracer_provider=tracers)])
async def agent(items):
    return f"I see {len(items)} items"


async def main():
    print(await agent("Hello", session="ada"))
    for span in exporter.get_finished_spans():
        print(span.name, span.attributes.get("gen_ai.conversation.id", ""))


asyncio.run(main())
