"""What a layer redacts of LangChain's messages is gone from the store, and nothing else is."""

import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableLambda

from memwrap import InMemorySession, with_session
from memwrap.adapters.langchain import from_items
from memwrap.middleware import Redact
from memwrap.turn import Kept


async def kept_of_a_turn(answer, *layers):
    """Run a turn that ends with these messages; return what the store has of it."""
    session = InMemorySession("s")
    agent = with_session(RunnableLambda(lambda _: answer), session=session, middleware=layers)
    await agent.ainvoke("Hi")
    return await session.get_items()


@pytest.mark.parametrize(
    "pattern", [r"\d{7,}", r"\+?\d{6,}", r"(?<!\d)\d{4,}(?!\d)", r"[A-Za-z0-9]{16,}", r"^[0-9]$"]
)
async def test_patterns_that_match_nothing_change_nothing(pattern):
    """Messages in which nothing matches come back whole, whatever their hidden data looks like."""
    answer = [
        message
        for n in range(10, 70)
        for message in (
            AIMessage("", tool_calls=[{"name": "f", "args": {"n": n}, "id": f"c{n}"}], id=f"a{n}"),
            ToolMessage(f"out {n}", tool_call_id=f"c{n}", artifact={"raw": [n]}, id=f"t{n}"),
        )
    ]
    assert from_items(await kept_of_a_turn(answer, Redact(pattern)))[1:] == answer


async def test_nothing_hidden_is_left_of_a_redacted_message():
    """Other forms of a message's text go with it, and what tells which message it is stays."""
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    answer = AIMessage(
        [{"type": "text", "text": "password: hunter2", "extras": {"quoted": "hunter2"}}],
        id="run-1",
        name="Ada",
        usage_metadata=usage,
        response_metadata={"logprobs": [{"token": "hun"}, {"token": "ter2"}]},
    )
    items = await kept_of_a_turn(answer, Redact(r"(?<=password: )\S+"))
    for part in ("hunter2", "ter2", "logprobs"):
        assert part not in json.dumps(items)
    (_, message) = from_items(items)
    assert (message.text, message.id, message.name) == ("password: [REDACTED]", "run-1", "Ada")
    assert message.usage_metadata == usage


async def test_hidden_secrets_are_redacted_too():
    """A secret in an artifact is replaced where it is, and its message stays whole."""
    answer = [
        AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "c"}], id="a"),
        ToolMessage("fine", tool_call_id="c", artifact={"key": "sk-4711", "n": 1}, id="t"),
    ]
    items = await kept_of_a_turn(answer, Redact(r"sk-\d+"))
    assert "4711" not in json.dumps(items)
    assert from_items(items)[2].artifact == {"key": "[REDACTED]", "n": 1}


@pytest.mark.parametrize(
    "hidden",
    [{"$": "sk-4711"}, {"$": [["sk-4711"]]}, {"$": ["sk-4711"]}, {"$args": "sk-4711"}, ["sk-4711"]],
    ids=str,
)
async def test_what_only_looks_like_a_reference_is_redacted(hidden):
    """Hidden data that somebody else put there hides no secret by its form."""
    sidecar = {"at": 0, "of": ["assistant"], "fields": {"content": hidden}}
    item = {"role": "assistant", "content": "x", "provider_data": {"langchain": sidecar}}
    assert "4711" not in json.dumps(await kept_of_a_turn([item], Redact(r"sk-\d+")))


async def test_changed_by_a_layer_of_ones_own():
    """Hidden copies go also when it was another layer that changed what is stored."""

    def shouted(items):
        return [i | {"content": i["content"].upper()} if "content" in i else i for i in items]

    async def shout(turn, send, handler):
        turn.before_save.append(lambda kept: Kept(*map(shouted, kept)))
        await handler(turn, send)

    answer = AIMessage("quiet", id="1", response_metadata={"copy": "so quiet"})
    items = await kept_of_a_turn(answer, shout)
    assert from_items(items) == [HumanMessage("HI"), AIMessage("QUIET", id="1")]
    assert "quiet" not in json.dumps(items)
