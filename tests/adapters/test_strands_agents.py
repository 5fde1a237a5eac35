import asyncio
import threading

import pytest
from corpus.strands import image, thought
from corpus.strands_model import ScriptedModel, agent_of, asking, shown, weather
from pydantic import BaseModel
from strands import Agent, tool
from strands.agent.agent_result import AgentResult
from strands.agent.conversation_manager import SlidingWindowConversationManager
from strands.hooks import BeforeInvocationEvent, BeforeToolCallEvent
from strands.session.file_session_manager import FileSessionManager
from strands.types.exceptions import ContextWindowOverflowException, EventLoopException

import memwrap
from memwrap import (
    ConfigurationError,
    InMemorySession,
    InMemoryStore,
    is_replay,
    record,
    with_session,
)
from memwrap.adapters import strands
from memwrap.items import assistant, text_of, user
from memwrap.middleware import Memory, Redact

TURN_KINDS = ["user", *["function_call"] * 2, *["function_call_output"] * 2, "assistant"]
TURN = [
    ("user", "Weather?"),
    ("assistant", {"city": "Rome"}, {"city": "Oslo"}),
    ("user", "sunny in Rome", "sunny in Oslo"),
    ("assistant", "Both."),
]


def kinds(items):
    return [item.get("type") or item["role"] for item in items]


async def events_of(stream):
    return [event async for event in stream]


def calling(name="wait"):
    return [{"toolUse": {"toolUseId": "c", "name": name, "input": {}}}]


async def test_invoke_remembers(store):
    """A turn is stored with its calls and outputs, and the next run is shown all of it."""
    agent = agent_of(asking("Rome", "Oslo"), "Both.", "Bye.")
    remembering = with_session(agent, store=store)
    first = await remembering.invoke_async("Weather?", session="s")
    assert (type(first), str(first)) == (AgentResult, "Both. \n")
    assert [message["role"] for message in first.new_messages] == ["assistant", "user", "assistant"]
    assert str(await remembering.invoke_async("Bye?", session="s")) == "Bye. \n"
    assert shown(agent) == [*TURN, ("user", "Bye?")]
    assert kinds(await store.session("s").get_items()) == [*TURN_KINDS, "user", "assistant"]


async def test_stream_remembers(store):
    """A stream gives the framework's own events, and is stored as a call is."""
    agent = agent_of(asking("Rome", "Oslo"), "Both.", "Bye.")
    remembering = with_session(agent, store=store)
    native = agent_of(asking("Rome", "Oslo"), "Both.")
    events = await events_of(remembering.stream_async("Weather?", session="s"))
    theirs = await events_of(native.stream_async("Weather?"))
    assert [event.keys() for event in events] == [event.keys() for event in theirs]
    assert {type(event) for event in events} == {dict}
    assert str(events[-1]["result"]) == "Both. \n"
    assert "".join(event["data"] for event in events if "data" in event) == "Both. "
    await remembering.invoke_async("Bye?", session="s")
    assert shown(agent) == [*TURN, ("user", "Bye?")]
    assert kinds(await store.session("s").get_items()) == [*TURN_KINDS, "user", "assistant"]


def test_call_remembers(store, thread_loop):
    """The agent may be called itself, without an event loop."""
    agent = agent_of(asking("Rome", "Oslo"), "Both.", "Bye.")
    remembering = with_session(agent, store=store)
    assert str(remembering("Weather?", session="s")) == "Both. \n"
    assert str(remembering("Bye?", session="s")) == "Bye. \n"
    assert shown(agent) == [*TURN, ("user", "Bye?")]
    items = thread_loop.run_until_complete(store.session("s").get_items())
    assert kinds(items) == [*TURN_KINDS, "user", "assistant"]


async def test_call_in_a_running_loop_names_invoke(store):
    """In a running event loop the synchronous call is refused, and the way out is named."""
    with pytest.raises(ConfigurationError, match=r"\.invoke_async\("):
        with_session(agent_of("So."), store=store)("Hello", session="s")


