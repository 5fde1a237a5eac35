"""LlamaIndex's agents with memory: what they see, what is stored, what their callers get."""

import asyncio
import warnings

import pytest
from corpus.exactness import seen
from corpus.llama_index_model import AGENTS, Script, calling, function_agent, look, react_agent
from llama_index.core.agent.workflow import (
    AgentOutput,
    AgentStream,
    AgentWorkflow,
    CodeActAgent,
    FunctionAgent,
    ReActAgent,
    ToolCallResult,
)
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock, ToolCallBlock
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import (
    Context,
    HumanResponseEvent,
    InputRequiredEvent,
    StopEvent,
)
from support import gathered

import memwrap
from memwrap import (
    ConfigurationError,
    ConversionError,
    SQLiteStore,
    undo,
    use_session,
    with_session,
)
from memwrap.adapters import llama_index
from memwrap.adapters.llama_index import MemwrapMemory
from memwrap.items import assistant, text_of, user
from memwrap.middleware import Memory, Redact, Trim

both = pytest.mark.parametrize("make", AGENTS.values(), ids=AGENTS.keys())

CALLS = [("c1", "Kiel"), ("c2", "Oslo")]
SAID = [
    ("user", "Is the sea calm?"),
    ("assistant", "I look."),
    ("function_call", "c1", '{"port": "Kiel"}'),
    ("function_call", "c2", '{"port": "Oslo"}'),
    ("function_call_output", "c1", "{'at': 'Kiel', 'sea': 'calm'}"),
    ("function_call_output", "c2", "{'at': 'Oslo', 'sea': 'calm'}"),
    ("assistant", "Calm in both."),
]


async def stored(session):
    """Return what a session says, item by item."""
    return [
        (item["role"], text_of(item))
        if "role" in item
        else (item["type"], item["call_id"], item.get("arguments") or item.get("output"))
        for item in await session.get_items()
    ]


# What is seen and stored


@both
async def test_turns_with_tools(make, session):
    """A turn is stored as it happened, and the next one sees it as the run itself did."""
    script, agent = make(calling(*CALLS, text="I look."), "Calm in both.", "Yes.")
    remembering = with_session(agent)
    result = await remembering.run("Is the sea calm?", session=session)
    assert type(result) is AgentOutput
    assert str(result) == "Calm in both."
    assert [call.tool_output.content for call in result.tool_calls] == [
        text for *_, text in SAID[4:6]
    ]
    assert await stored(session) == SAID
    await remembering.run(user_msg="Sure?", session=session)
    *_, last = script.messages
    assert last[:-2] == script.messages[1]
    assert script.shown[-1][0] == ("system", "Be kind.")
    assert script.shown[-1][-2:] == [("assistant", "Calm in both."), ("user", "Sure?")]
    assert len(await session.get_items()) == 9


@both
async def test_another_process(make, path):
    """What is stored in a file is shown by another agent, with the framework's own messages."""
    _, agent = make(calling(*CALLS), "Calm.")
    async with SQLiteStore(path) as store:
        await with_session(agent, store=store).run("Calm?", session="s")
    script, agent = make("Yes.")
    async with SQLiteStore(path) as store:
        await with_session(agent, store=store).run("Sure?", session="s")
        assert len(await store.session("s").get_items()) == 8
    blocks = script.messages[0][2].blocks
    assert [block.tool_kwargs for block in blocks] == [{"port": "Kiel"}, {"port": "Oslo"}]


async def test_messages_as_input(session):
    """The input may be a message with pictures, items, or several messages."""
    script, agent = function_agent("A", "B", "C")
    remembering = with_session(agent, session=session)
    picture = ImageBlock(image=b"\x89PNG\r\n\x1a\n" + bytes(9), image_mimetype="image/png")
    await remembering.run(ChatMessage(role="user", blocks=[TextBlock(text="See"), picture]))
    assert script.messages[0][-1].blocks[1] == picture
    await remembering.run([user("One."), user("Two.")])
    assert script.shown[1][-2:] == [("user", "One."), ("user", "Two.")]
    await remembering.run(user_msg=[{"role": "system", "content": "Be brief."}, user("Three.")])
    assert ("system", "Be brief.") in script.shown[2]
    assert [role for role, _ in await stored(session)] == [
        *("user", "assistant", "user", "user", "assistant", "system", "user", "assistant")
    ]


