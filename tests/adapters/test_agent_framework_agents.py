import asyncio

import pytest
from agent_framework import (
    Agent,
    AgentResponse,
    AgentResponseUpdate,
    AgentSession,
    BaseAgent,
    Content,
    ContextProvider,
    InMemoryHistoryProvider,
    Message,
    ResponseStream,
    tool,
)
from corpus.agent_framework import thought
from corpus.agent_framework_model import ScriptedClient, agent_of, asking, shown, weather
from pydantic import BaseModel

import memwrap
from memwrap import ConfigurationError, InMemorySession, is_replay, record, with_session
from memwrap.adapters import agent_framework
from memwrap.items import text_of, user
from memwrap.middleware import Memory

TURN_KINDS = ["user", *["function_call"] * 2, *["function_call_output"] * 2, "assistant"]
CITIES = ('{"city": "Rome"}', '{"city": "Oslo"}')
SUNNY = ("sunny in Rome", "sunny in Oslo")
TURN = [("user", "Weather?"), ("assistant", *CITIES), ("tool", *SUNNY), ("assistant", "Both.")]


def kinds(items):
    return [item.get("type") or item["role"] for item in items]


async def test_run_remembers(store):
    """A turn is stored with its calls and outputs, and the next run is shown all of it."""
    agent = agent_of(asking("Rome", "Oslo"), "Both.", "Bye.")
    remembering = with_session(agent, store=store)
    first = await remembering.run("Weather?", session="s")
    assert (type(first), first.text) == (AgentResponse, "Both.")
    assert (await remembering.run("Bye?", session="s")).text == "Bye."
    assert shown(agent) == [*TURN, ("user", "Bye?")]
    stored = await store.session("s").get_items()
    assert kinds(stored) == [*TURN_KINDS, "user", "assistant"]


async def test_stream_remembers(store):
    """A streamed run is the framework's own stream, and is stored as a call is."""
    agent = agent_of(asking("Rome", "Oslo"), "Both.", "Bye now.", "End.")
    remembering = with_session(agent, store=store)
    stream = remembering.run("Weather?", stream=True, session="s")
    assert isinstance(stream, ResponseStream)
    updates = [update async for update in stream]
    assert {type(update) for update in updates} == {AgentResponseUpdate}
    assert (await stream.get_final_response()).text == "Both. "
    # its end may be all that the caller wants
    final = await remembering.run("Bye?", stream=True, session="s").get_final_response()
    assert (type(final), final.text) == (AgentResponse, "Bye now. ")
    await remembering.run("End?", session="s")
    assert kinds(await store.session("s").get_items()) == [*TURN_KINDS, *["user", "assistant"] * 2]
    assert [said[1].strip() for said in shown(agent)[3:]] == ["Both.", "Bye?", "Bye now.", "End?"]


async def test_stream_as_a_block(store):
    """A block around a stream that is read to its end stores it; one left early does not."""
    remembering = with_session(agent_of("Well, yes.", "Well, no."), store=store)
    async with remembering.run("Yes?", stream=True, session="s") as stream:
        async for _ in stream:
            pass
    assert (await stream.get_final_response()).text == "Well, yes. "
    assert len(await store.session("s").get_items()) == 2
    async with remembering.run("No?", stream=True, session="s") as stream:
        async for _ in stream:
            break
    assert (await stream.get_final_response()).text == "Well, "
    assert len(await store.session("s").get_items()) == 2


async def test_stream_closed_early_stores_nothing(store):
    """A stream that is closed stops the agent, whoever closes it, and stores nothing."""
    remembering = with_session(agent_of("Well, yes.", "Well, no.", "So."), store=store)
    stream = remembering.run("Yes?", stream=True, session="s")
    await anext(stream)
    await stream.close()
    assert [update async for update in stream] == []
    never = remembering.run("No?", stream=True, session="s")
    await never.close()
    assert await store.session("s").get_items() == []