async def test_own_messages_are_put_back(store):
    """The agent's own messages are neither shown nor changed by turns, also if they fail."""
    own = [{"role": "user", "content": [{"text": "mine"}]}]
    agent = agent_of("One.", ValueError("no"), "Two.", messages=list(own))
    remembering = with_session(agent, store=store)
    await remembering.invoke_async("a", session="s")
    assert shown(agent) == [("user", "a")]
    assert agent.messages == own
    with pytest.raises((ValueError, EventLoopException)):
        await remembering.invoke_async("b", session="s")
    assert agent.messages == own
    await agent.invoke_async("and yours?")
    assert shown(agent)[0] == ("user", "mine")
    assert len(await store.session("s").get_items()) == 2


@pytest.mark.parametrize("is_stream", [False, True])
async def test_failure_stores_nothing(store, is_stream):
    """The exception arrives as without memory, and nothing of the turn is stored."""
    answers = asking("Rome"), ValueError("no model")
    remembering = with_session(agent_of(*answers, "Again."), store=store)
    with pytest.raises(Exception, match="no model") as theirs:
        await agent_of(*answers).invoke_async("Weather?")
    with pytest.raises(theirs.type, match="no model"):
        if is_stream:
            await events_of(remembering.stream_async("Weather?", session="s"))
        else:
            await remembering.invoke_async("Weather?", session="s")
    assert await store.session("s").get_items() == []
    assert str(await remembering.invoke_async("Hello", session="s")) == "Again. \n"


async def test_stream_left_early_stores_nothing(store):
    """A stream that is left early stops, stores nothing, and lets the next turn in."""
    agent = agent_of("Well, yes.", "So.")
    remembering = with_session(agent, store=store)
    stream = remembering.stream_async("Yes?", session="s")
    async for event in stream:
        if "data" in event:
            break
    await stream.aclose()
    assert await store.session("s").get_items() == []
    assert agent.messages == []
    assert str(await remembering.invoke_async("Hello", session="t")) == "So. \n"


@pytest.mark.parametrize("way", ["aclose", "cancel"])
async def test_stream_stopped_by_another_task(store, way):
    """Another task may stop a stream whose reader waits for a tool; the reader gets no more."""
    reached = asyncio.Event()

    @tool
    async def wait() -> str:
        """Wait for ever."""
        reached.set()
        await asyncio.Event().wait()

    remembering = with_session(agent_of(calling(), "So.", tools=[wait]), store=store)
    stream = remembering.stream_async("Wait.", session="s")
    reader = asyncio.create_task(events_of(stream))
    await reached.wait()
    if way == "aclose":
        await stream.aclose()
    else:
        stream.cancel()
    assert "result" not in (await reader)[-1]
    assert await store.session("s").get_items() == []
    assert str(await remembering.invoke_async("Hello", session="s")) == "So. \n"


@pytest.mark.parametrize("is_stream", [False, True])
async def test_cancelled_run_stores_nothing(store, is_stream):
    """A run whose task is cancelled stores nothing, and lets the next turn in."""
    reached = asyncio.Event()

    @tool
    async def wait() -> str:
        """Wait for ever."""
        reached.set()
        await asyncio.Event().wait()

    agent = agent_of(calling(), "So.", tools=[wait])
    remembering = with_session(agent, store=store)
    if is_stream:
        run = events_of(remembering.stream_async("Wait.", session="s"))
    else:
        run = remembering.invoke_async("Wait.", session="s")
    task = asyncio.create_task(run)
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.session("s").get_items() == []
    assert agent.messages == []
    assert str(await remembering.invoke_async("Hello", session="s")) == "So. \n"


async def test_left_early_may_keep_what_was_delivered():
    """The text of a stream that was left early can be kept."""
    session = InMemorySession("cut")
    keep = [Memory(on_stop="keep_delivered")]
    remembering = with_session(agent_of("Well, yes."), session=session, middleware=keep)
    stream = remembering.stream_async("Yes?")
    async for event in stream:
        if "data" in event:
            break
    await stream.aclose()
    kept = (await session.get_items())[-1]
    assert (text_of(kept), kept["status"]) == ("Well, ", "incomplete")


