"""Runners of the SDK read, with any of its models, what others have stored in a session."""

from types import SimpleNamespace

import pytest
from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    Runner,
    SessionSettings,
    set_tracing_disabled,
)
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from openai.types.chat import ChatCompletion

from memwrap import InMemorySession, SQLiteSession, with_session
from memwrap.adapters import chat, langchain
from memwrap.adapters.langchain import session_from_history

set_tracing_disabled(True)

SAID = {
    "id": "x",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "four", "reasoning_content": "2 + 2"},
        }
    ],
}
CALL = {"id": "call_1", "name": "add", "args": {"a": 2, "b": 2}}
MESSAGES = [
    SystemMessage("Be exact.", id="s1"),
    HumanMessage("What is 2 + 2?", name="anna"),
    AIMessage("I add.", tool_calls=[CALL], response_metadata={"model": "m"}),
    ToolMessage("4", tool_call_id="call_1", artifact={"a": 1}),
    AIMessage([{"type": "thinking", "thinking": "so", "signature": "x"}]),
    AIMessage([{"type": "thinking", "thinking": "so", "signature": "x"}, "four"], name="sum"),
]


@pytest.fixture
def seen():
    return []


@pytest.fixture
def agent(seen):
    async def create(**request):
        seen.append(request["messages"])
        return ChatCompletion.model_validate(SAID)

    completions = SimpleNamespace(create=create)
    client = SimpleNamespace(
        chat=SimpleNamespace(completions=completions), base_url="http://127.0.0.1/"
    )
    return Agent(name="A", model=OpenAIChatCompletionsModel("m", client))


def shown(messages):
    """Return what the model was shown, call ids included."""
    return [
        (
            message["role"],
            message.get("content"),
            [call["id"] for call in message.get("tool_calls") or []],
        )
        for message in messages
    ]


DIALOGUE = [
    ("system", "Be exact.", []),
    ("user", "What is 2 + 2?", []),
    ("assistant", "I add.", []),
    ("assistant", None, ["call_1"]),
    ("tool", "4", []),
    ("assistant", "four", []),
    ("user", "Sure?", []),
]


@pytest.mark.parametrize("limit", [None, SessionSettings(limit=20)])
@pytest.mark.parametrize("kind", [InMemorySession, SQLiteSession])
async def test_langchain_wrote(agent, seen, kind, limit):
    """The model is shown the conversation, and the session keeps its hidden data."""
    session = kind("s", session_settings=limit)
    await session.add_items(langchain.to_items(MESSAGES))
    before = await session.get_items()
    await Runner.run(agent, "Sure?", session=session)
    assert shown(seen[0]) == DIALOGUE
    assert (await session.get_items())[: len(before)] == before
    assert langchain.from_items(before) == MESSAGES


class History(BaseChatMessageHistory):
    def __init__(self, messages):
        self.messages = messages

    def add_messages(self, messages):
        self.messages += messages

    def clear(self):
        self.messages.clear()


async def test_history_wrote(agent, seen):
    """A history of LangChain's behind a session is read and written too."""
    history = History(list(MESSAGES))
    session = session_from_history(history)
    await Runner.run(agent, "Sure?", session=session)
    assert shown(seen[0]) == DIALOGUE
    assert history.messages[: len(MESSAGES)] == MESSAGES
    assert [message.text for message in history.messages[len(MESSAGES) :]] == ["Sure?", "four"]


async def test_turn_wrote(agent, seen):
    """What chat servers add to an answer does not stop the runner; a turn follows the run."""
    session = SQLiteSession("s")

    @with_session(adapter=chat)
    async def ask(messages):
        seen.append(messages)
        return ChatCompletion.model_validate(SAID)

    await ask("What is 2 + 2?", session=session, turn_id="t1")
    await Runner.run(agent, "Sure?", session=session)
    await ask("Really?", session=session)
    assert [len(messages) for messages in seen] == [1, 3, 5]
    assert seen[2][1]["reasoning_content"] == "2 + 2"
    assert [message["content"] for message in seen[2]] == [
        *("What is 2 + 2?", "four", "Sure?", "four", "Really?")
    ]


async def test_direct_reads_are_exact():
    """Without a run's context the methods give the items as they were stored."""
    session = InMemorySession("s")
    items = langchain.to_items(MESSAGES)
    await session.add_items(items)
    assert await session.get_items() == items
    assert await session.pop_item() == items[-1]