async def test_stream_stopped_by_another_task(store):
    """Another task may close a stream whose reader waits for the model."""
    reached = asyncio.Event()

    @tool(approval_mode="never_require")
    async def wait() -> str:
        """Wait for ever."""
        reached.set()
        await asyncio.Event().wait()

    call = Content.from_function_call("c", "wait", arguments="{}")
    remembering = with_session(agent_of([call], tools=[wait]), store=store)
    stream = remembering.run("Wait.", stream=True, session="s")

    async def read():
        return [update async for update in stream]

    reader = asyncio.create_task(read())
    await reached.wait()
    await stream.close()
    assert len(await reader) == 1
    assert await store.session("s").get_items() == []


@pytest.mark.parametrize("stream", [False, True])
async def test_failure_stores_nothing(store, stream):
    """The model's exception arrives unchanged, and nothing of the turn is stored."""
    failing = agent_of(asking("Rome"), ValueError("no model"), "Again.")
    remembering = with_session(failing, store=store)
    with pytest.raises(ValueError, match="no model"):
        run = remembering.run("Weather?", session="s", stream=stream)
        await (run.get_final_response() if stream else run)
    assert await store.session("s").get_items() == []
    assert (await remembering.run("Hello", session="s")).text == "Again."


@pytest.mark.parametrize("stream", [False, True])
async def test_cancelled_run_stores_nothing(store, stream):
    """A run whose task is cancelled stores nothing."""
    reached = asyncio.Event()

    @tool(approval_mode="never_require")
    async def wait() -> str:
        """Wait for ever."""
        reached.set()
        await asyncio.Event().wait()

    call = Content.from_function_call("c", "wait", arguments="{}")
    remembering = with_session(agent_of([call], tools=[wait]), store=store)

    async def go():
        run = remembering.run("Wait.", session="s", stream=stream)
        return await (run.get_final_response() if stream else run)

    task = asyncio.create_task(go())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.session("s").get_items() == []


async def test_left_early_may_keep_what_was_delivered():
    """The text of a stream that was left early can be kept."""
    session = InMemorySession("cut")
    keep = [Memory(on_stop="keep_delivered")]
    remembering = with_session(agent_of("Well, yes."), session=session, middleware=keep)
    async with remembering.run("Yes?", stream=True) as stream:
        async for _ in stream:
            break
    kept = (await session.get_items())[-1]
    assert (text_of(kept), kept["status"]) == ("Well, ", "incomplete")


async def test_repeated_turn(store):
    """A run under a known turn id is answered from the store, with the same kind of thing."""
    agent = agent_of(asking("Rome"), "Once.")
    remembering = with_session(agent, store=store)
    first = await remembering.run("Weather?", session="s", turn_id="t")
    again = await remembering.run("Weather?", session="s", turn_id="t")
    assert is_replay(again) and not is_replay(first)
    assert (type(again), again.text) == (AgentResponse, first.text)
    assert [message.role for message in again.messages] == ["assistant", "tool", "assistant"]
    stream = remembering.run("Weather?", session="s", turn_id="t", stream=True)
    updates = [update async for update in stream]
    assert [update.role for update in updates] == ["assistant", "tool", "assistant"]
    assert (await stream.get_final_response()).text == "Once."
    assert len(agent.client.seen) == 2


async def test_repeated_stream(store):
    """A stream under a known turn id is streamed again."""
    remembering = with_session(agent_of("Just once."), store=store).on("s", turn_id="t")
    for _ in range(2):
        stream = remembering.run("Hello", stream=True)
        assert "".join([update.text async for update in stream]) == "Just once. "
        assert (await stream.get_final_response()).text == "Just once. "


class Report(BaseModel):
    """What a model tells in a form."""

    sky: str


async def test_structured_output_again(store):
    """The value of a response is there in a repeated turn too."""
    remembering = with_session(agent_of('{"sky": "blue"}'), store=store)
    for _ in range(2):
        options = {"response_format": Report}
        found = await remembering.run("Sky?", options=options, session="s", turn_id="t")
        assert found.value == Report(sky="blue")
    options = {"response_format": Report}
    stream = with_session(agent_of('{"sky":"red"}'), store=store).run(
        "Sky?", options=options, session="t", stream=True
    )
    assert (await stream.get_final_response()).value == Report(sky="red")