async def test_repeated_turn(store):
    """A run under a known turn id is answered from the store, with the same kind of thing."""
    agent = agent_of(asking("Rome"), "Once.")
    remembering = with_session(agent, store=store)
    first = await remembering.invoke_async("Weather?", session="s", turn_id="t")
    again = await remembering.invoke_async("Weather?", session="s", turn_id="t")
    assert is_replay(again) and not is_replay(first)
    assert (type(again), str(again), again.stop_reason) == (AgentResult, str(first), "end_turn")
    assert again.new_messages == first.new_messages
    called = await asyncio.to_thread(remembering, "Weather?", session="s", turn_id="t")
    assert str(called) == str(first)
    events = await events_of(remembering.stream_async("Weather?", session="s", turn_id="t"))
    assert str(events[-1]["result"]) == "Once. \n"
    assert len(agent.model.seen) == 2


async def test_repeated_stream(store):
    """A stream under a known turn id tells its text and its messages again."""
    remembering = with_session(agent_of("Just once."), store=store).on("s", turn_id="t")
    told = []
    for _ in range(2):
        events = await events_of(remembering.stream_async("Hello"))
        told.append("".join(event["data"] for event in events if "data" in event))
        assert [event["message"]["role"] for event in events if "message" in event] == ["assistant"]
        assert str(events[-1]["result"]) == "Just once. \n"
    assert told == ["Just once. "] * 2


async def test_turns_wait_for_each_other(store):
    """Turns of many sessions at once run one after the other, and see nothing of each other."""
    agent = agent_of(*["So."] * 24)
    remembering = with_session(agent, store=store)
    names = [f"user_{number}" for number in range(6)]
    for _ in range(2):
        calls = [remembering.invoke_async(name, session=name) for name in names]
        streams = [events_of(remembering.stream_async(name, session=f"{name}_")) for name in names]
        await asyncio.gather(*calls, *streams)
    for name in [*names, *(f"{name}_" for name in names)]:
        items = await store.session(name).get_items()
        assert [text_of(item).strip() for item in items] == [name.rstrip("_"), "So."] * 2
    calls = [shown(agent, call) for call in range(24)]
    assert {len(call) for call in calls} == {1, 3}
    assert all(len({text for role, text in call if role == "user"}) == 1 for call in calls)


def test_turns_of_threads_wait_for_each_other(store):
    """Threads with event loops of their own, and without, share the agent."""
    remembering = with_session(agent_of(*["So."] * 12), store=store)
    failed = []

    def work(number):
        try:
            if number % 2:
                remembering("Hi", session=f"u{number}")
            else:
                asyncio.run(remembering.invoke_async("Hi", session=f"u{number}"))
        except BaseException as exc:
            failed.append(exc)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


async def test_two_wrappers_share_the_seat():
    """An agent that is wrapped twice still runs one turn at a time."""
    agent = agent_of(*["So."] * 6)
    wrapped = [with_session(agent, store=InMemoryStore()) for _ in range(2)]
    runs = [one.invoke_async("Hi", session=str(n)) for one in wrapped for n in range(3)]
    assert {str(result) for result in await asyncio.gather(*runs)} == {"So. \n"}


async def test_turn_within_its_own_turn_is_refused(store):
    """A tool that calls the agent which runs it would wait for ever, and is told so."""

    @tool
    async def again() -> str:
        """Call the agent."""
        with pytest.raises(ConfigurationError, match="within a turn of its own"):
            await remembering.invoke_async("Hi", session="t")
        with pytest.raises(ConfigurationError, match="within a turn of its own"):
            await asyncio.to_thread(remembering, "Hi", session="t")
        return "told"

    agent = agent_of(calling("again"), "So.", tools=[again])
    remembering = with_session(agent, store=store)
    await remembering.invoke_async("Hi", session="s")
    assert shown(agent)[-1] == ("user", "told")