async def test_outputs_as_input(session):
    """An input that ends in no question goes on with what was stored."""
    script, agent = function_agent("Calm.")
    call = {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"}
    await session.add_items([user("Calm?"), call])
    output = {"type": "function_call_output", "call_id": "c", "output": "calm"}
    await with_session(agent).run([output], session=session)
    assert script.shown[0][-2:] == [("assistant", None), ("tool", "calm")]
    assert [kind for kind, *_ in await stored(session)][2:] == ["function_call_output", "assistant"]


async def test_history_of_other_dialects(session):
    """An agent goes on with what functions have stored, calls and outputs too."""

    @with_session(session=session)
    async def function(items):
        return [
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "Hm"}],
            },
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "calm"},
            assistant("Calm."),
        ]

    await function("Calm?")
    script, agent = function_agent("Yes.")
    await with_session(agent).run("Sure?", session=session)
    assert script.shown[0][1:] == [
        *(("user", "Calm?"), ("assistant", None), ("tool", "calm"), ("assistant", "Calm.")),
        ("user", "Sure?"),
    ]
    assert script.messages[0][2].blocks == [
        ToolCallBlock(tool_call_id="c1", tool_name="look", tool_kwargs={})
    ]


async def test_error_of_a_tool(session):
    """The framework shows a model the text of a tool's error; that is what is stored."""
    _, agent = function_agent(calling(("c1", "Atlantis")), "It is lost.")
    await with_session(agent).run("Atlantis?", session=session)
    assert (await stored(session))[2] == ("function_call_output", "c1", "Atlantis")


async def test_direct_return(session):
    """The output of a tool that answers in the model's place is the answer."""
    tool = FunctionTool.from_defaults(look, return_direct=True)
    _, agent = function_agent(calling(("c1", "Kiel")), tools=[tool])
    result = await with_session(agent).run("Calm?", session=session)
    assert (await stored(session))[-1] == ("assistant", str(result))
    assert len(await session.get_items()) == 4


async def test_state_of_an_agent(session):
    """The agent's own instructions and state are shown to the model, and not stored."""
    script, agent = function_agent("Hi.", initial_state={"mood": "good"})
    await with_session(agent).run("Hello", session=session)
    assert "mood" in script.shown[0][-1][1]
    assert await stored(session) == [("user", "Hello"), ("assistant", "Hi.")]


async def test_handoff(session):
    """A workflow of agents stores what all of them did, the handoff too."""
    call = ToolCallBlock(
        tool_call_id="h", tool_name="handoff", tool_kwargs={"to_agent": "B", "reason": "tides"}
    )
    first = Script(ChatMessage(role="assistant", blocks=[call]), "A again.")
    second = Script("B here.")
    agents = [
        FunctionAgent(name=name, description=name, llm=script.model, system_prompt=f"I am {name}.")
        for name, script in (("A", first), ("B", second))
    ]
    remembering = with_session(AgentWorkflow(agents=agents, root_agent="A"))
    result = await remembering.run("Tides?", session=session)
    assert result.current_agent_name == "B"
    kinds = ["user", "function_call", "function_call_output", "assistant"]
    assert [kind for kind, *_ in await stored(session)] == kinds
    assert second.shown[0][0] == ("system", "I am B.")
    await remembering.run("And now?", session=session)
    assert [role for role, _ in first.shown[1]] == [
        *("system", "user", "assistant", "tool", "assistant", "user")
    ]


async def test_code_agent(session):
    """An agent that writes code is remembered by what it puts into its memory."""
    script = Script("<execute>print(1)</execute>", "One.")
    agent = CodeActAgent(code_execute_fn=lambda code: "1", llm=script.model)
    await with_session(agent).run("Count", session=session)
    said = await stored(session)
    assert said[0] == ("user", "Count")
    assert said[1] == ("assistant", "<execute>print(1)</execute>")
    assert said[-1] == ("assistant", "One.")


# Agents that write their steps

