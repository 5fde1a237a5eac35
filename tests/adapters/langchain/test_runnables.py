import asyncio
import copy

import pytest
from corpus.chat_model import ScriptedModel, calling
from langchain_core.language_models.fake_chat_models import (
    FakeMessagesListChatModel,
    GenericFakeChatModel,
)
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import (
    Runnable,
    RunnableBinding,
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    RunnableSequence,
)
from pydantic import BaseModel

import memwrap
from memwrap import (
    ConfigurationError,
    ConversionError,
    InMemorySession,
    InMemoryStore,
    use_session,
    with_session,
)
from memwrap.adapters import langchain

PROMPT = ChatPromptTemplate.from_messages([("system", "Be kind."), MessagesPlaceholder("messages")])


class Model(GenericFakeChatModel):
    """Answers "answer 1", "answer 2" and so on, and takes tools."""

    def bind_tools(self, tools, **options):
        return super().bind(tools=[getattr(tool, "__name__", tool) for tool in tools], **options)


def model(**options):
    answers = (AIMessage(f"answer {number}") for number in range(1, 99))
    return Model(messages=answers, **options)


def same(messages):
    return messages


AGENTS = {
    "lambda": lambda: RunnableLambda(lambda messages: AIMessage(f"answer {len(messages)}")),
    "model": model,
    "binding": lambda: model().bind(stop=["."]),
    "sequence": lambda: PROMPT | model() | StrOutputParser(),
    "retry": lambda: model().with_retry(),
    "fallbacks": lambda: model().with_fallbacks([model()]),
}


@pytest.fixture(params=AGENTS.values(), ids=AGENTS)
def agent(request):
    return with_session(request.param())


def dialogue(session):
    """Return what is stored, as said."""
    return [item["content"] for item in asyncio.run(session.get_items())]


def text(answer):
    return getattr(answer, "content", answer)


async def text_of(events):
    return "".join([text(event) async for event in events])


def check_first_turn(session):
    said, answer = dialogue(session)
    assert (said, answer) == ("Hi", "answer 1")


# Turns


def test_invoke_remembers(agent, session):
    """Each synchronous turn is stored, and the next is shown it."""
    for number in (1, 2):
        agent.invoke("Hi", session=session)
        assert len(dialogue(session)) == 2 * number


async def test_ainvoke_remembers(agent, session):
    """Each asynchronous turn is stored, and the next is shown it."""
    for number in (1, 2):
        await agent.ainvoke("Hi", session=session)
        assert len(await session.get_items()) == 2 * number


def test_stream_remembers(agent, session):
    """A synchronous stream is stored as one message, when it has ended."""
    assert list(agent.stream("Hi", session=session))
    check_first_turn(session)


async def test_astream_remembers(agent, session):
    """An asynchronous stream is stored as one message, when it has ended."""
    assert await text_of(agent.astream("Hi", session=session)) == "answer 1"
    assert [item["content"] for item in await session.get_items()] == ["Hi", "answer 1"]


@pytest.mark.parametrize(
    ("first", "later"),
    [("resp_1", "resp_1"), ("resp_1", "msg_1"), ("msg_1", "msg_2"), ("run-1", "run-1")],
)
async def test_ids_within_a_stream(first, later, session):
    """One message's chunks with ids of several kinds, as providers give them, are one message."""

    async def pieces(messages):
        async for _ in messages:
            pass
        yield AIMessageChunk("", id=first)
        yield AIMessageChunk("an", id="lc_run--1")
        yield AIMessageChunk("swer", id=later)
        yield AIMessageChunk("", id="lc_run--1", chunk_position="last")
        yield AIMessageChunk("more", id="lc_run--2")
        yield AIMessageChunk("", id="lc_run--3")

    agent = with_session(RunnableGenerator(pieces), session=session)
    assert await text_of(agent.astream("Hi")) == "answermore"
    assert [item["content"] for item in await session.get_items()] == ["Hi", "answer", "more", ""]


async def test_streamed_tool_calls(session):
    """A model's streamed call is stored as a whole call, and what it said as one message."""
    agent = with_session(
        ScriptedModel(answers=[calling("c", city="Rome"), "It is sunny"], shown=[]),
        session=session,
    )
    for said in ("Weather?", ToolMessage("sunny", tool_call_id="c")):
        assert len([chunk async for chunk in agent.astream(said)]) > 1
    seen = [item.get("content") or item["type"] for item in await session.get_items()]
    assert seen == ["Weather?", "function_call", "function_call_output", "It is sunny"]