async def test_one_agent_serves_many_sessions(store):
    """Sessions run at once on one agent, and see nothing of each other."""
    agent = agent_of(*["So."] * 20)
    remembering = with_session(agent, store=store)
    for _ in range(2):
        names = [f"user_{number}" for number in range(10)]
        runs = [remembering.run(name, session=name) for name in names]
        assert [found.text for found in await asyncio.gather(*runs)] == ["So."] * 10
    for name in names:
        items = await store.session(name).get_items()
        assert [text_of(item) for item in items] == [name, "So."] * 2
    texts = {
        tuple(text for role, text in shown(agent, call) if role == "user") for call in range(20)
    }
    assert texts == {(name,) * count for name in names for count in (1, 2)}


async def test_input_in_the_framework_s_own_forms(store):
    """Input may be a message, contents, or a list of them, and none goes on with the history."""
    agent = agent_of(*["So."] * 4)
    remembering = with_session(agent, store=store).on("s")
    await remembering.run(Message("user", ["a"], author_name="Ada"))
    await remembering.run([Content.from_text("b"), "c"])
    await remembering.run()
    await remembering.run(messages="d")
    said = [text for role, text in shown(agent) if role == "user"]
    assert said == ["a", "b", "c", "d"]
    assert agent.client.seen[-1][0].author_name == "Ada"


async def test_own_reasoning_goes_back(store):
    """Reasoning goes back to the model with its signature, and no other model's does."""
    agent = agent_of([thought(protected_data="SIG"), "So."], "Yes.")
    session = store.session("s")
    foreign = {"type": "reasoning", "id": "rs_1", "summary": []}
    await session.add_items([user("Hi"), foreign, {"role": "assistant", "content": "Ho."}])
    remembering = with_session(agent)
    await remembering.run("And?", session=session)
    await remembering.run("Sure?", session=session)
    thoughts = [c for m in agent.client.seen[-1] for c in m.contents if c.type == "text_reasoning"]
    assert [(one.text, one.protected_data) for one in thoughts] == [("I look.", "SIG")]


async def test_instructions_are_shown_once_and_not_stored(store):
    """The agent's instructions are an option of each call, and no message."""
    remembering = with_session(agent_of("One.", "Two."), store=store)
    for text in ("a", "b"):
        await remembering.run(text, session="s")
    assert "system" not in kinds(await store.session("s").get_items())


async def test_key(store):
    """The session may be named by what the call hands on to the tools or to the client."""
    remembering = with_session(agent_of(*["So."] * 2), store=store, key="user")
    await remembering.run("a", function_invocation_kwargs={"user": "ada"})
    await remembering.run("b", client_kwargs={"user": "ada"})
    assert len(await store.session("ada").get_items()) == 4
    with pytest.raises(ConfigurationError, match="user"):
        await remembering.run("c")


async def test_run_of_memwrap(session):
    """`memwrap.run` takes an agent of the framework."""
    found = await memwrap.run(agent_of("So."), "Hello", session=session)
    assert found.text == "So."
    assert len(await session.get_items()) == 2


async def test_agent_in_a_block(store):
    """The agent of an ``async with`` block remembers."""
    async with with_session(agent_of("One."), store=store) as remembering:
        await remembering.run("Hello", session="s")
    assert len(await store.session("s").get_items()) == 2


async def test_tools_may_record(store):
    """What a tool records is stored before what the run adds."""

    @tool(approval_mode="never_require")
    def look() -> str:
        """Look."""
        record("seen")
        return "done"

    call = Content.from_function_call("c", "look", arguments="{}")
    remembering = with_session(agent_of([call], "So.", tools=[look]), store=store)
    await remembering.run("Look.", session="s")
    assert [text_of(item) for item in await store.session("s").get_items()] == [
        *("Look.", "seen", "", "done", "So.")
    ]


async def test_context_providers_run(store):
    """A context provider that keeps no history works on."""

    class Hint(ContextProvider):
        async def before_run(self, *, agent, session, context, state):
            context.extend_messages(self, [Message("user", ["hint"])])

    agent = agent_of("One.", "Two.", context_providers=[Hint("hint")])
    remembering = with_session(agent, store=store)
    await remembering.run("a", session="s")
    await remembering.run("b", session="s")
    assert shown(agent) == [("user", "hint"), ("user", "a"), ("assistant", "One."), ("user", "b")]
    assert len(await store.session("s").get_items()) == 4
    assert len(agent.context_providers) == 1


