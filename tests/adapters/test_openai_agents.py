import asyncio
import json

import agents
import pytest
from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from agents.memory import OpenAIResponsesCompactionSession
from agents.realtime import RealtimeAgent
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call
from langchain_core.messages import AIMessage, HumanMessage

import memwrap
from memwrap import (
    ConfigurationError,
    ConversionError,
    InMemorySession,
    SQLiteSession,
    record,
    with_session,
)
from memwrap.adapters import chat, langchain, openai_agents, plain
from memwrap.items import repaired
from memwrap.middleware import Memory

set_tracing_disabled(True)

QUESTION = {"role": "user", "content": "Weather?"}
TURN_KINDS = [
    *("user", "function_call", "function_call", "function_call_output", "function_call_output"),
    "message",
]


@function_tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def asking(*cities):
    """Return the model's step that asks for the weather in these cities at once."""
    return [
        function_call("weather", {"city": city}, call_id=f"call_{city}", item_id=f"fc_{city}")
        for city in cities
    ]


def saying(text):
    return [assistant_message(text, item_id=f"msg_{text}")]


def sdk_agent(*steps, **options):
    steps = steps or (asking("Rome", "Oslo"), saying("Both sunny."), saying("Bye."))
    options.setdefault("name", "Weather")
    return Agent(model=ScriptedModel(steps), tools=[weather], **options)


def kinds(items):
    return [item.get("type") or item["role"] for item in items]


async def by_the_sdk(*steps, texts=("Weather?",), **options):
    """Return what the SDK itself stores for the same turns."""
    kept, agent = InMemorySession("sdk"), sdk_agent(*steps, **options)
    for text in texts:
        await Runner.run(agent, text, session=kept)
    return await kept.get_items()


# Agents that remember


async def test_run_remembers_over_three_turns(session):
    """A turn stores the same items as the SDK does, tool calls too, and the next is shown them."""
    agent = sdk_agent(asking("Rome", "Oslo"), saying("Sunny."), saying("Yes."), saying("Bye."))
    remembering = with_session(agent, session=session)
    results = [await remembering.run(text) for text in ("Weather?", "Sure?", "Bye.")]
    assert [result.final_output for result in results] == ["Sunny.", "Yes.", "Bye."]
    stored = await session.get_items()
    assert kinds(stored) == [*TURN_KINDS, "user", "message", "user", "message"]
    assert agent.model.last_call.input == stored[:-1]
    steps = (asking("Rome", "Oslo"), saying("Sunny."), saying("Yes."), saying("Bye."))
    assert stored == await by_the_sdk(*steps, texts=("Weather?", "Sure?", "Bye."))


async def test_call_is_run(session):
    """The agent itself may be called, with the session and the runner's options at the call."""
    seen = []

    def instructions(context, agent):
        seen.append(context.context)
        return "Be kind."

    remembering = with_session(sdk_agent(instructions=instructions))
    result = await remembering("Weather?", session=session, context="ada", max_turns=5)
    assert (result.final_output, set(seen)) == ("Both sunny.", {"ada"})
    assert kinds(await session.get_items()) == TURN_KINDS


def test_run_sync_remembers(session, thread_loop):
    """The synchronous run stores its turns and is shown them."""
    agent = sdk_agent()
    remembering = with_session(agent, session=session)
    assert remembering.run_sync("Weather?").final_output == "Both sunny."
    assert remembering.run_sync("Bye.").final_output == "Bye."
    stored = asyncio.run(session.get_items())
    assert kinds(stored) == [*TURN_KINDS, "user", "message"]
    assert agent.model.last_call.input == stored[:-1]


async def test_run_sync_in_a_running_loop_names_run(session):
    """In a running event loop the synchronous run is refused, and the way out is named."""
    with pytest.raises(ConfigurationError, match=r"\.run\("):
        with_session(sdk_agent()).run_sync("Weather?", session=session)