STEP = 'Thought: I look.\nAction: look\nAction Input: {"port": "Kiel"}'
ANSWER = "Thought: I know.\nAnswer: Calm."


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("is_flow", [False, True])
async def test_steps_are_calls(streaming, is_flow, session):
    """What is stored of steps are calls, outputs and the answer; the model is shown steps again."""
    answers = (STEP, ANSWER, "Thought: easy.\nAnswer: Yes.")
    script, agent = react_agent(*answers, streaming=streaming)
    remembering = with_session(AgentWorkflow(agents=[agent]) if is_flow else agent)
    result = await remembering.run("Calm?", session=session)
    assert str(result) == "Calm."
    said = await stored(session)
    assert [kind for kind, *_ in said] == [
        *("user", "function_call", "function_call_output", "assistant")
    ]
    assert said[1][2] == '{"port": "Kiel"}'
    assert said[1][1] == said[2][1]
    assert said[3] == ("assistant", "Calm.")
    assert str(await remembering.run("Sure?", session=session)) == "Yes."
    assert script.shown[2][1:] == [
        ("user", "Calm?"),
        ("assistant", 'Action: look\nAction Input: {"port": "Kiel"}'),
        ("user", "Observation: {'at': 'Kiel', 'sea': 'calm'}"),
        *(("assistant", "Calm."), ("user", "Sure?")),
    ]


async def test_calls_of_others_are_steps(session):
    """Calls that others made, several at once too, are shown as steps, each with its output."""
    _, other = function_agent(calling(*CALLS, text="I look."), "Calm.", calling(CALLS[0]), "Yes.")
    remembering = with_session(other, session=session)
    await remembering.run("Calm?")
    await remembering.run("Still?")
    script, agent = react_agent(ANSWER)
    await with_session(agent).run("Sure?", session=session)
    assert [text.split("\n")[-1][:18] for _, text in script.shown[0][2:9]] == [
        *('Action Input: {"po', "Observation: {'at'", 'Action Input: {"po', "Observation: {'at'"),
        *("Calm.", "Still?", 'Action Input: {"po'),
    ]
    assert script.shown[0][2][1].startswith("I look.\nAction: look\n")


async def test_a_malformed_step_is_not_stored(session):
    """What a model wrote in no form that the agent can read is tried again, and not stored."""
    script, agent = react_agent("Thought: hm\nAction: nothing", ANSWER)
    await with_session(agent).run("Calm?", session=session)
    assert await stored(session) == [("user", "Calm?"), ("assistant", "Calm.")]
    assert len(script.shown) == 2


# Sessions


async def test_ways_to_name_a_session():
    """The session comes by id, by key, from the surroundings, or by binding."""
    script, agent = function_agent(*"ABCDEF")
    store = memwrap.InMemoryStore()
    remembering = with_session(agent, store=store, key="user_id")
    await remembering.run("1", user_id="ada")
    await remembering.run("2", session="ada")
    bound = remembering.on("ada")
    await bound.run("3")
    assert [text for _, text in script.shown[-1][1:]] == ["1", "A", "2", "B", "3"]
    remembering = with_session(agent, store=store)
    with use_session("ada"):
        await remembering.run("4")
    assert len(script.shown[-1]) == 8
    with pytest.raises(ConfigurationError, match="has nothing to remember in"):
        remembering.run("5")
    await remembering.run("6", session=None)
    assert len(script.shown[-1]) == 2


async def test_many_sessions_at_once():
    """One remembering agent serves many conversations at the same time."""
    script, agent = function_agent(*[lambda messages: messages[-1].content.upper()] * 40)
    store = memwrap.InMemoryStore()
    remembering = with_session(agent, store=store)
    for turn in "ab":
        runs = [remembering.run(f"{turn}{n}", session=f"s{n}") for n in range(20)]
        assert [str(result) for result in await asyncio.gather(*runs)] == [
            f"{turn}{n}".upper() for n in range(20)
        ]
    for n in range(20):
        said = [text for _, text in await stored(store.session(f"s{n}"))]
        assert said == [f"a{n}", f"A{n}", f"b{n}", f"B{n}"]


async def test_one_session_at_once(session):
    """Runs on one session come one after the other, in their order."""
    script, agent = function_agent(*"ABC")
    remembering = with_session(agent, session=session)
    await asyncio.gather(*(remembering.run(text) for text in "123"))
    assert [text for _, text in await stored(session)] == ["1", "A", "2", "B", "3", "C"]