async def test_astream_left_early_stores_nothing(session):
    """A stream that the caller leaves is not stored, and the session is free for the next turn."""
    agent = with_session(model())
    events = agent.astream("Hi", session=session)
    async for _ in events:
        break
    await events.aclose()
    assert await session.get_items() == []
    await agent.ainvoke("Hi", session=session)
    assert len(await session.get_items()) == 2


async def test_history_is_shown_as_messages(session):
    """A runnable is shown history and input as LangChain's messages, tool calls included."""
    shown = []
    calling = AIMessage("", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "c1"}])
    answers = iter([[calling, ToolMessage("3", tool_call_id="c1"), AIMessage("Three.")], "Bye."])

    def run(messages):
        shown.append(messages)
        return next(answers)

    agent = with_session(RunnableLambda(run), session=session)
    await agent.ainvoke([("human", "Count.")])
    await agent.ainvoke(HumanMessage("Bye."))
    assert shown[1] == [
        HumanMessage("Count."),
        calling,
        ToolMessage("3", tool_call_id="c1"),
        AIMessage("Three."),
        HumanMessage("Bye."),
    ]


async def test_tool_calls_of_a_model(session):
    """A model's tool calls are stored, and a tool message may be the next input."""
    call = {"name": "f", "args": {"x": 1}, "id": "c1", "type": "tool_call"}
    answers = [AIMessage("", tool_calls=[call]), AIMessage("Three.")]
    agent = with_session(FakeMessagesListChatModel(responses=answers), session=session)
    answer = await agent.ainvoke("Count.")
    assert answer.tool_calls == [call]
    await agent.ainvoke([ToolMessage("3", tool_call_id="c1")])
    kinds = [item.get("type", item.get("role")) for item in await session.get_items()]
    assert kinds == ["user", "function_call", "function_call_output", "assistant"]


async def test_prompt_is_shown_the_history(session):
    """A prompt with one place for messages gets them all, and what it adds is not stored."""
    shown = []
    spy = RunnableLambda(lambda prompt: shown.append(prompt.to_messages()) or prompt)
    agent = with_session(PROMPT | spy | model() | StrOutputParser(), session=session)
    assert [await agent.ainvoke(text) for text in ("Hi", "More")] == ["answer 1", "answer 2"]
    assert [message.content for message in shown[1]] == ["Be kind.", "Hi", "answer 1", "More"]
    assert len(await session.get_items()) == 4


def test_failing_runnable_stores_nothing(session):
    """A runnable's own exception arrives unchanged, and nothing of the turn is stored."""
    agent = with_session(RunnableLambda(lambda messages: 1 / 0), session=session)
    with pytest.raises(ZeroDivisionError):
        agent.invoke("Hi")
    assert dialogue(session) == []


async def test_sync_methods_in_a_running_loop_name_the_async_ones(session):
    """In a running event loop the synchronous methods are refused, and the way out is named."""
    agent = with_session(model(), session=session)
    with pytest.raises(ConfigurationError, match=r"\.ainvoke"):
        agent.invoke("Hi")
    with pytest.raises(ConfigurationError, match=r"\.astream"):
        agent.stream("Hi")


async def test_one_off_turn(session):
    """`memwrap.run` takes a runnable."""
    assert (await memwrap.run(model(), "Hi", session=session)).content == "answer 1"
    assert len(await session.get_items()) == 2


# Batches


def test_batch_with_one_session(agent, session):
    """A batch is a turn for each input, in their order, when they share a session."""
    assert len(agent.batch(["one", "two"], session=session)) == 2
    assert dialogue(session)[::2] == ["one", "two"]


async def test_abatch_with_one_session(agent, session):
    """An asynchronous batch on one session takes its turns in order."""
    assert len(await agent.abatch(["one", "two"], session=session)) == 2
    assert [item["content"] for item in await session.get_items()][::2] == ["one", "two"]


def test_batch_with_a_session_each(agent):
    """A list of sessions gives each input its own conversation."""
    sessions = [InMemorySession("a"), InMemorySession("b")]
    agent.batch(["one", "two"], session=sessions)
    assert [dialogue(session)[0] for session in sessions] == ["one", "two"]


async def test_abatch_with_a_session_each_runs_at_once():
    """Inputs with a session each do not wait for one another."""
    together = asyncio.Barrier(2)

    async def run(messages):
        await together.wait()
        return messages[-1].content

    agent = with_session(RunnableLambda(same, afunc=run), store=InMemoryStore())
    async with asyncio.timeout(30):
        assert await agent.abatch(["one", "two"], session=["a", "b"]) == ["one", "two"]


def fail_on_two(messages):
    if messages[-1].content == "two":
        raise ValueError("two")
    return "fine"