async def test_sliding_window_loses_nothing(store):
    """A conversation manager changes what the model sees, and nothing of what is stored."""
    window = SlidingWindowConversationManager(window_size=2)
    agent = agent_of(*["So."] * 5, conversation_manager=window)
    remembering = with_session(agent, store=store)
    for text in "abcde":
        await remembering.invoke_async(text, session="s")
    items = await store.session("s").get_items()
    assert [text_of(item).strip() for item in items] == [
        one for text in "abcde" for one in (text, "So.")
    ]


async def test_what_is_cut_for_the_model_is_stored_whole(store):
    """An output that the conversation manager cuts, as the model has no room, is stored whole."""

    @tool
    def read() -> str:
        """Read."""
        return "x" * 2000

    full = ContextWindowOverflowException("too long")
    agent = agent_of(calling("read"), full, "So.", tools=[read])
    await with_session(agent, store=store).invoke_async("Read.", session="s")
    assert "truncated" in shown(agent)[-1][1]
    items = await store.session("s").get_items()
    assert [text_of(item).strip() for item in items] == ["Read.", "", "x" * 2000, "So."]


async def test_hooks_of_the_user_run(store):
    """A hook may put other messages in the place of the input, which is stored as it was."""
    agent = agent_of("So.")

    def replace(event: BeforeInvocationEvent) -> None:
        event.messages = [{"role": "user", "content": [{"text": "[hidden]"}]}]

    agent.add_hook(replace, BeforeInvocationEvent)
    await with_session(agent, store=store).invoke_async("secret", session="s")
    assert shown(agent) == [("user", "[hidden]")]
    items = await store.session("s").get_items()
    assert [text_of(item).strip() for item in items] == ["secret", "So."]


async def test_guardrail_redacts_the_input(store):
    """Input that a guardrail of the model redacts is stored as redacted."""
    redact = {"redactContent": {"redactUserContentMessage": "[redacted]"}}
    remembering = with_session(agent_of([redact, "No."]), store=store)
    await remembering.invoke_async("secret", session="s")
    items = await store.session("s").get_items()
    assert [text_of(item).strip() for item in items] == ["[redacted]", "No."]


async def test_guardrail_redacts_an_output(store):
    """An output of a tool that a guardrail of the model redacts is stored as redacted."""
    redact = {"redactContent": {"redactUserContentMessage": "[redacted]"}}
    remembering = with_session(agent_of(asking("Rome"), [redact, "No."]), store=store)
    await remembering.invoke_async("Weather?", session="s")
    items = await store.session("s").get_items()
    assert [text_of(item).strip() for item in items] == ["Weather?", "", "[redacted]", "No."]


async def test_guardrail_and_layer_both_redact(store):
    """What a layer redacts stays redacted where a guardrail redacts the last message."""
    redact = {"redactContent": {"redactUserContentMessage": "[redacted]"}}
    agent = agent_of([redact, "No."])
    remembering = with_session(agent, store=store, middleware=[Redact("4711")])
    given = [user("Pin 4711."), assistant("Yes?"), user("secret"), user("more secret")]
    await remembering.invoke_async(given, session="s")
    items = await store.session("s").get_items()
    assert [text_of(item).strip() for item in items] == [
        *("Pin [REDACTED].", "Yes?", "[redacted]", "No.")
    ]


async def test_prompts_in_every_form(store):
    """A prompt may be blocks, messages, items or nothing, as the framework takes it."""
    agent = agent_of(*["So."] * 5)
    remembering = with_session(agent, store=store).on("s")
    await remembering.invoke_async([{"text": "a"}, image()])
    await remembering.invoke_async([{"role": "user", "content": [{"text": "b"}]}])
    await remembering.invoke_async(prompt="c")
    await remembering.invoke_async([user("d")])
    await remembering.invoke_async(None)
    said = [message[1] for message in shown(agent) if message[0] == "user"]
    assert said == ["a", "b", "c", "d"]
    assert agent.model.seen[-1][0]["content"][1] == image()