async def test_run_function(session):
    """`memwrap.run` runs one turn of an agent, and stores the same."""
    _, agent = function_agent(calling(*CALLS, text="I look."), "Calm in both.")
    result = await memwrap.run(agent, "Is the sea calm?", session=session)
    assert isinstance(result, AgentOutput)
    assert str(result) == "Calm in both."
    assert await stored(session) == SAID


async def test_layers(session):
    """Layers see the turn: they cut what the agent sees, and redact what is stored."""
    script, agent = function_agent(*"ABC")
    layers = [Redact(r"PIN \d+"), Trim(max_turns=1)]
    remembering = with_session(agent, session=session, middleware=layers)
    for text in ("PIN 4711", "two", "three"):
        await remembering.run(text)
    assert "4711" not in repr(await session.get_items())
    assert [text for _, text in script.shown[-1][1:]] == ["two", "B", "three"]


async def test_undo(session):
    """A run with tools is one turn, which can be taken back."""
    _, agent = function_agent(calling(*CALLS), "Calm.")
    await with_session(agent).run("Calm?", session=session)
    assert len((await undo(session))[0]) == 6
    assert await session.get_items() == []


async def test_a_turn_within_a_tool(session):
    """A tool may call another remembering agent, with a session of its own."""
    other = memwrap.InMemorySession("other")
    _, inner = function_agent("Inner.")
    inner = with_session(inner)

    async def ask(question: str) -> str:
        """Ask."""
        return str(await inner.run(question, session=other))

    call = ToolCallBlock(tool_call_id="c", tool_name="ask", tool_kwargs={"question": "Q"})
    _, outer = function_agent(ChatMessage(role="assistant", blocks=[call]), "Outer.", tools=[ask])
    await with_session(outer).run("Hello", session=session)
    assert await stored(other) == [("user", "Q"), ("assistant", "Inner.")]
    assert (await stored(session))[-1] == ("assistant", "Outer.")


# Failures


class ModelError(Exception):
    """What a model raises."""


@both
async def test_a_failure_stores_nothing(make, session):
    """The framework's error reaches who awaits the run, unchanged, and nothing is stored."""
    _, agent = make(calling(*CALLS), ModelError("no"), "Yes.")
    remembering = with_session(agent, session=session)
    with pytest.raises(ModelError, match="^no$"):
        await remembering.run("Calm?")
    assert await session.get_items() == []
    await remembering.run("Still?")
    assert await stored(session) == [("user", "Still?"), ("assistant", "Yes.")]


async def test_a_failure_may_keep_the_input(session):
    """With `keep_input` the question stays, and its answer is added when it comes again."""
    _, agent = function_agent(ModelError("no"), "Yes.")
    layers = [Memory(on_error="keep_input")]
    remembering = with_session(agent, session=session, middleware=layers)
    with pytest.raises(ModelError):
        await remembering.run("Calm?")
    assert await stored(session) == [("user", "Calm?")]
    await remembering.run("Calm?")
    assert await stored(session) == [("user", "Calm?"), ("assistant", "Yes.")]


async def test_too_many_steps(session):
    """A run that the framework ends by its own limit is a failure."""
    _, agent = function_agent(*[calling(("c", "Kiel"))] * 3)
    with pytest.raises(Exception, match="Max iterations"):
        await with_session(agent).run("Calm?", session=session, max_iterations=2)
    assert await session.get_items() == []


# What would remember twice, or cannot be seen


@pytest.mark.parametrize("name", ["memory", "chat_history"])
@both
async def test_second_memories_are_refused(make, name, session):
    """A memory or history of the framework's is refused, with the way to use it."""
    script, agent = make("A", "B")
    remembering = with_session(agent)
    given = {"memory": ChatMemoryBuffer.from_defaults(), "chat_history": [ChatMessage(content="x")]}
    with pytest.raises(ConfigurationError, match=rf"{name}=.*MemwrapMemory\(session\)"):
        remembering.run("Hello", session=session, **{name: given[name]})
    with use_session(session), pytest.raises(ConfigurationError, match=f"{name}="):
        await remembering.run("Hello", **{name: given[name]})
    assert script.shown == []
    assert await session.get_items() == []
    await remembering.run("Hello", session=None, **{name: given[name]})
    assert script.shown[0][-1] == ("user", "Hello")