def test_batch_with_failures(session):
    """A failing input ends the batch, or with `return_exceptions` takes only its own place."""
    agent = with_session(RunnableLambda(fail_on_two), session=session)
    results = agent.batch(["one", "two", "three"], return_exceptions=True)
    assert (results[0], str(results[1]), results[2]) == ("fine", "two", "fine")
    assert dialogue(session) == ["one", "fine", "three", "fine"]
    with pytest.raises(ValueError, match="two"):
        agent.batch(["two", "three"])
    assert len(dialogue(session)) == 4


async def test_abatch_with_failures(session):
    """The same holds for asynchronous batches, on one session and on several."""
    agent = with_session(RunnableLambda(fail_on_two), session=session)
    for options in ({}, {"session": [session, InMemorySession("other"), None]}):
        results = await agent.abatch(["one", "two", "three"], return_exceptions=True, **options)
        assert [type(result) for result in results] == [str, ValueError, str]
        with pytest.raises(ValueError, match="two"):
            await agent.abatch(["one", "two", "three"], **options)


@pytest.mark.parametrize("options", [{"session": [None]}, {"config": [{}, {}, {}]}])
def test_batch_that_does_not_pair_up(options):
    """Lists of sessions or configs that do not match the inputs are refused."""
    with pytest.raises(ConfigurationError, match="2 inputs"):
        with_session(model()).batch(["one", "two"], **options)


def test_batch_takes_configs(session):
    """Each input's config reaches its turn."""
    seen = []

    def run(messages, config):
        seen.append(config["metadata"]["place"])
        return "fine"

    agent = with_session(RunnableLambda(run), session=session)
    agent.batch(["one", "two"], [{"metadata": {"place": place}} for place in (1, 2)])
    agent.batch(["three", "four"], {"metadata": {"place": 3}})
    assert seen == [1, 2, 3, 3]


def test_batch_of_nothing():
    """A batch of nothing is nothing."""
    assert with_session(model()).batch([]) == []
    assert asyncio.run(with_session(model()).abatch([])) == []


def test_batch_as_completed_remembers(agent, session):
    """A batch handed out as it completes remembers each input."""
    assert len(list(agent.batch_as_completed(["one", "two"], session=session))) == 2
    assert sorted(dialogue(session)[::2]) == ["one", "two"]


# What is built on a remembering runnable

DERIVED = {
    "|": lambda agent: agent | RunnableLambda(same),
    "| parser": lambda agent: agent | StrOutputParser(),
    "| function": lambda agent: agent | same,
    "| sequence": lambda agent: agent | (RunnableLambda(same) | RunnableLambda(same)),
    "function |": lambda agent: same | agent,
    "pipe": lambda agent: agent.pipe(same, same),
    "bind": lambda agent: agent.bind(),
    "bind, bind": lambda agent: agent.bind().bind(),
    "with_config": lambda agent: agent.with_config(tags=["x"]),
    "with_config, |": lambda agent: agent.with_config(tags=["x"]) | same,
    "with_retry": lambda agent: agent.with_retry(stop_after_attempt=2),
    "with_types": lambda agent: agent.with_types(input_type=list),
    "with_listeners": lambda agent: agent.with_listeners(on_start=lambda run: None),
    "with_fallbacks": lambda agent: agent.with_fallbacks([]),
    "assign, pick": lambda agent: agent | (lambda text: {"a": text}) | (lambda made: made["a"]),
}


@pytest.fixture(params=DERIVED.values(), ids=DERIVED)
def derived(request, agent):
    return request.param(agent)


@pytest.fixture
def around(session):
    with use_session(session):
        yield session


def test_derived_invoke_remembers(derived, around):
    """What is built on a remembering runnable remembers when it is invoked."""
    derived.invoke("Hi")
    check_first_turn(around)


def test_derived_stream_remembers(derived, around):
    """What is built on a remembering runnable remembers when it streams."""
    assert list(derived.stream("Hi"))
    check_first_turn(around)


def test_derived_batch_remembers(derived, around):
    """What is built on a remembering runnable remembers a batch."""
    derived.batch(["one", "two"])
    assert sorted(dialogue(around)[::2]) == ["one", "two"]


def test_derived_async_methods_remember(derived, around):
    """What is built on a remembering runnable remembers in an event loop as well."""

    async def main():
        await derived.ainvoke("one")
        assert [event async for event in derived.astream("two")]
        await derived.abatch(["three"])

    asyncio.run(main())
    assert dialogue(around)[::2] == ["one", "two", "three"]


