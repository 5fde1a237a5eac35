"""One odd item never makes the later turns of its session fail."""

import itertools

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from support import gathered

from memwrap import InMemorySession, with_session
from memwrap.adapters import chat, langchain, openai_agents, plain
from memwrap.exceptions import ConversionError
from memwrap.items import user
from memwrap.middleware import Log, Redact, Trim

pytestmark = pytest.mark.filterwarnings("ignore:.* is left out of what the agent sees")

ADAPTERS = {"plain": plain, "chat": chat, "langchain": langchain, "openai_agents": openai_agents}
DEEP = "[" * 900 + '"\\u0073k-1"' + "]" * 900
ODD = [None, True, 0, 10**30, "", "\ud800", DEEP, [], [1], [None], [{"type": ["x"]}], {}, {"a": 1}]
ODD += [[{"type": "input_text", "text": 5}], [{"type": "input_image", "image_url": {"a": 1}}]]
BASES = [
    user("x"),
    {"type": "message", "role": "assistant", "content": [], "id": "msg_1", "status": "completed"},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "x"},
    {"type": "custom_tool_call_output", "call_id": "c", "output": "x"},
    {"type": "computer_call_output", "call_id": "c", "output": {"image_url": "u"}},
    {"type": "reasoning", "id": "r", "summary": []},
]
KEYS = ("role", "type", "call_id", "id", "content", "output", "arguments", "name", "summary")
ITEMS = [
    base | {key: odd} for base, key, odd in itertools.product(BASES, (*KEYS, "provider_data"), ODD)
]
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}


def layers():
    return [Log(), Redact(r"sk-\d"), Trim(max_tokens=10**6, count_tokens=lambda item: len(item))]


def agents(name):
    """Return a function and a stream that remember, with layers around them."""

    async def call(items):
        return "ok"

    async def stream(items):
        yield "ok"

    return [with_session(a, adapter=ADAPTERS[name], middleware=layers()) for a in (call, stream)]


async def store(name, way, items, session):
    """Get items into a session in one of the ways there are; tell whether they were taken."""
    call, _ = agents(name)
    try:
        if way == "add":
            await session.add_items([user("q"), *items])
        elif way == "input":
            await call(items, session=session)
        else:

            async def answers(_):
                return items

            agent = with_session(answers, adapter=ADAPTERS[name], middleware=layers())
            await agent("q", session=session)
    except ConversionError:
        assert await session.get_items() == []
        return False
    return True


@pytest.mark.parametrize("way", ["add", "input", "result"])
@pytest.mark.parametrize("name", ADAPTERS)
async def test_later_turns_go_on(name, way):
    """An odd item is refused before anything is stored, or never fails a turn after it."""
    call, stream = agents(name)
    runnable = with_session(RunnableLambda(lambda _: AIMessage("ok")), middleware=layers())
    for item in ITEMS[:: 7 if name == "langchain" else 13]:
        for items in ([item], [CALL, item, {**BASES[3], "output": "o"}]):
            session = InMemorySession("s")
            if not await store(name, way, items, session):
                continue
            assert await call("hello", session=session) == "ok"
            assert await gathered(stream("hello", session=session, turn_id="t")) == ["ok"]
            assert await gathered(stream("hello", session=session, turn_id="t")) == ["ok"]
            if name == "langchain":
                assert (await runnable.ainvoke("hello", session=session)).content == "ok"