async def test_context_goes_on(session):
    """A context keeps its state from run to run; the memory in it is the session's."""

    async def count(ctx: Context) -> str:
        """Count."""
        seen_before = await ctx.store.get("count", default=0)
        await ctx.store.set("count", seen_before + 1)
        return str(seen_before + 1)

    call = ToolCallBlock(tool_call_id="c", tool_name="count", tool_kwargs={})
    answers = [ChatMessage(role="assistant", blocks=[call]), "Done."]
    script, agent = function_agent(*answers, *answers, tools=[count])
    remembering = with_session(agent, session=session)
    ctx = Context(agent)
    await remembering.run("One", ctx=ctx)
    handler = remembering.run("Two", ctx=ctx)
    assert handler.ctx is ctx
    await handler
    assert [text for *_, text in await stored(session)] == [
        *("One", "{}", "1", "Done.", "Two", "{}", "2", "Done.")
    ]
    assert [text for _, text in script.shown[2][1:]] == ["One", None, "1", "Done.", "Two"]


async def test_context_of_a_failed_run(session):
    """A run that failed leaves nothing in its context that the next one would store."""
    _, agent = function_agent(calling(*CALLS), ModelError("no"), "Yes.")
    remembering = with_session(agent, session=session)
    ctx = Context(agent)
    with pytest.raises(ModelError):
        await remembering.run("Calm?", ctx=ctx)
    result = await remembering.run("Still?", ctx=ctx)
    assert result.tool_calls == []
    assert await stored(session) == [("user", "Still?"), ("assistant", "Yes.")]


async def test_context_with_a_memory_is_refused(session):
    """A context that a run with another memory has left is refused."""
    script, agent = function_agent("A", "B")
    ctx = Context(agent)
    await agent.run("Hello", ctx=ctx)
    with pytest.raises(ConfigurationError, match="ctx= with a memory in it"):
        await with_session(agent).run("Hello", session=session, ctx=ctx)
    assert len(script.shown) == 1


async def test_without_a_session_the_framework_remembers():
    """Without a session an agent is as it was: a memory of the caller's goes on."""
    script, agent = function_agent(*"CD")
    remembering = with_session(agent)
    memory = ChatMemoryBuffer.from_defaults(llm=script.model)
    other = [ChatMessage(content="Other")]
    await remembering.run("3", memory=memory, chat_history=other)
    await remembering.run("4", memory=memory)
    assert [text for _, text in script.shown[1][1:]] == ["Other", "3", "C", "4"]


# Functions around agents


async def test_function_that_runs_an_agent(session):
    """A function may return an output: the calls that it tells of are stored too."""
    script, agent = function_agent(calling(*CALLS), "Calm.", "Yes.")

    @with_session(session=session, adapter=llama_index)
    async def function(messages):
        return await agent.run(chat_history=messages)

    await function("Calm?")
    kinds = [kind for kind, *_ in await stored(session)]
    assert kinds.count("function_call") == kinds.count("function_call_output") == 2
    assert (await stored(session))[-1] == ("assistant", "Calm.")
    await function("Sure?")
    assert script.shown[-1][-1] == ("user", "Sure?")


async def test_function_that_streams_an_agent(session):
    """A function may yield the events of a run: they add up to what the run has done."""
    _, agent = function_agent(calling(*CALLS, text="I look."), "Calm in both.")

    @with_session(session=session, adapter=llama_index)
    async def function(messages):
        async for event in agent.run(chat_history=messages).stream_events():
            yield event

    await gathered(function("Is the sea calm?"))
    assert await stored(session) == SAID


async def test_function_that_streams_steps(session):
    """Steps in the events of a run are calls; one that could not be read says nothing."""
    _, agent = react_agent("Thought: hm\nAction: nothing", STEP, ANSWER)

    @with_session(session=session, adapter=llama_index)
    async def function(messages):
        async for event in agent.run(chat_history=messages).stream_events():
            yield event

    await gathered(function("Calm?"))
    said = await stored(session)
    assert [kind for kind, *_ in said] == [
        *("user", "function_call", "function_call_output", "assistant")
    ]
    assert said[-1] == ("assistant", "Calm.")


async def test_function_that_forgets_to_await(session):
    """A handler that nobody has awaited is no result."""
    _, agent = function_agent("A")

    @with_session(session=session, adapter=llama_index)
    async def function(messages):
        return agent.run(chat_history=messages)

    with pytest.raises(ConversionError, match="await it"):
        await function("Hello")


