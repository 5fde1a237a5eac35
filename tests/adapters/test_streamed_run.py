"""Streamed runs of remembering agents: their parts, how they are stopped, and unread ones."""

import asyncio

import pytest
from agents import Agent, RunConfig, Runner, SessionSettings, function_tool
from agents.result import RunResultStreaming
from agents.testing import ScriptedModel, assistant_message, function_call

from memwrap import ConfigurationError, ConversionError, InMemorySession, with_session
from memwrap.adapters.openai_agents import StreamedRun
from memwrap.middleware import Memory


def agent_of(*answers, **options):
    model = ScriptedModel([[assistant_message(text)] for text in answers])
    return Agent(name="A", model=model, **options)


async def test_the_parts_of_the_result():
    """After the end a run has what the SDK's result has, and before it an error says when."""
    agent = with_session(agent_of("hello"))
    run = agent.run_streamed("hi", session=InMemorySession("s"))
    with pytest.raises(ConfigurationError, match="final_output is there when"):
        run.final_output  # noqa: B018
    with pytest.raises(ConfigurationError, match="to_state is there when"):
        run.to_state()
    assert not run.is_complete
    async for _ in run.stream_events():
        pass
    assert run.is_complete
    assert run.interruptions == run.input_guardrail_results == []
    assert run.last_agent.name == "A"
    assert run.new_items == run.result.new_items
    assert run.final_output == run.final_output_as(str) == "hello"
    assert len(run.to_input_list()) == 2
    assert run.context_wrapper.usage is not None
    assert run.to_state() is not None


def test_no_part_is_missing():
    """When the SDK's result gets a new part, this says so."""
    inner = {"run_loop_task", "run_loop_exception", "release_agents", "agent_tool_invocation"}
    inner |= {"ensure_sandbox_cleanup_on_completion"}
    theirs = set(vars(RunResultStreaming)) | set(RunResultStreaming.__dataclass_fields__)
    public = {name for name in theirs if not name.startswith("_")} - inner
    assert public <= set(dir(StreamedRun)) | {"result"}


@function_tool
async def slow() -> str:
    await asyncio.sleep(30)
    return "late"


@pytest.mark.parametrize("way", ["cancel", "aclose"])
async def test_another_task_stops_a_run(way):
    """The reader gets no more events, nothing is stored, and the next turn goes on."""
    model = ScriptedModel([[function_call("slow", {}, call_id="c1")], [assistant_message("bye")]])
    agent = with_session(
        Agent(name="A", model=model, tools=[slow]), middleware=[Memory(busy_timeout=3)]
    )
    session = InMemorySession("s")
    run = agent.run_streamed("hi", session=session)

    async def read():
        async for _ in run.stream_events():
            pass

    reader = asyncio.create_task(read())
    await asyncio.sleep(0.1)
    if way == "cancel":
        run.cancel()
    else:
        await run.aclose()
    await asyncio.wait([reader], timeout=3)
    assert reader.done()
    assert run.is_complete
    assert await session.get_items() == []
    assert (await agent.run("next", session=session)).final_output == "bye"


async def test_another_way_to_cancel_is_refused():
    """A run cannot be ended behind its turn, and the message names what can be done."""
    run = with_session(agent_of("x")).run_streamed("hi", session=None)
    with pytest.raises(ConfigurationError, match="after_turn.*keep_delivered"):
        run.cancel(mode="after_turn")
    await run.aclose()


async def test_an_unread_run_is_refused():
    """A run that is given back unread has no answer yet, and the question is not stored alone."""
    inner = agent_of("hello")

    @with_session
    async def agent(items):
        return Runner.run_streamed(inner, items)

    session = InMemorySession("s")
    with pytest.raises(ConversionError, match="nobody has read") as caught:
        await agent("hi", session=session)
    assert await session.get_items() == []
    caught.value.result.cancel()


@pytest.mark.parametrize(
    ("option", "way"),
    [
        ({"session_input_callback": lambda history, new: new}, "before_agent"),
        ({"session_settings": SessionSettings(limit=1)}, "limit="),
    ],
)
async def test_memory_options_of_the_config_are_refused(option, way):
    """What a config says of the runner's own session is never passed over."""
    agent = with_session(agent_of("a"), session=InMemorySession("s"))
    with pytest.raises(ConfigurationError, match=f"run_config.*{way}"):
        await agent.run("x", run_config=RunConfig(**option))