@pytest.mark.parametrize(
    "left",
    [
        RunnableLambda(same),
        RunnableLambda(same) | RunnableLambda(same),
        {"messages": RunnablePassthrough()} | RunnableLambda(lambda made: made["messages"]),
    ],
    ids=["runnable", "sequence", "mapping"],
)
def test_right_side_of_a_pipe_remembers(left, agent, around):
    """A remembering runnable at the end or in the middle of a sequence remembers there."""
    answers = [(left | agent).invoke("one"), (left | agent | same).invoke("two")]
    pieces = [text(piece) for piece in (left | agent | same).stream("three")]
    assert dialogue(around)[::2] == ["one", "two", "three"]
    assert dialogue(around)[1::2] == [*map(text, answers), "".join(pieces)]


def test_steps_of_a_sequence_run_once(around):
    """A remembering sequence within a larger one runs each of its steps once."""
    agent = with_session(RunnableLambda(lambda messages: "a") | (lambda said: said + "b"))
    for built in (agent | same | same, RunnableLambda(same) | same | agent, same | agent | same):
        assert built.invoke("Hi") == "ab"
    assert dialogue(around) == ["Hi", "ab"] * 3


def test_derived_takes_session(agent, session):
    """The session may be given to what is built on it, at the call or bound."""
    agent.with_config(tags=["x"]).invoke("one", session=session)
    (agent | StrOutputParser()).invoke("two", session=session)
    agent.bind(session=session).invoke("three")
    (agent.bind(session=session) | same).invoke("four")
    assert list((agent | same).stream("five", session=session))
    assert dialogue(session)[::2] == ["one", "two", "three", "four", "five"]


def test_map_remembers(agent, session):
    """A mapped runnable takes a turn for each element."""
    agent.map().invoke(["one", "two"], session=session)
    assert dialogue(session)[::2] == ["one", "two"]


def test_assign_and_pick(session):
    """Dicts that a remembering runnable's result is put into go on to later steps."""
    agent = with_session(RunnableLambda(lambda messages: {"role": "assistant", "content": "x"}))
    built = agent.assign(more=lambda made: made["content"] + "y").pick("more")
    assert built.invoke("Hi", session=session) == "xy"
    assert agent.pick("content").invoke("Ho", session=session) == "x"
    assert dialogue(session) == ["Hi", "x", "Ho", "x"]


def test_transform_remembers(agent, session):
    """The pieces of a streamed input are one input."""
    assert list(agent.transform(iter(["H", "i"]), session=session))
    check_first_turn(session)


def test_retry_takes_a_turn_each_time(session):
    """A retried turn that failed first is stored once."""
    failures = iter([True, False])

    def run(messages):
        if next(failures):
            raise ValueError("try again")
        return f"{len(messages)} messages"

    agent = with_session(RunnableLambda(run)).with_retry(
        retry_if_exception_type=(ValueError,), wait_exponential_jitter=False
    )
    assert agent.invoke("Hi", session=session) == "1 messages"
    assert dialogue(session) == ["Hi", "1 messages"]


class Forecast(BaseModel):
    sky: str


def test_tools_bound_to_a_remembering_model(session):
    """A model that remembers goes on remembering when tools are bound to it."""
    bound = with_session(model()).bind_tools([Forecast])
    assert bound.kwargs["tools"] == ["Forecast"]
    bound.invoke("Hi", session=session)
    check_first_turn(session)


def test_structured_output_of_a_remembering_model(session):
    """A model that remembers goes on remembering when its output is structured."""
    call = {"name": "Forecast", "args": {"sky": "blue"}, "id": "c1"}
    answers = iter([AIMessage("", tool_calls=[call])])
    structured = with_session(Model(messages=answers)).with_structured_output(Forecast)
    assert structured.invoke("Sky?", session=session) == Forecast(sky="blue")
    stored = asyncio.run(session.get_items())
    assert [item.get("arguments") for item in stored] == [None, '{"sky": "blue"}']


@pytest.mark.parametrize("name", ["astream_events", "astream_log"])
def test_event_streams_are_refused(agent, name):
    """Methods that cannot remember are refused, and the error names those that can."""
    with pytest.raises(ConfigurationError, match=f"{name} does not remember.*astream"):
        getattr(agent, name)("Hi")


@pytest.mark.parametrize("name", ["configurable_fields", "configurable_alternatives"])
def test_late_configuration_is_refused(name):
    """What would make a runnable without memory of one that has it is refused, with the way out."""
    with pytest.raises(ConfigurationError, match="configure the runnable first"):
        getattr(with_session(model()), name)(name="x")