async def test_function_around_a_model(session):
    """A function may return a response, or yield those of a stream."""
    script = Script("Hi.", ["H", "o", "."])

    @with_session(session=session, adapter=llama_index)
    async def function(messages):
        return await script.model.achat(messages)

    @with_session(session=session, adapter=llama_index)
    async def stream(messages):
        async for response in await script.model.astream_chat(messages):
            yield response

    await function("Hello")
    await gathered(stream("Again"))
    assert [text for _, text in await stored(session)] == ["Hello", "Hi.", "Again", "Ho."]


def test_nothing_is_warned_of(session):
    """Wrapping an agent warns of nothing."""
    _, agent = function_agent()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with_session(agent, session=session)


async def test_human_in_the_loop(session):
    """A tool may wait for a person, who answers through the context of the run."""

    async def confirm(ctx: Context) -> str:
        """Confirm."""
        answer = await ctx.wait_for_event(
            HumanResponseEvent, waiter_event=InputRequiredEvent(prefix="Sure?")
        )
        return answer.response

    call = ToolCallBlock(tool_call_id="c", tool_name="confirm", tool_kwargs={})
    _, agent = function_agent(
        ChatMessage(role="assistant", blocks=[call]), "Done.", tools=[confirm]
    )
    handler = with_session(agent).run("Delete it", session=session)
    async for event in handler.stream_events():
        if isinstance(event, InputRequiredEvent):
            handler.ctx.send_event(HumanResponseEvent(response="yes"))
    assert str(await handler) == "Done."
    assert (await stored(session))[2] == ("function_call_output", "c", "yes")


@pytest.mark.parametrize("way", ["agent", "run"])
async def test_repeated_turn(way, session):
    """A known turn id gives the same answer with the same calls, and the model is not called."""
    script, agent = function_agent(calling(*CALLS, text="I look."), "Calm in both.")
    remembering = with_session(agent, session=session)

    async def run():
        if way == "run":
            return await memwrap.run(remembering, "Calm?", turn_id="t")
        return await remembering.run("Calm?", turn_id="t")

    first, second = await run(), await run()
    assert type(second) is type(first)
    assert [memwrap.is_replay(result) for result in (first, second)] == [False, True]
    assert second.response == first.response
    assert [call.tool_output.content for call in second.tool_calls] == [
        call.tool_output.content for call in first.tool_calls
    ]
    assert len(script.shown) == 2
    assert len(await session.get_items()) == 7


async def test_repeated_stream(session):
    """A known turn id gives events again: the texts, calls and results of the stored run."""
    _, agent = function_agent(calling(*CALLS, text="I look."), ["Calm ", "in both."])
    remembering = with_session(agent, session=session)
    first = remembering.run("Calm?", turn_id="t")
    told = await gathered(first.stream_events())
    again = remembering.run("Calm?", turn_id="t")
    events = await gathered(again.stream_events())
    deltas = [e.delta for e in events if isinstance(e, AgentStream)]
    assert deltas == ["I look.", "Calm in both."]
    for kind in (AgentOutput, ToolCallResult, StopEvent):
        assert sum(type(e) is kind for e in events) == sum(type(e) is kind for e in told)
    assert (await again).response == (await first).response


def test_what_is_no_agent():
    """Functions and other objects have no methods here."""
    assert llama_index.methods(print) is None
    assert isinstance(with_session(react_agent()[1]), ReActAgent)
    assert MemwrapMemory.class_name() == "MemwrapMemory"


async def test_same_items_by_each_way(session, store):
    """Awaited, streamed or run by `memwrap.run`, a turn is stored as the same items."""
    found = []
    for way in ("await", "stream", "run"):
        _, agent = function_agent(calling(*CALLS, text="I look."), "Calm in both.")
        remembering = with_session(agent, store=store)
        if way == "run":
            await memwrap.run(remembering, "Calm?", session=way)
        else:
            handler = remembering.run("Calm?", session=way)
            if way == "stream":
                await gathered(handler.stream_events())
            await handler
        found.append(await store.session(way).get_items())
    assert found[0] == found[1] == found[2]
    assert len(seen(found[0])) == 7