async def test_own_reasoning_goes_back(store):
    """Reasoning goes back to the model with its signature, and no other model's does."""
    agent = agent_of([thought(signature="SIG"), "So."], "Yes.")
    session = store.session("s")
    foreign = {"type": "reasoning", "id": "rs_1", "summary": []}
    await session.add_items([user("Hi"), foreign, assistant("Ho.")])
    remembering = with_session(agent)
    await remembering.invoke_async("And?", session=session)
    await remembering.invoke_async("Sure?", session=session)
    blocks = [block for message in agent.model.seen[-1] for block in message["content"]]
    assert [block for block in blocks if "reasoningContent" in block] == [thought(signature="SIG")]


class Report(BaseModel):
    """What a model tells in a form."""

    sky: str


async def test_structured_output(store):
    """Structured output is the framework's own, and its exchange is stored."""
    answer = [{"toolUse": {"toolUseId": "c", "name": "Report", "input": {"sky": "blue"}}}]
    agent = agent_of(answer, "So.")
    remembering = with_session(agent, store=store)
    result = await remembering.invoke_async(
        "Sky?", structured_output_model=Report, session="s", turn_id="t"
    )
    assert result.structured_output == Report(sky="blue")
    assert kinds(await store.session("s").get_items())[:3] == [
        *("user", "function_call", "function_call_output")
    ]
    await remembering.invoke_async("And?", session="s")
    for name in ("structured_output", "structured_output_async"):
        with pytest.raises(ConfigurationError, match="structured_output_model="):
            getattr(remembering, name)(Report, "Sky?")


async def test_key(store):
    """The session may be named by what a call hands on to the tools."""
    remembering = with_session(agent_of("One."), store=store, key="user")
    await remembering.invoke_async("a", invocation_state={"user": "ada"})
    assert len(await store.session("ada").get_items()) == 2
    with pytest.raises(ConfigurationError, match="user"):
        await remembering.invoke_async("b")


async def test_run_of_memwrap(session):
    """`memwrap.run` takes an agent of Strands."""
    assert str(await memwrap.run(agent_of("So."), "Hello", session=session)) == "So. \n"
    assert len(await session.get_items()) == 2


async def test_tools_may_record(store):
    """What a tool records is stored before what the run adds."""

    @tool
    def look() -> str:
        """Look."""
        record("seen")
        return "done"

    remembering = with_session(agent_of(calling("look"), "So.", tools=[look]), store=store)
    await remembering.invoke_async("Look.", session="s")
    texts = [text_of(item).strip() for item in await store.session("s").get_items()]
    assert texts == ["Look.", "seen", "", "done", "So."]


async def test_interrupt_leaves_the_agent_free(store):
    """A run that ends with an interrupt stops no other session, and is not gone on with here."""
    agent = agent_of(asking("Rome"), "Hi.", "Never mind.")

    def ask(event: BeforeToolCallEvent) -> None:
        event.interrupt("approval", reason="may I?")

    agent.add_hook(ask, BeforeToolCallEvent)
    remembering = with_session(agent, store=store)
    result = await remembering.invoke_async("Weather?", session="s")
    assert result.stop_reason == "interrupt"
    (asked,) = result.interrupts
    assert str(await remembering.invoke_async("Hello", session="t")) == "Hi. \n"
    answer = [{"interruptResponse": {"interruptId": asked.id, "response": "y"}}]
    with pytest.raises(ConfigurationError, match="MemwrapSessionManager"):
        await remembering.invoke_async(answer, session="s")
    assert str(await remembering.invoke_async("Leave it.", session="s")) == "Never mind. \n"


# Second memories


def test_session_manager_is_refused(tmp_path):
    """An agent that has a session manager is refused when it is wrapped."""
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    with pytest.raises(ConfigurationError, match="session_manager=: leave it out"):
        with_session(agent_of("So.", session_manager=manager))


def test_stateful_model_is_refused():
    """An agent whose model keeps the conversation on its server is refused."""

    class Stateful(ScriptedModel):
        stateful = True

    with pytest.raises(ConfigurationError, match="on its server"):
        with_session(Agent(Stateful(), callback_handler=None))


def test_other_objects_are_no_agents():
    """What is no agent of Strands has no methods."""
    assert strands.methods(weather) is None
    assert strands.methods(ScriptedModel()) is None
