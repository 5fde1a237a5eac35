"""Input that a guardrail of the Agents SDK refuses is not kept."""

import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    InputGuardrailTripwireTriggered,
    OutputGuardrail,
    OutputGuardrailTripwireTriggered,
    Runner,
    set_tracing_disabled,
)
from agents.testing import ModelStep, ScriptedModel, assistant_message

from memwrap import InMemorySession, with_session
from memwrap.adapters import plain
from memwrap.dialects import refuses_input
from memwrap.middleware import Memory

set_tracing_disabled(True)

KEEP = [Memory(on_error="keep_input")]
GOOD = {"role": "user", "content": "good"}


async def _judged(context, agent, value):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="bad" in str(value))


def guarded(*steps, is_input=True):
    model = ScriptedModel(steps or ([assistant_message("Yes.")], [assistant_message("Yes.")]))
    if is_input:
        return Agent(name="a", model=model, input_guardrails=[InputGuardrail(_judged)])
    return Agent(name="a", model=model, output_guardrails=[OutputGuardrail(_judged)])


async def runs(agent, text, session):
    await with_session(agent, session=session, middleware=KEEP).run(text)


async def streams(agent, text, session):
    stream = with_session(agent, session=session, middleware=KEEP).run_streamed(text)
    async for _ in stream.stream_events():
        pass


async def runs_in_a_function(agent, text, session):
    @with_session(session=session, middleware=KEEP)
    async def function(items):
        return await Runner.run(agent, items)

    await function(text)


WAYS = pytest.mark.parametrize("ask", [runs, streams, runs_in_a_function])


@WAYS
async def test_refused_input_is_not_kept(ask):
    """What a guardrail refused is in no later turn, and the error reaches the caller."""
    session = InMemorySession("s")
    with pytest.raises(InputGuardrailTripwireTriggered):
        await ask(guarded(), "bad", session)
    assert await session.get_items() == []
    await ask(guarded(), "good", session)
    assert (await session.get_items())[0] == GOOD


@WAYS
async def test_input_of_other_failures_is_kept(ask):
    """An answer that a guardrail refused, and a model that fails, leave the question."""
    session = InMemorySession("s")
    with pytest.raises(OutputGuardrailTripwireTriggered):
        await ask(guarded([assistant_message("bad")], is_input=False), "good", session)
    assert (await session.get_items())[0] == GOOD
    session = InMemorySession("s")
    with pytest.raises(ValueError, match="no model"):
        await ask(guarded(ModelStep.raise_error(ValueError("no model"))), "good", session)
    assert await session.get_items() == [GOOD]


def test_errors_of_agents_refuse_nothing():
    """An error that no framework defines says nothing of the input."""
    assert not refuses_input(ValueError("bad"))
    assert not hasattr(plain, "refuses_input")