async def test_input_items(session):
    """Input may be items, which are stored as they are."""
    items = [{"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]}]
    agent = sdk_agent(saying("Sunny."))
    await with_session(agent)(items, session=session)
    assert agent.model.last_call.input == items
    assert (await session.get_items())[0] == items[0]


async def test_without_session_nothing_is_remembered():
    """Without a session the agent runs as it always did."""
    agent = sdk_agent(saying("One."), saying("Two."))
    remembering = with_session(agent)
    await remembering("first")
    await remembering("second", session=None)
    assert agent.model.last_call.input == [{"role": "user", "content": "second"}]


async def test_one_off_turn(session):
    """`memwrap.run` takes an agent of the SDK."""
    result = await memwrap.run(sdk_agent(), "Weather?", session=session)
    assert result.final_output == "Both sunny."
    assert kinds(await session.get_items()) == TURN_KINDS


async def test_failing_model_stores_nothing(session):
    """A model's exception arrives unchanged, and nothing of the turn is stored."""
    agent = sdk_agent(asking("Rome"), ModelStep.raise_error(ValueError("no model")))
    with pytest.raises(ValueError, match="no model"):
        await with_session(agent)("Weather?", session=session)
    assert await session.get_items() == []


async def test_handoff(session):
    """A handoff is stored as the SDK stores it, and the next agent is shown it."""

    def team():
        billing = sdk_agent(saying("Five euros."), name="Billing")
        hand = [function_call("transfer_to_billing", {}, call_id="call_1")]
        return billing, {"steps": (hand,), "name": "Support", "handoffs": [billing]}

    billing, options = team()
    remembering = with_session(sdk_agent(*options.pop("steps"), **options))
    result = await remembering("Charges?", session=session)
    assert (result.final_output, result.last_agent.name) == ("Five euros.", "Billing")
    stored = await session.get_items()
    assert kinds(stored) == ["user", "function_call", "function_call_output", "message"]
    assert billing.model.last_call.input == stored[:-1]
    _, options = team()
    assert stored == await by_the_sdk(*options.pop("steps"), texts=("Charges?",), **options)


async def test_approval_is_left_to_the_runner(session):
    """A run that waits for an approval stores no approval, and is not resumed here."""

    @function_tool(needs_approval=True)
    def delete(path: str) -> str:
        return "deleted"

    call = [function_call("delete", {"path": "x"}, call_id="call_1")]
    agent = Agent(name="Cleaner", model=ScriptedModel([call]), tools=[delete])
    remembering = with_session(agent, session=session)
    result = await remembering("Clean up.")
    assert kinds(await session.get_items()) == ["user", "function_call"]
    with pytest.raises(ConversionError, match=r"Runner\.run\(agent, state, session=session\)"):
        await remembering(result.to_state())
    assert len(await session.get_items()) == 2


@pytest.mark.parametrize("name", ["conversation_id", "previous_response_id"])
async def test_second_memory_is_refused(name, session):
    """Options that let the provider remember as well are refused, before the model is called."""
    agent = sdk_agent()
    remembering = with_session(agent, session=session)
    for call in (remembering, remembering.run):
        with pytest.raises(ConfigurationError, match=f"{name}="):
            await call("Weather?", **{name: "x"})
    with pytest.raises(ConfigurationError, match=f"{name}="):
        async for _ in remembering.run_streamed("Weather?", **{name: "x"}).stream_events():
            pass
    assert (agent.model.calls, await session.get_items()) == ((), [])


def test_second_memory_is_refused_synchronously(session):
    """The synchronous run refuses them too."""
    with pytest.raises(ConfigurationError, match="auto_previous_response_id="):
        with_session(sdk_agent()).run_sync(
            "Weather?", session=session, auto_previous_response_id=True
        )


async def test_agent_is_still_an_agent(session):
    """A remembering agent is an instance of its class and the runner takes it, without memory."""
    plain_agent = sdk_agent(saying("One."), saying("Two."))
    agent = with_session(plain_agent, session=session)
    assert isinstance(agent, Agent)
    assert (agent.name, agent.tools) == ("Weather", plain_agent.tools)
    assert (await Runner.run(agent, "Weather?")).final_output == "One."
    assert (await Runner.run(plain_agent, "Weather?")).final_output == "Two."
    assert await session.get_items() == []


def test_other_objects_of_the_sdk_are_no_agents():
    """Objects that the runner does not take are refused when they are wrapped."""
    for thing in (weather, RealtimeAgent(name="Voice")):
        assert openai_agents.methods(thing) is None
        with pytest.raises(ConfigurationError, match="cannot be called"):
            with_session(thing)


# Streams


async def test_stream_remembers(session):
    """A streamed run hands on the SDK's events and stores what a plain run stores."""
    agent = sdk_agent()
    remembering = with_session(agent, session=session)
    streamed = remembering.run_streamed("Weather?")
    with pytest.raises(ConfigurationError, match="has ended"):
        _ = streamed.final_output
    names = [event.type async for event in streamed.stream_events()]
    assert {"raw_response_event", "run_item_stream_event"} < set(names)
    assert streamed.final_output == streamed.result.final_output == "Both sunny."
    assert streamed.result.is_complete
    stored = await session.get_items()
    assert stored == await by_the_sdk()
    async for _ in remembering.run_streamed("Bye."):
        pass
    assert agent.model.last_call.input == [*stored, {"role": "user", "content": "Bye."}]


async def test_stream_hands_on_every_event(session):
    """The events are those that the SDK gives without memwrap, in their order."""
    streamed = with_session(sdk_agent()).run_streamed("Weather?", session=session)
    ours = [(event.type, getattr(event, "name", None)) async for event in streamed]
    alone = Runner.run_streamed(sdk_agent(), "Weather?")
    theirs = [(event.type, getattr(event, "name", None)) async for event in alone.stream_events()]
    assert ours == theirs


async def test_stream_left_early_stores_nothing(session):
    """A stream that is left is ended at once, stores nothing, and frees the session."""
    agent = sdk_agent()
    remembering = with_session(agent, session=session)
    streamed = remembering.run_streamed("Weather?")
    events = streamed.stream_events()
    async for _ in events:
        break
    await events.aclose()
    assert await session.get_items() == []
    with pytest.raises(ConfigurationError):
        _ = streamed.final_output
    async with asyncio.timeout(30):
        left = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*left, return_exceptions=True)
        assert len(agent.model.calls) < 2
        await remembering("Again?")
    assert kinds(await session.get_items())[0] == "user"


async def test_failing_stream_stores_nothing(session):
    """A model's exception arrives from the stream unchanged, and nothing is stored."""
    agent = sdk_agent(asking("Rome"), ModelStep.raise_error(ValueError("no model")))
    streamed = with_session(agent).run_streamed("Weather?", session=session)
    with pytest.raises(ValueError, match="no model"):
        async for _ in streamed.stream_events():
            pass
    assert await session.get_items() == []


# Functions that run agents


async def test_function_that_returns_a_result(session):
    """A plain function may run an agent and return its result or its items."""
    agent = sdk_agent()

    @with_session(session=session)
    async def result_of(items):
        return await Runner.run(agent, items)

    @with_session(session=session)
    async def items_of(items):
        return (await Runner.run(agent, items)).new_items

    await result_of("Weather?")
    assert await session.get_items() == await by_the_sdk()
    await items_of("Bye.")
    assert kinds(await session.get_items()) == [*TURN_KINDS, "user", "message"]
    assert agent.model.last_call.input == (await session.get_items())[:-1]


@pytest.mark.parametrize("with_result", [False, True])
async def test_function_that_yields_events(session, with_result):
    """The events of a stream are stored once, whether the result comes behind them or not."""

    @with_session(session=session)
    async def agent(items):
        result = Runner.run_streamed(sdk_agent(), items)
        async for event in result.stream_events():
            yield event
        if with_result:
            yield result

    async for _ in agent("Weather?"):
        pass
    assert await session.get_items() == await by_the_sdk()


async def test_function_with_the_dialect(session):
    """A function keeps its own way of being called with the SDK's adapter."""
    shown = []

    @with_session(adapter=openai_agents, session=session)
    async def agent(items):
        shown.append(items)
        result = await Runner.run(sdk_agent(saying("Sunny.")), items)
        record({"type": "reasoning", "id": "rs_1", "summary": []})
        return result

    await agent("Weather?")
    await agent("Again?")
    assert kinds(shown[1]) == ["user", "reasoning", "message", "user"]


# Items and results


async def test_results_become_items():
    """A result is its items, from an object of either kind of run and next to other items."""
    result = await Runner.run(sdk_agent(), "Weather?")
    streamed = Runner.run_streamed(sdk_agent(), "Weather?")
    events = [event async for event in streamed.stream_events()]
    expected = [item.to_input_item() for item in result.new_items]
    note = {"role": "developer", "content": "note"}
    for given in (result, streamed, [*events, streamed], events, result.new_items):
        assert openai_agents.to_items(given, role="assistant") == expected
    assert openai_agents.to_items([note, result, note]) == [note, *expected, note]
    assert plain.to_items(result, role="assistant") == expected
    assert chat.to_items(result, role="assistant") == expected
    raw = result.raw_responses[0].output
    assert openai_agents.to_items(raw, role="assistant") == expected[:2]


def test_round_trip_is_exact(unchanged):
    """Items go to the runner and come back as they are, `provider_data` included."""
    items = [QUESTION, {"type": "unheard_of", "provider_data": {"x": 1}}]
    assert unchanged(openai_agents.from_items, items) == items
    assert json.dumps(unchanged(openai_agents.to_items, items)) == json.dumps(items)
    assert openai_agents.to_items("Hi") == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize("adapter", [plain, chat, openai_agents])
def test_unknown_objects_of_the_sdk(adapter):
    """Objects of the SDK that hold no items are refused by name, whatever the dialect."""
    things = {"Agent": sdk_agent(), "FunctionTool": weather, "RunConfig": agents.RunConfig()}
    for name, thing in things.items():
        with pytest.raises(ConversionError, match=rf"{name},.*record\(\)"):
            adapter.to_items(thing, role="assistant")


@pytest.mark.parametrize("value", [None, 3, object()])
def test_unknown_result_names_type_and_ways_out(value):
    """An unknown result is refused by its type's name and the three ways out."""
    with pytest.raises(ConversionError) as caught:
        openai_agents.to_items([QUESTION, value], role="assistant")
    name = "None" if value is None else type(value).__name__
    for part in (f"gave {name},", "a string, an item", "with_session(adapter=", "record()"):
        assert part in str(caught.value)


# memwrap's sessions in the runner's own hands


@pytest.fixture(params=["in memory", "on file"])
def kept(request, tmp_path):
    if request.param == "in memory":
        return InMemorySession("weather")
    return SQLiteSession("weather", tmp_path / "chat.db")


async def test_session_in_run(kept):
    """The runner loads from and stores to memwrap's sessions as it does with its own."""
    theirs = agents.SQLiteSession("weather")
    for one in (kept, theirs):
        agent = sdk_agent()
        await Runner.run(agent, "Weather?", session=one)
        await Runner.run(agent, "Bye.", session=one)
        assert agent.model.last_call.input == (await one.get_items())[:-1]
    assert await kept.get_items() == await theirs.get_items()
    theirs.close()


async def test_session_in_run_streamed(kept):
    """A run streamed by the runner itself is stored as well."""
    streamed = Runner.run_streamed(sdk_agent(), "Weather?", session=kept)
    async for _ in streamed.stream_events():
        pass
    assert await kept.get_items() == await by_the_sdk()


def test_session_in_run_sync(kept, thread_loop):
    """The synchronous runner takes memwrap's sessions, and they serve other loops too."""
    assert Runner.run_sync(sdk_agent(), "Weather?", session=kept).final_output == "Both sunny."
    assert kinds(asyncio.run(kept.get_items())) == TURN_KINDS


async def test_session_settings_of_the_sdk(kept):
    """The SDK's settings limit what a run loads, from the session and from the run."""
    await kept.add_items([{"role": "user", "content": str(number)} for number in range(5)])
    kept.session_settings = agents.SessionSettings(limit=3)
    agent = sdk_agent(saying("One."), saying("Two."))
    await Runner.run(agent, "Hi", session=kept)
    assert [item["content"] for item in agent.model.last_call.input] == ["2", "3", "4", "Hi"]
    config = agents.RunConfig(session_settings=agents.SessionSettings(limit=1))
    await Runner.run(agent, "Hi", session=kept, run_config=config)
    assert len(agent.model.last_call.input) == 2


def test_session_is_one_by_the_sdk(kept):
    """Memwrap's sessions pass the SDK's own check of its protocol."""
    assert isinstance(kept, agents.Session)
    for name in ("run_compaction", "_get_items_with_generation", "wrapper"):
        assert not hasattr(kept, name)


SUMMARY = {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}
COMPACTED = {
    "id": "r",
    "object": "response.compaction",
    "created_at": 0,
    "output": [SUMMARY],
    "usage": {
        "input_tokens": 1,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 1,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 2,
    },
}


async def test_compaction_by_the_sdk(client, kept):
    """The SDK's compacting session replaces the items that memwrap keeps."""
    api = client(COMPACTED)
    compacting = OpenAIResponsesCompactionSession(
        "weather", kept, client=api, compaction_mode="input"
    )
    await Runner.run(sdk_agent(saying("Hello!")), "Hi", session=compacting)
    assert kinds(await kept.get_items()) == ["user", "message"]
    await compacting.run_compaction({"force": True})
    assert len(api.bodies[0]["input"]) == 2
    assert await kept.get_items() == [SUMMARY]


async def test_turns_ask_the_compacting_session(client, kept):
    """A turn asks the SDK's compacting session to compact, as the SDK's own runner does."""
    compacting = OpenAIResponsesCompactionSession(
        "weather", kept, client=client(COMPACTED), should_trigger_compaction=lambda _: True
    )
    result = await with_session(sdk_agent(saying("Hello!")))("Hi", session=compacting)
    assert result.final_output == "Hello!"
    assert await kept.get_items() == [SUMMARY]


async def test_both_ways_share_a_session(kept):
    """Turns by `with_session` and by the runner itself go on with one conversation."""
    agent = sdk_agent(saying("One."), saying("Two."), saying("Three."))
    await Runner.run(agent, "first", session=kept)
    await with_session(agent)("second", session=kept)
    await Runner.run(agent, "third", session=kept)
    assert len(agent.model.last_call.input) == 5
    assert await kept.get_items() == await by_the_sdk(
        saying("One."), saying("Two."), saying("Three."), texts=("first", "second", "third")
    )


# Files of either library

ODD = [
    {"role": "user", "content": "naïve 😀 \x00 \u2028 '; --"},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a":  1.0}'},
    {"type": "unheard_of", "big": 10**30, "deep": [None, True, {"x": [1.5]}]},
]


async def test_their_file_opens_here(tmp_path):
    """A file written by the SDK opens in memwrap, item by item, and goes on there."""
    path = tmp_path / "theirs.db"
    theirs = agents.SQLiteSession("weather", path)
    await Runner.run(sdk_agent(), "Weather?", session=theirs)
    await theirs.add_items(ODD)
    before = await theirs.get_items()
    theirs.close()
    ours = SQLiteSession("weather", path)
    assert repr(await ours.get_items()) == repr(before)
    agent = sdk_agent(saying("Bye."))
    await with_session(agent)("Bye.", session=ours)
    assert agent.model.last_call.input == repaired([*before, {"role": "user", "content": "Bye."}])
    assert await ours.pop_item() == saying("Bye.")[0].model_dump(exclude_unset=True)
    await ours.clear_session()
    theirs = agents.SQLiteSession("weather", path)
    assert await theirs.get_items() == []
    theirs.close()


async def test_our_file_opens_there(tmp_path):
    """A file written by memwrap opens in the SDK, item by item, and goes on there."""
    path = tmp_path / "ours.db"
    ours = SQLiteSession("weather", path)
    await with_session(sdk_agent())("Weather?", session=ours)
    await ours.add_items(ODD)
    before = await ours.get_items()
    theirs = agents.SQLiteSession("weather", path)
    assert repr(await theirs.get_items()) == repr(before)
    await Runner.run(sdk_agent(saying("Bye.")), "Bye.", session=theirs)
    assert len(await ours.get_items()) == len(before) + 2
    await theirs.pop_item()
    assert len(await ours.get_items()) == len(before) + 1
    await theirs.clear_session()
    assert await ours.get_items() == []
    theirs.close()


async def test_named_tables_are_shared(tmp_path):
    """Tables of other names are the same tables to both libraries."""
    tables = {"sessions_table": "my_sessions", "messages_table": "my_messages"}
    theirs = agents.SQLiteSession("weather", tmp_path / "chat.db", **tables)
    await theirs.add_items([QUESTION])
    ours = SQLiteSession("weather", tmp_path / "chat.db", **tables)
    assert await ours.get_items() == [QUESTION]
    assert await SQLiteSession("weather", tmp_path / "chat.db").get_items() == []
    theirs.close()


async def test_stream_left_early_keeps_what_was_delivered():
    """The text of a run that was left in the middle of its message can be kept."""
    session = InMemorySession("cut")
    keep = [Memory(on_stop="keep_delivered")]
    run = with_session(sdk_agent(), session=session, middleware=keep).run_streamed("Hello")
    async for event in run:
        if getattr(getattr(event, "data", None), "type", "") == "response.output_text.delta":
            delivered = event.data.delta
            break
    await run.aclose()
    kept = (await session.get_items())[-1]
    assert kept["content"][0]["text"] == delivered
    assert kept["status"] == "incomplete"


async def test_repeated_turn_gives_the_final_output_again():
    """A run under a known turn id is answered from the store, streamed or not."""
    agent = sdk_agent(saying("Once."))
    remembering = with_session(agent, session=InMemorySession("again"))
    first = await remembering.run("Hello", turn_id="t1")
    again = await remembering.run("Hello", turn_id="t1")
    assert again.final_output == first.final_output == "Once."
    assert again.new_items[-1].raw_item.role == "assistant"
    streamed = remembering.run_streamed("Hello", turn_id="t1")
    assert [event.name async for event in streamed] == ["message_output_created"]
    assert streamed.final_output == "Once."


@pytest.mark.parametrize("name", ["chat", "langchain", "memwrap"])
def test_own_data_is_left_out(name, unchanged):
    """The SDK gets its own provider data of an item, and none of memwrap's."""
    theirs = {"provider_data": {"model": "m"}}
    items = [QUESTION | {"provider_data": {name: {}}}, QUESTION | theirs]
    both = QUESTION | {"provider_data": theirs["provider_data"] | {name: {}}}
    assert unchanged(openai_agents.from_items, [*items, both]) == [QUESTION, items[1], items[1]]


async def test_conversation_of_langchain_goes_on(client, session):
    """An agent on Chat Completions takes what LangChain's messages, with ids, were stored as."""
    message = {"role": "assistant", "content": "Bye."}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    reply = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
    }
    openai = client(reply)
    await session.add_items(
        langchain.to_items([HumanMessage("Hi", id="1"), AIMessage("Hello", id="2")])
    )
    model = OpenAIChatCompletionsModel(model="m", openai_client=openai)
    agent = with_session(Agent(name="Guide", model=model), session=session)
    assert (await agent.run("And?")).final_output == "Bye."
    said = [(message["role"], message["content"]) for message in openai.bodies[0]["messages"]]
    assert said == [("user", "Hi"), ("assistant", "Hello"), ("user", "And?")]
