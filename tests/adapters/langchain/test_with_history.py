"""What replaces `RunnableWithMessageHistory`: the same arguments, without its faults."""

import asyncio
import warnings

import pytest
from corpus.chat_model import ScriptedModel, calling
from langchain.agents import create_agent
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import (
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.runnables.utils import AddableDict, ConfigurableFieldSpec

from memwrap import (
    ConfigurationError,
    ConversionError,
    InMemorySession,
    InMemoryStore,
    SQLiteStore,
    TurnNotSaved,
    with_session,
)
from memwrap.adapters.langchain import SessionChatMessageHistory, from_runnable_with_history
from memwrap.items import assistant, user
from memwrap.middleware import Redact, Trim

CONFIG = {"configurable": {"session_id": "one"}}
PROMPT = ChatPromptTemplate(
    [("system", "Be {mood}."), MessagesPlaceholder("history"), ("human", "{question}")]
)


class History(BaseChatMessageHistory):
    """A history of LangChain's, on a list that is kept elsewhere."""

    def __init__(self, kept):
        self.kept = kept

    @property
    def messages(self):
        return list(self.kept)

    def add_messages(self, messages):
        self.kept.extend(messages)

    def clear(self):
        self.kept.clear()


@pytest.fixture
def kept():
    """The messages of each session, by id."""
    return {}


@pytest.fixture
def get_history(kept):
    """Make a new history object for each call, as most factories do."""
    return lambda session_id: History(kept.setdefault(session_id, []))


def heard(messages):
    return " ".join(message.text for message in messages if message.type == "human")


def question_and_history(value):
    return heard(value["history"]) + " " + value["question"]


# How the runnable takes its messages and gives its answer, and the arguments for it.
FORMS = {
    "messages": ({}, heard, lambda said: [HumanMessage(said)], str),
    "text": ({}, heard, lambda said: said, str),
    "a message": ({}, lambda value: AIMessage(heard(value)), HumanMessage, AIMessage),
    "a dict of messages": (
        {"input_messages_key": "said"},
        lambda value: heard(value["said"]),
        lambda said: {"said": said},
        str,
    ),
    "a dict with the only key": ({}, heard, lambda said: {"anything": said}, str),
    "history apart": (
        {"input_messages_key": "question", "history_messages_key": "history"},
        lambda value: question_and_history(value).strip(),
        lambda said: {"question": said, "mood": "kind"},
        str,
    ),
    "messages beside the history": (
        {"input_messages_key": "question", "history_messages_key": "history"},
        lambda value: [AIMessage(heard([*value["history"], *value["question"]]))],
        lambda said: {"question": [HumanMessage(said)]},
        lambda said: [AIMessage(said)],
    ),
    "a message beside the history": (
        {"input_messages_key": "question", "history_messages_key": "history"},
        lambda value: heard([*value["history"], value["question"]]),
        lambda said: {"question": HumanMessage(said)},
        str,
    ),
    "a dict returned": (
        {
            "input_messages_key": "question",
            "history_messages_key": "history",
            "output_messages_key": "answer",
        },
        lambda value: {"answer": question_and_history(value).strip(), "documents": [1, 2]},
        lambda said: {"question": said},
        lambda said: {"answer": said, "documents": [1, 2]},
    ),
    "a dict of messages returned": (
        {"output_messages_key": "answer"},
        lambda value: {"answer": [AIMessage(heard(value))]},
        lambda said: [HumanMessage(said)],
        lambda said: {"answer": [AIMessage(said)]},
    ),
}


def call(way, agent, *args, **options):
    """Call in one of the four ways; a stream is returned as its only event."""
    if way == "invoke":
        return agent.invoke(*args, **options)
    if way == "ainvoke":
        return asyncio.run(agent.ainvoke(*args, **options))
    if way == "stream":
        (event,) = agent.stream(*args, **options)
        return event

    async def collect():
        return [event async for event in agent.astream(*args, **options)]

    (event,) = asyncio.run(collect())
    return event


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
@pytest.mark.parametrize(("options", "function", "given", "got"), FORMS.values(), ids=FORMS)
def test_all_forms(way, options, function, given, got, get_history, kept):
    """Each form of input and output gets its history, and is stored once, in all four ways."""
    agent = from_runnable_with_history(RunnableLambda(function), get_history, **options)
    assert call(way, agent, given("hello"), CONFIG) == got("hello")
    assert call(way, agent, given("bye"), CONFIG) == got("hello bye")
    assert [(message.type, message.text) for message in kept["one"]] == [
        *(("human", "hello"), ("ai", "hello"), ("human", "bye"), ("ai", "hello bye")),
    ]


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize(("options", "function", "given", "got"), FORMS.values(), ids=FORMS)
@pytest.mark.filterwarnings("ignore:.*RunnableWithMessageHistory is deprecated")
def test_same_as_the_wrapper_it_replaces(way, options, function, given, got, get_history, kept):
    """LangChain's wrapper, given the same, answers and stores the same."""
    runnable = RunnableLambda(function)
    theirs = RunnableWithMessageHistory(runnable, get_history, **options)
    ours = from_runnable_with_history(runnable, get_history, **options)
    for said in ("hello", "bye"):
        expected = call(way, theirs, given(said), {"configurable": {"session_id": "theirs"}})
        assert call(way, ours, given(said), {"configurable": {"session_id": "ours"}}) == expected

    def seen(messages):
        return [(message.type, message.text) for message in messages]

    assert seen(kept["ours"]) == seen(kept["theirs"])


async def test_items(get_history, kept):
    """Input and answer may be items, which are dicts too."""
    agent = from_runnable_with_history(
        RunnableLambda(lambda messages: assistant(heard(messages))), get_history
    )
    assert await agent.ainvoke(user("hello"), CONFIG) == assistant("hello")
    assert await agent.ainvoke([user("bye")], CONFIG) == assistant("hello bye")
    assert len(kept["one"]) == 4


def model(*answers):
    return ScriptedModel(answers=list(answers), shown=[])


async def test_prompt_with_a_place_for_the_history(tmp_path):
    """A chain of prompt, model and parser remembers in a store of memwrap's."""
    store = SQLiteStore(tmp_path / "chat.db")
    chat = model("Hello Ada", "You are Ada")
    agent = from_runnable_with_history(
        PROMPT | chat | StrOutputParser(),
        store,
        input_messages_key="question",
        history_messages_key="history",
    )
    await agent.ainvoke({"question": "I am Ada", "mood": "kind"}, CONFIG)
    pieces = [
        piece async for piece in agent.astream({"question": "Who am I?", "mood": "brief"}, CONFIG)
    ]
    assert "".join(pieces) == "You are Ada"
    assert len(pieces) > 1
    assert [message.text for message in chat.shown[1]] == [
        *("Be brief.", "I am Ada", "Hello Ada", "Who am I?")
    ]
    assert await store.session("one").get_items() == [
        *(user("I am Ada"), assistant("Hello Ada"), user("Who am I?"), assistant("You are Ada"))
    ]


async def test_streamed_messages_are_stored_whole(get_history, kept):
    """A model's streamed answer is one message in the history, not its chunks."""
    agent = from_runnable_with_history(model(calling("c", city="Rome"), "It is sunny"), get_history)
    for said in ("Weather?", "And?"):
        assert [chunk async for chunk in agent.astream(said, CONFIG)]
    assert [type(message) for message in kept["one"]] == [HumanMessage, AIMessage] * 2
    assert kept["one"][1].tool_calls == calling("c", city="Rome").tool_calls
    assert (kept["one"][3].text, kept["one"][3].id) == ("It is sunny", "answer-2")


def grown(*pieces):
    return [AddableDict(piece) for piece in pieces]


PIECES = {
    "growing": grown({"answer": "It "}, {"more": ["x"]}, {"answer": "is"}),
    "without a name": grown({"output": "It "}, {"x": "y"}, {"output": "is"}),
    "of messages": grown({"output": AIMessageChunk("It ")}, {"output": AIMessageChunk("is")}),
    "whole each time": [{"answer": "It"}, {"answer": "It i"}, {"answer": "It is"}],
}


@pytest.mark.parametrize("pieces", PIECES.values(), ids=PIECES)
async def test_pieces_of_dicts(pieces, get_history, kept):
    """A stream of dicts is stored as the answer in what LangChain would make of them."""

    async def answer(messages):
        async for _ in messages:
            pass
        for piece in pieces:
            yield piece

    options = {"output_messages_key": "answer"} if "answer" in pieces[0] else {}
    agent = from_runnable_with_history(RunnableGenerator(answer), get_history, **options)
    assert [piece async for piece in agent.astream("Hi", CONFIG)] == pieces
    assert [(type(one), one.text) for one in kept["one"]] == [
        (HumanMessage, "Hi"),
        (AIMessage, "It is"),
    ]


async def test_parallel_chains(get_history, kept):
    """A chain that answers and retrieves at once is stored as its answer, called or streamed."""
    chain = RunnableLambda(lambda value: value["question"]) | RunnableParallel(
        answer=model("It is sunny", "It is rainy"), documents=RunnableLambda(lambda _: ["secret"])
    )
    agent = from_runnable_with_history(
        chain, get_history, input_messages_key="question", output_messages_key="answer"
    )
    assert len([piece async for piece in agent.astream({"question": "Hi"}, CONFIG)]) > 2
    await agent.ainvoke({"question": "And?"}, CONFIG)
    assert [one.text for one in kept["one"]] == ["Hi", "It is sunny", "And?", "It is rainy"]


async def test_system_messages_of_the_input_are_stored_once(get_history, kept):
    """What the caller passes each time is stored as passed; the prompt's own is not."""
    agent = from_runnable_with_history(model("a", "b"), get_history)
    await agent.ainvoke([SystemMessage("Be kind."), HumanMessage("1")], CONFIG)
    await agent.ainvoke([HumanMessage("2")], CONFIG)
    assert [message.text for message in kept["one"]] == ["Be kind.", "1", "a", "2", "b"]


# Its faults are not there


async def test_turns_at_once_lose_nothing(get_history, kept):
    """Two turns at once on one session take their turns, each history object being new."""

    async def slow(messages):
        await asyncio.sleep(0.05 if messages[-1].text == "slow" else 0)
        return f"{len(messages)}"

    agent = from_runnable_with_history(RunnableLambda(lambda _: "", afunc=slow), get_history)
    await asyncio.gather(*(agent.ainvoke(said, CONFIG) for said in ("slow", "fast")))
    assert [message.text for message in kept["one"]] == ["slow", "1", "fast", "3"]


async def test_failing_store_is_told(get_history, kept):
    """A store that fails is an error of the call, with the answer in it."""

    class Failing(History):
        def add_messages(self, messages):
            raise OSError("disk full")

    agent = from_runnable_with_history(model("answer"), lambda session_id: Failing([]))
    with pytest.raises(TurnNotSaved) as told:
        await agent.ainvoke("Hi", CONFIG)
    assert told.value.result.text == "answer"


async def test_factories_of_sessions():
    """The function may give sessions of memwrap's, and one made for LangChain code."""
    sessions = {}

    def get(session_id):
        return sessions.setdefault(session_id, InMemorySession(session_id))

    for number, factory in enumerate((get, lambda name: SessionChatMessageHistory(get(name)))):
        agent = from_runnable_with_history(model("a"), factory)
        await agent.ainvoke("Hi", CONFIG)
        assert len(await sessions["one"].get_items()) == 2 * number + 2


async def test_layers(get_history, kept):
    """Layers trim and redact what the keys hold as they do with messages."""
    chat = model("pin 4711", "b", "c")
    agent = from_runnable_with_history(
        PROMPT | chat,
        get_history,
        input_messages_key="question",
        history_messages_key="history",
        middleware=[Trim(max_turns=1), Redact("4711")],
    )
    for said in ("1", "2", "my 4711"):
        await agent.ainvoke({"question": said, "mood": "kind"}, CONFIG)
    assert [message.text for message in chat.shown[1]][1:] == ["1", "pin [REDACTED]", "2"]
    assert [message.text for message in chat.shown[2]][1:] == ["2", "b", "my [REDACTED]"]
    assert "4711" not in str(kept)


async def test_turn_ids(get_history):
    """A repeated turn gives its answer again, in the form that it had."""
    options, function, given, _ = FORMS["a dict returned"]
    agent = from_runnable_with_history(RunnableLambda(function), get_history, **options)
    for _ in range(2):
        assert (await agent.ainvoke(given("hello"), CONFIG, turn_id="1"))["answer"] == "hello"
    plain = from_runnable_with_history(model("a"), get_history)
    answers = [await plain.ainvoke("Hi", CONFIG, turn_id="2") for _ in range(2)]
    assert [answer.text for answer in answers] == ["a", "a"]


# Which session


def field(name):
    return ConfigurableFieldSpec(id=name, annotation=str)


async def test_several_names(kept):
    """A factory of several names gets them by name, and each combination is a session."""

    def get(user_id, conversation_id):
        return History(kept.setdefault((user_id, conversation_id), []))

    agent = from_runnable_with_history(
        RunnableLambda(lambda messages: str(len(messages))),
        get,
        history_factory_config=[field("user_id"), field("conversation_id")],
    )
    for user_id, conversation_id in ("a", "1"), ("a", "2"), ("b", "1"), ("a", "1"):
        config = {"configurable": {"user_id": user_id, "conversation_id": conversation_id}}
        await agent.ainvoke("Hi", config)
    assert {names: len(messages) for names, messages in kept.items()} == {
        ("a", "1"): 4,
        ("a", "2"): 2,
        ("b", "1"): 2,
    }
    with pytest.raises(ConfigurationError, match="no user_id and conversation_id was given"):
        await agent.ainvoke("Hi", {"configurable": {"user_id": "a"}})


async def test_factory_without_names(kept):
    """A factory that takes nothing needs no config."""
    agent = from_runnable_with_history(model("a"), lambda: History(kept.setdefault("only", [])))
    await agent.ainvoke("Hi")
    assert len(kept["only"]) == 2


async def test_config_from_around(get_history, kept):
    """The session may be bound to the runnable, come from a runnable around it, or be passed."""
    agent = from_runnable_with_history(model(*"abcd"), get_history)
    await agent.with_config(configurable={"session_id": "bound"}).ainvoke("1")
    await RunnableLambda(lambda said: agent.invoke(said), lambda said: agent.ainvoke(said)).ainvoke(
        "2", {"configurable": {"session_id": "around"}}
    )
    await (RunnablePassthrough() | agent).ainvoke("3", {"configurable": {"session_id": "piped"}})
    await agent.ainvoke("4", session="passed")
    texts = {name: [message.text for message in found] for name, found in kept.items()}
    assert texts == {
        "bound": ["1", "a"],
        "around": ["2", "b"],
        "piped": ["3", "c"],
        "passed": ["4", "d"],
    }


async def test_key_of_any_runnable():
    """A key with `with_session` is looked up in the config as well, the runnable's own included."""
    store = InMemoryStore()
    bound = model("a", "b").with_config(configurable={"session_id": "bound"})
    agent = with_session(bound, store=store, key="session_id")
    await agent.ainvoke("1")
    await agent.ainvoke("2", CONFIG)
    assert [len(await store.session(name).get_items()) for name in ("bound", "one")] == [2, 2]


# What is refused


@pytest.mark.parametrize("session_id", [None, 5, ""])
async def test_ids_that_name_nothing(session_id):
    """An id that can be none is refused before the runnable is called."""
    chat = model("a")
    agent = from_runnable_with_history(chat, InMemoryStore())
    with pytest.raises(ConfigurationError):
        await agent.ainvoke("Hi", {"configurable": {"session_id": session_id}})
    assert chat.shown == []


def test_arguments_that_do_not_fit(get_history):
    """What cannot work is refused when it is put together, with the way out."""
    fine = RunnableLambda(str)
    with pytest.raises(ConfigurationError, match="takes a runnable, not function"):
        from_runnable_with_history(heard, get_history)
    with pytest.raises(ConfigurationError, match="remembers already"):
        from_runnable_with_history(with_session(fine), get_history)
    with pytest.raises(ConfigurationError, match="a store, or a function from the id"):
        from_runnable_with_history(fine, {"one": []})
    with pytest.raises(ConfigurationError, match=r"takes \['session_id'\].*names \['a', 'b'\]"):
        from_runnable_with_history(
            fine, get_history, history_factory_config=[field("a"), field("b")]
        )

    async def slow(session_id):
        return History([])

    with pytest.raises(ConfigurationError, match="is an async function; make it a plain one"):
        from_runnable_with_history(fine, slow)
    with pytest.raises(ConfigurationError, match="with_session\\(graph, store="):
        from_runnable_with_history(create_agent(model(), []), get_history)


async def test_keys_that_are_not_there(get_history, kept):
    """A dict without its key is refused by the name of the argument, and nothing is stored."""
    agent = from_runnable_with_history(RunnableLambda(lambda value: {"a": 1, "b": 2}), get_history)
    with pytest.raises(ConversionError, match="no 'input'.*input_messages_key"):
        await agent.ainvoke({"x": "Hi", "y": "Ho"}, CONFIG)
    with pytest.raises(ConversionError, match="with output_messages_key"):
        await agent.ainvoke({"input": "Hi", "y": "Ho"}, CONFIG)
    assert not kept.get("one")


def wrappers(get_history):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapper = RunnableWithMessageHistory(model("a"), get_history)
    yield wrapper
    yield wrapper.with_config(tags=["x"])
    yield wrapper.bind(stop=["."])
    yield wrapper | StrOutputParser()
    yield RunnablePassthrough() | wrapper.with_config(tags=["x"]) | StrOutputParser()
    yield RunnablePassthrough() | wrapper.with_retry()
    yield wrapper.with_fallbacks([model("b")])
    yield model("b").with_fallbacks([wrapper])


def test_the_deprecated_wrapper_is_refused(get_history):
    """LangChain's own wrapper, alone or within another runnable, would remember twice."""
    for wrapper in wrappers(get_history):
        with pytest.raises(ConfigurationError, match="from_runnable_with_history"):
            with_session(wrapper)
        with pytest.raises(ConfigurationError, match="from_runnable_with_history"):
            from_runnable_with_history(wrapper, get_history)


@pytest.mark.filterwarnings("ignore:.*RunnableWithMessageHistory is deprecated")
async def test_sessions_serve_the_deprecated_wrapper():
    """Until it is replaced, LangChain's wrapper runs on memwrap's sessions, in both ways."""
    session = InMemorySession("one")
    wrapper = RunnableWithMessageHistory(
        model("a", "b"), lambda session_id: SessionChatMessageHistory(session)
    )
    await wrapper.ainvoke("1", CONFIG)
    await asyncio.to_thread(wrapper.invoke, "2", CONFIG)
    assert [item["content"] for item in await session.get_items()] == ["1", "a", "2", "b"]
