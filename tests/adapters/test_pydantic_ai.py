"""Agents of Pydantic AI that remember, in each of their methods, and a store as a capability."""

import asyncio
import contextlib
import json
import re
import sys

import pytest
from corpus.exactness import seen
from pydantic import BaseModel
from pydantic_ai import (
    Agent,
    AgentRunResult,
    AgentRunResultEvent,
    BinaryContent,
    CachePoint,
    DeferredToolRequests,
    ImageUrl,
    PromptedOutput,
    TextOutput,
    ToolOutput,
)
from pydantic_ai.agent import WrapperAgent
from pydantic_ai.conversation import Conversation
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import (
    FunctionToolCallEvent,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.function import (
    DeltaThinkingPart,
    DeltaToolCall,
    FunctionModel,
)
from pydantic_ai.models.test import TestModel
from pydantic_ai.result import StreamedRunResult
from support import gathered

import memwrap
from memwrap import ConfigurationError, ConversionError, TurnIdReused, with_session
from memwrap.adapters import pydantic_ai
from memwrap.adapters.pydantic_ai import MemwrapMemory, from_items, to_items
from memwrap.dialects import Methods
from memwrap.items import assistant, text_of, user
from memwrap.memory.repeats import is_replay
from memwrap.middleware import Memory, Redact

TURN = ["user", "reasoning", "function_call", "function_call_output", "assistant"]


class Script:
    """A model that calls a tool, then tells what it returned; it notes what it was shown."""

    def __init__(self):
        self.shown = []
        self.error = None
        self.pause = None
        self.model = FunctionModel(self.answer, stream_function=self.stream)

    def answer(self, messages, info):
        self.shown.append(
            [(part.part_kind, content_of(part)) for m in messages for part in m.parts]
        )
        if self.error:
            raise self.error
        last = messages[-1].parts[-1]
        if isinstance(last, ToolReturnPart):
            return ModelResponse([TextPart(f"It is {last.content}.")])
        call = ToolCallPart("add", {"a": 1, "b": len(self.shown)}, f"call_{len(self.shown)}")
        return ModelResponse([ThinkingPart("Hm."), call])

    async def stream(self, messages, info):
        (*_, last) = self.answer(messages, info).parts
        if isinstance(last, TextPart):
            for word in re.findall(r"\S+\s?", last.content):
                yield word
                if self.pause:
                    await self.pause.wait()
        else:
            yield {0: DeltaThinkingPart(content="Hm.")}
            arguments = json.dumps(last.args)
            yield {1: DeltaToolCall("add", arguments[:4], tool_call_id=last.tool_call_id)}
            yield {1: DeltaToolCall(json_args=arguments[4:])}

    @property
    def said(self):
        return [content for kind, content in self.shown[-1] if kind in ("user-prompt", "text")]


def content_of(part):
    return getattr(part, "content", None) or getattr(part, "args", None)


@pytest.fixture
def script():
    return Script()


@pytest.fixture
def native(script):
    agent = Agent(script.model, system_prompt="Count.", instructions="Be brief.")

    @agent.tool_plain
    def add(a: int, b: int) -> int:
        return a + b

    return agent


@pytest.fixture
def agent(native, store):
    return with_session(native, store=store)


def kinds(items):
    return [item.get("role") or item["type"] for item in items]


# Each way to run an agent, to its end: what it gives as output


async def run(agent, text, **options):
    return (await agent.run(text, **options)).output


async def in_a_thread(work):
    """Do work in a thread with an event loop, which the framework would leave open."""

    def with_loop():
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            return work()
        finally:
            loop.close()

    return await asyncio.to_thread(with_loop)


async def run_sync(agent, text, **options):
    return (await in_a_thread(lambda: agent.run_sync(text, **options))).output


async def run_stream(agent, text, **options):
    async with agent.run_stream(text, **options) as result:
        pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
        assert "".join(pieces) == await result.get_output()
    return result.result.output


async def run_stream_sync(agent, text, **options):
    def work():
        with agent.run_stream_sync(text, **options) as result:
            return list(result.stream_text())[-1]

    return await in_a_thread(work)


async def run_stream_events(agent, text, **options):
    async with agent.run_stream_events(text, **options) as events:
        found = [event async for event in events]
    assert isinstance(found[-1], AgentRunResultEvent)
    assert events.result is found[-1].result
    return events.result.output


async def run_iter(agent, text, **options):
    async with agent.iter(text, **options) as run:
        async for _node in run:
            pass
    return run.result.output


WAYS = {
    "run": run,
    "run_sync": run_sync,
    "run_stream": run_stream,
    "run_stream_sync": run_stream_sync,
    "run_stream_events": run_stream_events,
    "iter": run_iter,
}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@each_way
async def test_turns_are_remembered(way, agent, script, store):
    """A turn is shown the turns before it, tool calls too, and stored when it has ended."""
    assert await way(agent, "one", session="s") == "It is 2."
    assert await way(agent, "two", session="s") == "It is 4."
    items = await store.session("s").get_items()
    assert kinds(items) == TURN * 2
    assert script.said == ["one", "It is 2.", "two"]
    called = [content for kind, content in script.shown[-1] if kind == "tool-call"]
    assert [json.loads(c) if isinstance(c, str) else c for c in called] == [
        {"a": 1, "b": 1},
        {"a": 1, "b": 3},
    ]


@each_way
async def test_instructions_are_shown_once_and_not_stored(way, agent, script, store):
    """The agent's own system prompt is shown once in every call, and is not stored."""
    for text in ("one", "two"):
        await way(agent, text, session="s")
    for shown in script.shown:
        assert [content for kind, content in shown if kind == "system-prompt"] == ["Count."]
    stored = json.dumps(await store.session("s").get_items())
    assert "Count." not in stored
    assert "Be brief." not in stored


@each_way
async def test_failed_run_is_not_stored(way, agent, script, store):
    """What a model raises reaches the caller as it is, and nothing is stored."""
    script.error = ModelHTTPError(500, "odd")
    with pytest.raises(ModelHTTPError) as caught:
        await way(agent, "one", session="s")
    assert caught.value is script.error
    assert await store.session("s").get_items() == []
    script.error = None
    assert await way(agent, "one", session="s") == "It is 3."


@each_way
async def test_repeated_turn_is_not_run(way, agent, script, store):
    """A turn of a known id gives its output again, of the same type, without the model."""
    first = await way(agent, "one", session="s", turn_id="t")
    calls = len(script.shown)
    assert await way(agent, "one", session="s", turn_id="t") == first
    assert len(script.shown) == calls
    assert kinds(await store.session("s").get_items()) == TURN
    with pytest.raises(TurnIdReused):
        await way(agent, "other", session="s", turn_id="t")


@each_way
async def test_without_a_session(way, agent, native, script):
    """With session=None an agent runs as it does without memory."""
    expected = await way(native, "one")
    assert expected == "It is 2."
    script.shown.clear()
    assert await way(agent, "one", session=None) == expected
    assert script.shown[0] == [("system-prompt", "Count."), ("user-prompt", "one")]


async def leave_block(agent):
    async with agent.run_stream("one", session="s") as result:
        async for _text in result.stream_text():
            break


async def leave_block_at_once(agent):
    async with agent.run_stream("one", session="s"):
        pass


async def leave_events(agent):
    async with agent.run_stream_events("one", session="s") as events:
        async for event in events:
            if isinstance(event, FunctionToolCallEvent):
                break


async def leave_iter(agent):
    async with agent.iter("one", session="s") as run:
        async for _node in run:
            break


async def raise_in_iter(agent):
    with pytest.raises(ZeroDivisionError):
        async with agent.iter("one", session="s") as run:
            async for node in run:
                if type(node).__name__ == "CallToolsNode":
                    raise ZeroDivisionError


async def raise_behind_the_end(agent):
    with pytest.raises(ZeroDivisionError):
        async with agent.iter("one", session="s") as run:
            async for _node in run:
                pass
            raise ZeroDivisionError


async def cancel_events(agent):
    async with agent.run_stream_events("one", session="s") as events:
        async for _event in events:
            events.cancel()


LEAVING = [
    *(leave_block, leave_block_at_once, leave_events, leave_iter, raise_in_iter),
    *(raise_behind_the_end, cancel_events),
]


@pytest.mark.parametrize("leave", LEAVING)
async def test_run_that_is_left_early(leave, agent, store):
    """Of a run that its caller leaves before its end nothing is stored, and the session is free."""
    await leave(agent)
    assert await store.session("s").get_items() == []
    assert await run(agent, "one", session="s")


@pytest.mark.parametrize("way", [run, run_stream, run_stream_events, run_iter])
async def test_cancelled_run(way, store):
    """Of a run that is cancelled nothing is stored, and the session is free."""
    begun = asyncio.Event()

    async def forever():
        begun.set()
        await asyncio.sleep(60)

    async def answer(messages, info):
        await forever()

    async def stream(messages, info):
        await forever()
        yield ""

    native = Agent(FunctionModel(answer, stream_function=stream))
    agent = with_session(native, store=store)
    task = asyncio.create_task(way(agent, "one", session="s"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.session("s").get_items() == []
    result = await agent.run("two", session="s", model=TestModel(call_tools=[]))
    assert result.output


async def test_what_was_delivered_can_be_kept(native, script, store):
    """With the option of Memory, what a stream had said by then is stored, marked incomplete."""
    script.pause = asyncio.Event()
    agent = with_session(native, store=store, middleware=[Memory(on_stop="keep_delivered")])
    async with agent.run_stream("one", session="a") as result:
        async for _text in result.stream_text(debounce_by=None):
            break
    async with agent.run_stream_events("one", session="b") as events:
        async for event in events:
            if isinstance(event, PartDeltaEvent) or "start" in event.event_kind:
                text = getattr(getattr(event, "part", None), "content", "")
                if text == "It ":
                    break
    for name in "ab":
        items = await store.session(name).get_items()
        assert kinds(items) == TURN
        assert (items[-1]["status"], text_of(items[-1])) == ("incomplete", "It ")


async def test_error_that_the_block_swallows(store):
    """A stream that broke off is not stored, though its caller goes on in the block."""

    async def stream(messages, info):
        yield "It "
        raise OSError

    agent = with_session(Agent(FunctionModel(stream_function=stream)), store=store)
    async with agent.run_stream("one", session="s") as result:
        with contextlib.suppress(OSError):
            await result.get_output()
    assert await store.session("s").get_items() == []


async def test_stored_before_the_result_is_given(agent, store):
    """When the event of the result has come, the turn is stored."""
    async with agent.run_stream_events("one", session="s") as events:
        async for event in events:
            if isinstance(event, AgentRunResultEvent):
                assert kinds(await store.session("s").get_items()) == TURN
                break
    assert kinds(await store.session("s").get_items()) == TURN


async def test_parts_of_the_events(agent):
    """What the events tell of their run is there when they have ended."""
    async with agent.run_stream_events("one", session="s") as events:
        for name in ("all_messages", "new_messages"):
            with pytest.raises(ConfigurationError, match=name):
                getattr(events, name)()
        with pytest.raises(ConfigurationError, match="usage"):
            events.usage
        async for _event in events:
            pass
        assert len(events.all_messages()) == len(events.new_messages()) + 1 == 4
        assert events.usage.requests == 2


async def test_results_are_the_frameworks_own(agent):
    """Results, streams and runs are objects of the framework, with all that they can do."""
    result = await agent.run("one", session="s")
    assert type(result) is AgentRunResult
    assert [type(message) for message in result.new_messages()] == [
        ModelResponse,
        ModelRequest,
        ModelResponse,
    ]
    assert result.conversation_id == "s"
    async with agent.run_stream("two", session="s") as stream:
        assert type(stream) is StreamedRunResult
        assert not stream.is_complete
    async with agent.iter("three", session="s") as run:
        assert type(run.next_node).__name__ == "UserPromptNode"


async def test_one_agent_serves_many_sessions_at_once(agent, store):
    """Runs on many sessions at once do not mix, and runs on one wait for each other."""
    await asyncio.gather(
        *(way(agent, f"{n}", session=f"{n % 3}") for n, way in enumerate([*WAYS.values()] * 2))
    )
    for n in range(3):
        items = await store.session(f"{n}").get_items()
        assert kinds(items) == TURN * 4
        asked = {int(text_of(item)) % 3 for item in items if item.get("role") == "user"}
        assert asked == {n}


async def test_bound_agents(agent, native, script, store):
    """An agent may be bound to a session, run without wrapping, and wrap another agent."""
    await agent.on("s").run("one")
    await memwrap.run(agent, "two", session="s")
    await memwrap.run(WrapperAgent(native), "three", session=store.session("s"))
    assert script.said[::2] == ["one", "two", "three"]
    keyed = with_session(native, store=store, key="conversation_id")
    await keyed.run(user_prompt="four", conversation_id="s")
    assert script.said[::2] == ["one", "two", "three", "four"]
    assert keyed.name == native.name
    with pytest.raises(ConfigurationError, match="use .run"):
        agent.run_sync("five", session="s")


# Input


async def test_contents_of_a_user(agent, script, store):
    """A user may say texts and files at once; they are one message."""
    said = ["Look:", ImageUrl("https://a.example/b.png"), CachePoint()]
    await agent.run(said, session="s")
    await agent.run(["And?"], session="s")
    first, second = [item for item in await store.session("s").get_items() if item.get("role")][::2]
    picture = {"type": "input_image", "image_url": "https://a.example/b.png"}
    assert first["content"] == [{"type": "input_text", "text": "Look:"}, picture]
    assert second["content"] == [{"type": "input_text", "text": "And?"}]
    assert script.said == [said, "It is 2.", ["And?"]]


async def test_items_and_messages_as_input(agent, script, store):
    """Input may be items or messages; instructions among them are shown beside the agent's own."""
    await agent.run([{"role": "system", "content": "Odd."}, user("one")], session="s")
    assert [kind for kind, _ in script.shown[0]] == [
        "system-prompt",
        "system-prompt",
        "user-prompt",
    ]
    await agent.run(ModelRequest([UserPromptPart("two")]), session="s")
    assert script.said == ["one", "It is 2.", "two"]
    prompts = [content for kind, content in script.shown[-1] if kind == "system-prompt"]
    assert prompts == ["Count.", "Odd."]
    assert kinds(await store.session("s").get_items()) == ["system", *TURN, *TURN]


async def test_no_input(script, native, agent, store):
    """Without a prompt an agent goes on with what the session ends with."""
    await store.session("s").add_items([user("one")])
    assert (await agent.run(None, session="s")).output == "It is 2."
    assert kinds(await store.session("s").get_items()) == TURN


async def test_history_that_others_began(agent, script, store):
    """A history that begins with the assistant, with odd ids, is shown as any provider takes it."""
    call = {"type": "function_call", "call_id": "a b" * 20, "name": "t", "arguments": "{}"}
    answer = {"type": "function_call_output", "call_id": "a b" * 20, "output": "x"}
    await store.session("s").add_items([assistant("Hi."), call, assistant(""), answer])
    await agent.run("one", session="s")
    assert script.said[1:] == ["Hi.", "one"]
    assert "began earlier" in script.said[0]


async def test_blank_texts(script, agent, store):
    """Blank texts of earlier turns, which some providers refuse, are not shown; input is."""
    blank = ModelResponse([TextPart("Yes."), TextPart("\n")])
    await store.session("s").add_items([user(" "), assistant("a"), user("b"), *to_items(blank)])
    await agent.run(" ", session="s")
    assert script.said[1:] == ["a", "b", "Yes.", " "]


async def test_thoughts_of_other_models(script, agent, store):
    """A model is shown its own thoughts, and none of other models."""
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [{"text": "Secret."}]}
    other = ModelResponse([ThinkingPart("Odd.", provider_name="odd"), TextPart("b")])
    await store.session("s").add_items([user("a"), reasoning, assistant("b"), user("c")])
    await store.session("s").add_items(to_items(other))
    only = ModelResponse([ThinkingPart("Alone.", provider_name="odd")])
    await store.session("s").add_items([*to_items(only), assistant("d")])
    await agent.run("one", session="s")
    await agent.run("two", session="s")
    assert [content for kind, content in script.shown[-1] if kind == "thinking"] == ["Hm.", "Hm."]
    script.shown.clear()
    fallback = FallbackModel(TestModel(call_tools=[]), script.model)
    await agent.run("three", session="s", model=fallback)


# What is refused


async def test_second_memories(agent, native, store):
    """What would remember a second time is refused, with the way out."""
    history = [ModelRequest([UserPromptPart("one")])]
    memory = MemwrapMemory(store)
    for options in (
        {"message_history": history},
        {"conversation": Conversation(messages=history)},
        {"capabilities": [memory]},
    ):
        with pytest.raises(ConfigurationError, match=rf"{[*options][0][:9]}.*leave it out|Memwrap"):
            await agent.run("two", session="s", **options)
    with pytest.raises(ConfigurationError, match="MemwrapMemory"):
        with_session(Agent(native.model, capabilities=[memory]), store=store)
    assert await store.session("s").get_items() == []
    await agent.run("one", session="s", message_history=[], conversation=None)


async def test_their_history_without_a_session(agent, script):
    """With session=None the framework's own history is taken."""
    history = [ModelRequest([UserPromptPart("one")]), ModelResponse([TextPart("Yes.")])]
    await agent.run("two", session=None, message_history=history)
    assert script.said == ["one", "Yes.", "two"]
    conversation = Conversation(messages=history, conversation_id="c")
    result = await agent.run("three", session=None, conversation=conversation)
    assert script.said == ["one", "Yes.", "three"]
    assert result.conversation_id == "c"


# Requests that wait for a person


@pytest.fixture
def careful(store):
    def model(messages, info):
        last = messages[-1].parts[-1]
        if isinstance(last, ToolReturnPart):
            return ModelResponse([TextPart(f"{last.content}")])
        return ModelResponse([ToolCallPart("remove", {"name": "a"}), ToolCallPart("look", {})])

    agent = Agent(FunctionModel(model), output_type=[str, DeferredToolRequests])

    @agent.tool_plain(requires_approval=True)
    def remove(name: str) -> str:
        return f"removed {name}"

    @agent.tool_plain
    def look() -> str:
        return "nothing"

    return with_session(agent, store=store)


async def test_approvals(careful, store):
    """A run that waits for a person goes on with the answers, and is remembered."""
    first = await careful.run("Remove it.", session="s", turn_id="t")
    again = await careful.run("Remove it.", session="s", turn_id="t")
    assert is_replay(again)
    assert [call.tool_name for call in again.output.approvals] == ["remove"]
    answers = first.output.build_results(approve_all=True)
    result = await careful.run(None, session="s", deferred_tool_results=answers)
    assert result.output == "nothing"
    items = await store.session("s").get_items()
    outputs = {item["output"] for item in items if item.get("type") == "function_call_output"}
    assert outputs == {"removed a", "nothing"}


async def test_answers_with_a_prompt(careful):
    """Answers to what waits come without a prompt, and an error says so."""
    first = await careful.run("Remove it.", session="s")
    answers = first.output.build_results(approve_all=True)
    with pytest.raises(ConfigurationError, match="pass None as the prompt"):
        await careful.run("And?", session="s", deferred_tool_results=answers)


async def test_person_who_says_something_else(careful):
    """A call that nobody answered is not shown any more when the user goes on."""
    await careful.run("Remove it.", session="s")
    result = await careful.run("Never mind.", session="s")
    assert isinstance(result.output, DeferredToolRequests)


# Repeated turns


class City(BaseModel):
    name: str
    size: int = 0


class Country(BaseModel):
    capital: City


OUTPUTS = [
    *(City, int, bool, list[int], dict[str, int], City | Country, [str, City]),
    *(ToolOutput(City, name="city"), ToolOutput(int), [ToolOutput(City, name="a"), City]),
]


@pytest.mark.parametrize("output", OUTPUTS, ids=str)
async def test_structured_output_again(output, store):
    """A repeated turn gives an output of the same type, which a call of the model said."""
    agent = with_session(Agent(TestModel(), output_type=output), store=store)
    first, again = [await agent.run("one", session="s", turn_id="t") for _ in range(2)]
    assert is_replay(again)
    assert (again.output, type(again.output)) == (first.output, type(first.output))
    items = await store.session("s").get_items()
    if output != [str, City]:
        assert kinds(items) == ["user", "function_call", "function_call_output"]


@pytest.mark.parametrize(
    ("output", "text"),
    [(PromptedOutput(City), '{"name": "Kiel"}'), (PromptedOutput([Country, City]), None)],
)
async def test_output_as_text_again(output, text, store):
    """A repeated turn gives an output of the same type, which a text of the model said."""
    text = text or '{"result": {"kind": "City", "data": {"name": "Kiel"}}}'
    model = FunctionModel(lambda messages, info: ModelResponse([TextPart(text)]))
    agent = with_session(Agent(model, output_type=output), store=store)
    first, again = [await agent.run("one", session="s", turn_id="t") for _ in range(2)]
    assert is_replay(again)
    assert again.output == first.output == City(name="Kiel")


def words(text: str) -> list[str]:
    return text.split()


async def test_output_of_a_function_again(store):
    """What a function made of the output is gone; then the output is what the model said."""
    agent = Agent(TestModel(custom_output_text="a b"), output_type=TextOutput(words))
    remembering = with_session(agent, store=store)
    first, again = [await remembering.run("one", session="s", turn_id="t") for _ in range(2)]
    assert (first.output, again.output) == (["a", "b"], "a b")


async def test_messages_of_a_repeated_turn(agent):
    """A repeated turn has the messages and the usage of the run that was stored."""
    first, again = [await agent.run("one", session="s", turn_id="t") for _ in range(2)]
    assert [type(message) for message in again.new_messages()] == [
        type(message) for message in first.new_messages()
    ]
    assert again.new_messages()[-1] == first.new_messages()[-1]
    assert again.usage.output_tokens == first.usage.output_tokens
    assert (again.run_id, again.conversation_id) == (first.run_id, "s")
    async with agent.iter("one", session="s", turn_id="t") as run:
        assert run.new_messages() == run.all_messages() == again.new_messages()
        assert run.usage == again.usage


# Functions with the framework's messages


@pytest.fixture
def function(native, store):
    def remembering(agent):
        return with_session(agent, store=store, adapter=pydantic_ai)

    return remembering


async def test_function_that_returns_a_result(function, native, script, store):
    """A function that runs an agent itself may return its result, or all messages."""

    async def result_of(messages):
        return await native.run(message_history=messages)

    async def messages_of(messages):
        return (await native.run(message_history=messages)).all_messages()

    await function(result_of)("one", session="s")
    await function(messages_of)("two", session="s")
    items = await store.session("s").get_items()
    assert kinds(items) == TURN * 2
    assert script.said == ["one", "It is 2.", "two"]


async def test_function_that_yields_events(function, native, store):
    """A function may yield the events of a run, with the result among them or not."""

    async def events_of(messages, all=True):
        async with native.run_stream_events(message_history=messages) as events:
            async for event in events:
                if all or not isinstance(event, AgentRunResultEvent):
                    yield event

    for options in ({}, {"all": False}):
        async for _event in function(events_of)("one", session="s", **options):
            pass
    items = seen(await store.session("s").get_items())
    assert kinds(items) == TURN * 2
    for one, other in zip(items[:5], items[5:], strict=True):
        assert one.keys() == other.keys()


async def test_function_that_streams(function, native, store):
    """A function may return a streamed result that it has read."""

    async def result_of(messages):
        async with native.run_stream(message_history=messages) as result:
            await result.get_output()
        return result

    await function(result_of)("one", session="s")
    assert kinds(await store.session("s").get_items()) == TURN


async def test_function_that_reads_no_stream(function, native, store):
    """A streamed result that nobody has read is refused, since it tells no answer."""

    async def result_of(messages):
        async with native.run_stream(message_history=messages) as result:
            return result

    with pytest.raises(ConversionError, match="nobody has read"):
        await function(result_of)("one", session="s")
    assert await store.session("s").get_items() == []


async def test_function_repeats_its_result(native, store):
    """A repeated turn of a function gives a result, or a message, of the same type."""

    async def result_of(messages):
        return await native.run(message_history=from_items(messages))

    async def message_of(messages):
        return (await result_of(messages)).new_messages()[-1]

    async def stream_of(messages):
        async with native.run_stream(message_history=from_items(messages)) as result:
            await result.get_output()
        return result

    async def events_of(messages):
        async with native.run_stream_events(message_history=from_items(messages)) as events:
            async for event in events:
                yield event

    for function in (result_of, message_of, stream_of):
        agent = with_session(function, store=store)
        name = function.__name__
        first, again = [await agent("one", session=name, turn_id="t") for _ in range(2)]
        assert is_replay(again)
        assert type(again) is type(first)
        assert text_of(to_items(again)[-1]) == text_of(to_items(first)[-1])
    agent = with_session(events_of, store=store)
    await gathered(agent("one", session="e", turn_id="t"))
    (event,) = await gathered(agent("one", session="e", turn_id="t"))
    assert type(event) is AgentRunResultEvent
    assert event.result.output.startswith("It is ")


async def test_structured_output_of_a_function_again(store):
    """Without its agent, an output that a call gave is the JSON of the call."""
    native = Agent(TestModel(), output_type=City)

    async def result_of(items):
        return await native.run(message_history=from_items(items))

    agent = with_session(result_of, store=store)
    first, again = [await agent("one", session="s", turn_id="t") for _ in range(2)]
    assert City.model_validate_json(again.output) == first.output


# A store as a capability


@pytest.fixture
def plugged(script, store):
    agent = Agent(
        script.model,
        system_prompt="Count.",
        instructions="Be brief.",
        capabilities=[MemwrapMemory(store)],
    )

    @agent.tool_plain
    def add(a: int, b: int) -> int:
        return a + b

    return agent


@each_way
async def test_capability_remembers(way, plugged, script, store):
    """An agent with the capability remembers by the id of the conversation, however it is run."""
    for text in ("one", "two"):
        await way(plugged, text, conversation_id="s")
    assert kinds(await store.session("s").get_items()) == TURN * 2
    assert script.said == ["one", "It is 2.", "two"]
    for shown in script.shown:
        assert [content for kind, content in shown if kind == "system-prompt"] == ["Count."]
    stored = json.dumps(await store.session("s").get_items())
    assert "Count." not in stored
    assert "Be brief." not in stored


@each_way
async def test_failed_run_with_the_capability(way, plugged, script, store):
    """Of a run that fails nothing is stored, and the error is the model's."""
    script.error = ModelHTTPError(500, "odd")
    with pytest.raises(ModelHTTPError):
        await way(plugged, "one", conversation_id="s")
    assert await store.session("s").get_items() == []


class Named:
    """The capability under the names of the tests of leaving."""

    def __init__(self, agent):
        self._agent = agent

    def __getattr__(self, name):
        return lambda text, session: getattr(self._agent, name)(text, conversation_id=session)


@pytest.mark.parametrize(
    "leave", [leave_block, leave_block_at_once, leave_events, leave_iter, raise_in_iter]
)
async def test_run_with_the_capability_that_is_left(leave, plugged, store):
    """Of a run that is left early nothing is stored, and the conversation is free."""
    await leave(Named(plugged))
    assert await store.session("s").get_items() == []
    await plugged.run("one", conversation_id="s")


async def test_capability_with_layers(script, store):
    """The capability may have layers, as a wrapped agent has."""
    layers = [Redact("PIN")]
    agent = Agent(script.model, capabilities=[MemwrapMemory(store, middleware=layers)])
    said = ["The PIN", BinaryContent(b"a", media_type="image/png"), CachePoint()]
    await agent.run(said, conversation_id="s", model=TestModel())
    assert "PIN" not in json.dumps(await store.session("s").get_items())
    await agent.run(said, conversation_id="s")
    prompts = [content for kind, content in script.shown[0] if kind == "user-prompt"]
    assert [prompt[0] for prompt in prompts] == ["The [REDACTED]", "The PIN"]


async def test_capability_and_runs_at_once(plugged, store):
    """Runs of one conversation wait for each other; a run without an id has its own."""
    await asyncio.gather(*(plugged.run(f"{n}", conversation_id="s") for n in range(4)))
    assert kinds(await store.session("s").get_items()) == TURN * 4
    result = await plugged.run("one")
    assert kinds(await store.session(result.conversation_id).get_items()) == TURN


async def test_capability_and_another_memory(plugged):
    """A run that is given a history besides is refused."""
    history = [ModelRequest([UserPromptPart("one")])]
    for options in ({"message_history": history}, {"conversation": Conversation(messages=history)}):
        with pytest.raises(ConfigurationError, match="pass conversation_id= alone"):
            await plugged.run("two", **options)


async def test_approvals_with_the_capability(store):
    """A run that waits for a person goes on in the same conversation."""

    def model(messages, info):
        if isinstance(messages[-1].parts[-1], ToolReturnPart):
            return ModelResponse([TextPart("Gone.")])
        return ModelResponse([ToolCallPart("remove", {"name": "a"})])

    agent = Agent(
        FunctionModel(model),
        output_type=[str, DeferredToolRequests],
        capabilities=[MemwrapMemory(store)],
    )

    @agent.tool_plain(requires_approval=True)
    def remove(name: str) -> str:
        return "removed"

    first = await agent.run("Remove it.", conversation_id="s")
    answers = first.output.build_results(approve_all=True)
    result = await agent.run(conversation_id="s", deferred_tool_results=answers)
    assert result.output == "Gone."
    stored = kinds(await store.session("s").get_items())
    assert stored == ["user", "function_call", "function_call_output", "assistant"]


async def test_own_instructions_beside_dynamic_ones(store):
    """A dynamic system prompt is made anew in each run, and shown once."""
    shown = []

    def model(messages, info):
        parts = [part for message in messages for part in message.parts]
        shown.append([part.content for part in parts if isinstance(part, SystemPromptPart)])
        return ModelResponse([TextPart("Yes.")])

    native = Agent(FunctionModel(model), system_prompt="Static.")
    runs = iter(range(9))

    @native.system_prompt(dynamic=True)
    def number() -> str:
        return f"Run {next(runs)}."

    agent = with_session(native, store=store)
    for text in ("one", "two"):
        await agent.run(text, session="s")
    assert shown == [["Static.", "Run 0."], ["Static.", "Run 1."]]


# What it takes


def test_other_objects_have_no_methods():
    """An agent has the framework's methods; what is none has none."""
    found = pydantic_ai.methods(Agent("test"))
    assert isinstance(found, Methods)
    assert set(found.remember) == set(WAYS) - {"run_stream_sync"}
    assert pydantic_ai.methods(object()) is None
    assert pydantic_ai.values_in(object()) == []


def test_missing_extra(monkeypatch):
    """Without the framework the adapter is an ImportError that says what to install."""
    name = "memwrap.adapters.pydantic_ai"
    for module in [one for one in sys.modules if one.startswith(name)]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "pydantic_ai", None)
    with pytest.raises(ImportError, match=r'pip install "memwrap\[pydantic-ai\]"'):
        __import__(name)