# Second memories


def test_history_provider_is_refused():
    """An agent that has a history provider is refused when it is wrapped; one that logs is not."""
    with pytest.raises(ConfigurationError, match=r"InMemoryHistoryProvider: take it out of"):
        with_session(agent_of(context_providers=[InMemoryHistoryProvider()]))
    logging = InMemoryHistoryProvider("log", load_messages=False)
    with_session(agent_of(context_providers=[logging]))


async def test_history_provider_that_comes_later_is_refused(store):
    """An agent that the framework has given a history provider since is refused at the call."""
    agent = agent_of("One.", "Two.")
    remembering = with_session(agent, store=store)
    await agent.run("Hi", session=AgentSession())  # gives the agent one
    with pytest.raises(ConfigurationError, match="InMemoryHistoryProvider"):
        await remembering.run("Hello", session="s")
    assert await store.session("s").get_items() == []


@pytest.mark.parametrize("stream", [False, True])
def test_session_of_the_framework_is_refused(stream, store):
    """The framework's session is refused, with the two ways out named."""
    remembering = with_session(agent_of("One."), store=store)
    for agent in (remembering, remembering.on("s")):
        with pytest.raises(ConfigurationError, match="session=<id>.*MemwrapHistoryProvider"):
            agent.run("Hello", session=AgentSession(session_id="x"), stream=stream)


@pytest.mark.parametrize("stream", [False, True])
async def test_conversation_of_the_service_is_refused(store, stream):
    """An id of a conversation that the provider keeps is refused, of the agent and of the call."""
    options = {"conversation_id": "conv_1"}
    with pytest.raises(ConfigurationError, match="conversation_id"):
        with_session(agent_of(default_options=options))
    remembering = with_session(agent_of("One."), store=store)
    with pytest.raises(ConfigurationError, match="conversation_id"):
        run = remembering.run("Hello", session="s", options=options, stream=stream)
        await (run.get_final_response() if stream else run)


async def test_approval_is_refused_with_the_way(store):
    """An approval, which needs the framework's session, is one clear error that names the way."""

    @tool(approval_mode="always_require")
    def delete() -> str:
        """Delete."""
        raise AssertionError

    call = Content.from_function_call("c", "delete", arguments="{}")
    remembering = with_session(agent_of([call], "Never mind.", tools=[delete]), store=store)
    (request,) = (await remembering.run("Delete.", session="s")).user_input_requests
    given = Message("user", [request.to_function_approval_response(True)])
    with pytest.raises(ConfigurationError, match="MemwrapHistoryProvider"):
        await remembering.run(given, session="s")
    assert (await remembering.run("Leave it.", session="s")).text == "Never mind."


def test_other_objects_are_no_agents():
    """What is no agent of the framework has no methods."""
    assert agent_framework.methods(weather) is None
    assert agent_framework.methods(ScriptedClient()) is None


async def test_agents_of_other_kinds(store):
    """An agent that somebody has written on the framework's base remembers, streamed too."""

    class Counting(BaseAgent):
        def run(self, messages=None, *, stream=False, session=None, **options):
            text = f"{len(messages)} messages"
            if not stream:
                return self.said(text)
            return ResponseStream(self.told(text), finalizer=AgentResponse.from_updates)

        async def said(self, text):
            return AgentResponse(messages=[Message("assistant", [text])])

        async def told(self, text):
            yield AgentResponseUpdate(contents=[Content.from_text(text)], role="assistant")

    remembering = with_session(Counting(name="Counting"), store=store)
    assert (await remembering.run("a", session="s")).text == "1 messages"
    stream = remembering.run("b", session="s", stream=True)
    assert (await stream.get_final_response()).text == "3 messages"
    assert len(await store.session("s").get_items()) == 4


def test_derived_agents_are_agents():
    """An agent of a class of the user's own is found by its base."""

    class Mine(Agent):
        """An agent."""

    assert type(with_session(Mine(ScriptedClient()))).__name__ == "AgentProxy"
