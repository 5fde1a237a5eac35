"""Structured output: an answer that is a tool call is stored, and shown with an output."""

import asyncio
import json

import pytest
from corpus.langchain_bodies import check, of_chat
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import PydanticToolsParser
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel
from typing_extensions import TypedDict

from memwrap import InMemorySession, use_session, with_session
from memwrap.adapters import chat, langchain
from memwrap.adapters.langchain import portable


class Joke(BaseModel):
    """A joke."""

    setup: str


class Riddle(TypedDict):
    """A riddle."""

    setup: str


class Model(FakeMessagesListChatModel):
    """Answers by calls, or in text; tells of its tools in its options, or keeps them to itself."""

    shown: list = []
    tells: bool = True

    def bind_tools(self, tools, **options):
        return self.bind(tools=tools, **options) if self.tells else self

    def _generate(self, messages, *args, **options):
        self.shown.append(messages)
        return super()._generate(messages, *args, **options)


def answer(number, name="Joke"):
    call = {"name": name, "args": {"setup": f"joke {number}"}, "id": "c", "type": "tool_call"}
    return AIMessage("", tool_calls=[call])


def model(*answers, **options):
    return Model(responses=list(answers), shown=[], **options)


FORMS = {
    "model": lambda model: model.with_structured_output(Joke),
    "dict": lambda model: model.with_structured_output(Riddle),
    "raw": lambda model: model.with_structured_output(Joke, include_raw=True),
    "forced": lambda model: (
        model.bind_tools([Joke], tool_choice="any") | PydanticToolsParser(tools=[Joke])
    ),
    "retry": lambda model: model.with_structured_output(Joke).with_retry(),
    "last": lambda model: RunnableLambda(lambda x: x) | model.with_structured_output(Joke),
}


async def called(agent, way, text):
    if way == "invoke":
        return await asyncio.to_thread(agent.invoke, text)
    if way == "stream":
        return await asyncio.to_thread(lambda: list(agent.stream(text)))
    if way == "ainvoke":
        return await agent.ainvoke(text)
    return [piece async for piece in agent.astream(text)]


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tells", [True, False])
async def test_structured_answers(form, way, tells):
    """The model sees its earlier answers in each form of output, and with none."""
    name = "Riddle" if form == "dict" else "Joke"
    chat_model = model(answer(1, name), answer(2, name), AIMessage("Bye"), tells=tells)
    session = InMemorySession("s")
    agent = with_session(chat_model)
    structured = FORMS[form](agent)
    with use_session(session):
        await called(structured, way, "one")
        await called(structured, way, "two")
        await called(agent, way, "three")
    kinds = [message.type for message in chat_model.shown[-1]]
    assert kinds == ["human", "ai", "tool", "human", "ai", "tool", "human"]
    assert chat_model.shown[-1][1].tool_calls == answer(1, name).tool_calls
    assert chat_model.shown[-1][2].content == "accepted"
    types = [item.get("type", "message") for item in await session.get_items()]
    assert types == ["message", "function_call"] * 2 + ["message", "message"]


@pytest.mark.parametrize("form", ["model", "raw"])
def test_session_of_structured_output(form):
    """A call of it takes the session and the turn's id, and repeats what the turn gave."""
    chat_model, session = model(answer(1), answer(2)), InMemorySession("s")
    structured = FORMS[form](with_session(chat_model))
    first = structured.invoke("one", session=session, turn_id="1")
    assert structured.invoke("one", session=session, turn_id="1") == first
    assert len(chat_model.shown) == 1
    assert len(asyncio.run(session.get_items())) == 2


def test_raw_output_of_the_whole():
    """Raw and parsed output together are the model's message, streamed as well."""
    chat_model, session = model(answer(1), answer(2), answer(3), tells=False), InMemorySession("s")
    agent = with_session(chat_model.with_structured_output(Joke, include_raw=True), session=session)
    assert agent.invoke("one")["parsed"] == Joke(setup="joke 1")
    assert list(agent.stream("two"))
    agent.invoke("three")
    kinds = [message.type for message in chat_model.shown[-1]]
    assert kinds == ["human", "ai", "tool"] * 2 + ["human"]


def test_forced_call_of_the_whole():
    """A chain around a model that has no choice but to call its one tool answers by that call."""
    chat_model, session = model(answer(1), answer(2)), InMemorySession("s")
    chain = RunnableLambda(lambda x: x) | chat_model.bind_tools([Joke], tool_choice="Joke")
    agent = with_session(chain, session=session)
    for text in ("one", "two"):
        agent.invoke(text)
    assert [message.type for message in chat_model.shown[-1]] == ["human", "ai", "tool", "human"]


@pytest.mark.parametrize("options", [{}, {"tool_choice": "auto"}])
def test_calls_of_tools_that_nobody_ran(options):
    """A call that the model was free to make is no answer: without an output it is left out."""
    chat_model, session = model(answer(1), answer(2)), InMemorySession("s")
    agent = with_session(chat_model, session=session).bind_tools([Joke], **options)
    for text in ("one", "two"):
        agent.invoke(text)
    assert chat_model.shown[-1] == [HumanMessage("one"), HumanMessage("two")]


@pytest.mark.parametrize("adapter", [None, portable])
def test_other_readers_see_the_answer(adapter):
    """Answers are shown with an output in every dialect, and messages are as they were."""
    session, seen = InMemorySession("s"), []
    structured = FORMS["model"](with_session(model(answer(1)), session=session, adapter=adapter))
    structured.invoke("one")
    stored = langchain.from_items(asyncio.run(session.get_items()))
    assert stored[1].tool_calls == answer(1).tool_calls
    assert stored[1].additional_kwargs == {}
    with_session(lambda messages: seen.append(messages) or "x", session=session, adapter=chat)("?")
    body = {"messages": seen[0]}
    check(body, of_chat(body), [])
    assert "joke 1" in json.dumps(seen[0])