PROMPTED = {"generate": [[]], "agenerate": [[]], "generate_prompt": [], "agenerate_prompt": []}


@pytest.mark.parametrize("name", PROMPTED)
@pytest.mark.parametrize("made", ["model", "binding", "fallbacks"])
def test_calls_with_whole_prompts_are_refused(made, name):
    """Methods of models that take prompts cannot remember, and the error names those that can."""
    with pytest.raises(ConfigurationError, match=f"{name} does not remember.*invoke"):
        getattr(with_session(AGENTS[made]()), name)(PROMPTED[name])


@pytest.mark.parametrize("made", ["model", "binding", "sequence"])
@pytest.mark.parametrize("way", [copy.copy, lambda agent: agent.model_copy()])
def test_copies_remember(made, way, session):
    """A copy of a remembering runnable remembers in the same session."""
    agent = with_session(AGENTS[made](), session=session)
    way(agent).invoke("Hi")
    assert len(dialogue(session)) == 2


@pytest.mark.parametrize("made", ["binding", "fallbacks"])
def test_tools_bound_through_a_remembering_runnable(made, session):
    """What a binding hands on to its model makes a remembering runnable of it, too."""
    agent = with_session(AGENTS[made](), session=session)
    agent.bind_tools([Forecast]).invoke("Hi")
    check_first_turn(session)


DICTS = {
    "a prompt's variables": (PROMPT | model(), {"question": "Sky?"}, "input_messages_key"),
    "a state": (model(), {"messages": ["Sky?"]}, "input_messages_key"),
    "a role of nothing": (model(), {"role": None, "content": "Sky?"}, "input_messages_key"),
    "a dict": (RunnableLambda(lambda messages: {"sky": "blue"}), "Sky?", "adapter="),
    "several": (RunnableParallel(a=model(), b=model()), "Sky?", "output_messages_key"),
    "a list": (RunnableLambda(lambda messages: [{"sky": "blue"}]), "Sky?", "adapter="),
    "parsed": (RunnableLambda(lambda messages: {"parsed": 1}), "Sky?", "adapter="),
}


@pytest.mark.parametrize(("runnable", "given", "hint"), DICTS.values(), ids=DICTS)
@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_dicts_that_are_no_messages(runnable, given, hint, way, session):
    """A dict that is no message is refused with the way out; an answer is not lost by that."""
    with pytest.raises(ConversionError, match=hint) as caught:
        list(getattr(with_session(runnable, session=session), way)(given))
    assert "None" not in str(caught.value)
    assert "blue" not in str(caught.value)
    assert (caught.value.result is None) == (hint == "input_messages_key")
    assert dialogue(session) == []


@pytest.mark.filterwarnings("ignore:This API is in beta")
def test_tool_remembers(session):
    """A tool made of a remembering runnable remembers."""

    def answer(messages: list[str]) -> str:
        return f"{len(messages)}"

    tool = with_session(RunnableLambda(answer), session=session).as_tool(
        name="ask", description="Ask.", arg_types={"content": str, "role": str}
    )
    for _ in range(2):
        tool.invoke({"content": "Hi", "role": "user"})
    assert dialogue(session) == ["Hi", "1", "Hi", "3"]


async def test_event_stream_of_a_sequence_remembers(session):
    """The events of a sequence around the runnable are there, and the turn is stored."""
    agent = with_session(model()) | RunnablePassthrough()
    kinds = [event["event"] async for event in agent.astream_events("Hi", session=session)]
    assert "on_chat_model_stream" in kinds
    assert [item["content"] for item in await session.get_items()] == ["Hi", "answer 1"]


# Still the runnable that it was


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("lambda", RunnableLambda),
        ("model", GenericFakeChatModel),
        ("binding", RunnableBinding),
        ("sequence", RunnableSequence),
    ],
)
def test_isinstance_holds(name, kind):
    """A remembering runnable is an instance of its class, and has its other attributes."""
    plain = AGENTS[name]()
    agent = with_session(plain)
    assert isinstance(agent, kind)
    assert isinstance(agent, Runnable)
    assert agent.get_name() == plain.get_name()
    assert agent.InputType == plain.InputType


def test_wrapped_runnable_is_unchanged(session):
    """The runnable itself goes on without memory."""
    plain = model()
    with_session(plain, session=session)
    plain.invoke("Hi")
    assert dialogue(session) == []


def test_messages_are_no_agents():
    """An object of LangChain's that does not run is refused as an agent."""
    assert langchain.methods(AIMessage("Hi")) is None
    with pytest.raises(ConfigurationError, match="AIMessage cannot be called"):
        with_session(AIMessage("Hi"))
