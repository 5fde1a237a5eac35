"""Runs of the SDK that are given again for the same turn id."""

from dataclasses import dataclass

import pytest
from agents import (
    Agent,
    AgentsException,
    Runner,
    RunResult,
    RunResultStreaming,
    function_tool,
    handoff,
    set_tracing_disabled,
)
from agents.agent import StopAtTools, ToolsToFinalOutputResult
from agents.testing import ScriptedModel, assistant_message, function_call
from pydantic import BaseModel

from memwrap import InMemorySession, is_replay, with_session
from memwrap.adapters import openai_agents

set_tracing_disabled(True)


class City(BaseModel):
    name: str


@dataclass
class Town:
    name: str


@function_tool
def weather(city: str) -> str:
    return f"sunny in {city}"


@function_tool
def place(city: str) -> dict:
    return {"city": city}


def model(*steps):
    return ScriptedModel([list(step) for step in steps])


WEATHER = function_call("weather", {"city": "Rome"}, call_id="c1")
BOTH = [WEATHER, function_call("weather", {"city": "Oslo"}, call_id="c2")]


def first(context, results):
    return ToolsToFinalOutputResult(is_final_output=True, final_output=results[0].output)


def agents():
    said = [assistant_message("Hello.")]
    told = [assistant_message("Sunny.")]
    yield "text", Agent("A", model=model(said)), "Hello."
    yield "tool", Agent("A", model=model([WEATHER], told), tools=[weather]), "Sunny."
    stop = {"tools": [weather], "tool_use_behavior": "stop_on_first_tool"}
    yield "stop", Agent("A", model=model(BOTH), **stop), "sunny in Rome"
    stop = {
        "tools": [weather, place],
        "tool_use_behavior": StopAtTools(stop_at_tool_names=["weather"]),
    }
    yield "stop at", Agent("A", model=model(BOTH), **stop), "sunny in Rome"
    stop = {"tools": [weather], "tool_use_behavior": first}
    yield "own end", Agent("A", model=model(BOTH), **stop), "sunny in Rome"
    rome = [assistant_message('{"name": "Rome"}')]
    yield "model", Agent("A", model=model(rome), output_type=City), City(name="Rome")
    town = [assistant_message('{"response": {"name": "Rome"}}')]
    yield "dataclass", Agent("A", model=model(town), output_type=Town), Town("Rome")
    numbers = [assistant_message('{"response": [1, 2]}')]
    yield "list", Agent("A", model=model(numbers), output_type=list[int]), [1, 2]


CASES = [name for name, _, _ in agents()]


def fresh(name):
    """Return an agent with a model of its own, and its output."""
    return next((agent, output) for known, agent, output in agents() if known == name)


def plain(result):
    return [item.to_input_item() for item in result.new_items]


def kinds(result):
    return [type(item) for item in result.new_items]


@pytest.mark.parametrize("name", CASES)
async def test_run(name):
    """The second call gives a result of the same type, output, items and last agent."""
    agent, output = fresh(name)
    remembering = with_session(agent)
    session = InMemorySession("s")
    result = await remembering.run("Hi", session=session, turn_id="t")
    again = await remembering.run("Hi", session=session, turn_id="t")
    assert is_replay(again)
    assert not is_replay(result)
    assert type(again) is RunResult
    assert result.final_output == again.final_output == output
    assert plain(again) == plain(result)
    assert kinds(again) == kinds(result)
    assert again.last_agent is agent
    assert again.final_output_as(type(output), raise_if_incorrect_type=True) == output
    assert again.to_input_list() == plain(result)
    assert again.interruptions == again.raw_responses == []


@pytest.mark.parametrize("name", CASES)
async def test_streamed(name):
    """A repeated stream has events of the items, and the parts of the SDK's result."""
    agent, output = fresh(name)
    remembering = with_session(agent)
    session = InMemorySession("s")
    told, runs = [], []
    for _ in range(2):
        run = remembering.run_streamed("Hi", session=session, turn_id="t")
        told.append(
            [
                (event.name, type(event.item), event.item.to_input_item())
                async for event in run.stream_events()
                if event.type == "run_item_stream_event"
            ]
        )
        runs.append(run)
    assert told[0] == told[1]
    assert runs[1].final_output == runs[0].final_output == output
    assert runs[1].is_complete
    assert isinstance(runs[1].result, RunResultStreaming)
    assert runs[1].current_agent is runs[1].last_agent is agent


@pytest.mark.parametrize("wrap", [lambda agent: agent, handoff])
async def test_handoff(wrap):
    """The last agent is the one that the run was handed to, and its output has its type."""
    rome = [assistant_message('{"name": "Rome"}')]
    second = Agent("Second", model=model(rome), output_type=City)
    transfer = function_call("transfer_to_second", {}, call_id="c1")
    triage = Agent("First", model=model([transfer]), handoffs=[wrap(second)])
    remembering = with_session(triage)
    session = InMemorySession("s")
    result = await remembering.run("Hi", session=session, turn_id="t")
    again = await remembering.run("Hi", session=session, turn_id="t")
    assert again.last_agent is result.last_agent is second
    assert again.final_output == City(name="Rome")
    assert kinds(again) == kinds(result)
    assert again.new_items[1].target_agent is second


@pytest.mark.parametrize("name", CASES)
async def test_function(name):
    """A function around the runner gives its result again, but for the agent."""
    agent, output = fresh(name)

    @with_session
    async def call(items):
        return await Runner.run(agent, items)

    session = InMemorySession("s")
    result = await call("Hi", session=session, turn_id="t")
    again = await call("Hi", session=session, turn_id="t")
    assert type(again) is RunResult
    assert plain(again) == plain(result)
    if name in {"list", "dataclass"}:  # only an agent knows that the SDK has wrapped it
        assert isinstance(again.final_output, str)
    else:
        assert again.final_output == output
    with pytest.raises(AgentsException):
        again.last_agent


async def test_changed_output():
    """What a layer changed in the items is changed in the output."""

    async def louder(turn, send, handler):
        def shout(kept):
            [item] = kept.new_items
            return kept._replace(
                new_items=[{**item, "content": [{**item["content"][0], "text": "HI"}]}]
            )

        turn.before_save.append(shout)
        await handler(turn, send)

    agent = Agent("A", model=model([assistant_message("Hello.")]))
    remembering = with_session(agent, middleware=[louder])
    session = InMemorySession("s")
    await remembering.run("Hi", session=session, turn_id="t")
    again = await remembering.run("Hi", session=session, turn_id="t")
    assert again.final_output == "HI"


def test_adapter_alone():
    """Other types are nobody's to rebuild, and have no parts."""
    assert openai_agents.rebuild([], "agents.items.ModelResponse", []) is None
    assert openai_agents.values_in("text") == []
