"""LangChain's chat histories as sessions, and sessions as its chat histories."""

import asyncio
import json
import threading

import pytest
from corpus.chat_model import calling
from corpus.exactness import whole, written
from corpus.strategies import items, messages
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    message_to_dict,
    messages_from_dict,
)

from memwrap import (
    ConfigurationError,
    InMemorySession,
    SQLiteSession,
    StoreError,
    run,
    with_session,
)
from memwrap.adapters.langchain import SessionChatMessageHistory, session_from_history, to_items
from memwrap.items import assistant, user
from memwrap.testing import ScriptedAgent, SessionContract

thorough = settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
CALLING = calling("c", city="Rome")


class Synchronous(BaseChatMessageHistory):
    """A history as most are: JSON of each message, and no asynchronous method of its own."""

    def __init__(self):
        self.rows = []
        self.calls = []

    @property
    def messages(self):
        self.note("get")
        return messages_from_dict([json.loads(row) for row in self.rows])

    def add_messages(self, messages):
        self.note("add")
        self.rows += [json.dumps(message_to_dict(message)) for message in messages]

    def clear(self):
        self.note("clear")
        self.rows = []

    def note(self, name):
        self.calls.append((name, threading.current_thread() is threading.main_thread()))


class Refusing(Synchronous):
    """A history made for synchronous code, which refuses the rest as SQLChatMessageHistory does."""

    async def aget_messages(self):
        raise ValueError("not in async mode")

    async def aadd_messages(self, messages):
        raise TypeError("no async session maker")

    async def aclear(self):
        raise TypeError("no async session maker")


class Asynchronous(Synchronous):
    """A history made for asynchronous code, which hands out its own list."""

    def __init__(self):
        super().__init__()
        self.live = []

    @property
    def messages(self):
        raise ValueError("not in sync mode")

    def add_messages(self, messages):
        raise ValueError("not in sync mode")

    async def aget_messages(self):
        self.note("get")
        return self.live

    async def aadd_messages(self, messages):
        self.note("add")
        self.live += messages

    async def aclear(self):
        self.live.clear()


HISTORIES = [Synchronous, Refusing, Asynchronous]


class TestContract(SessionContract):
    """What every session keeps, a history that may be rewritten keeps too."""

    def session(self, session_id):
        return session_from_history(Synchronous(), session_id=session_id, rewrite=True)


@pytest.mark.parametrize("kind", HISTORIES)
async def test_turns_read_once_and_write_once(kind):
    """A turn on any history is one reading and one writing, away from the loop if they block."""
    history = kind()
    session = session_from_history(history, session_id="s")
    agent = ScriptedAgent("2", "4")
    await run(agent, "1", session=session)
    history.calls.clear()
    await run(agent, "3", session=session)
    assert agent.calls[1] == [user("1"), assistant("2"), user("3")]
    is_own = kind is Asynchronous
    assert history.calls == [("get", is_own), ("add", is_own)]


@pytest.mark.parametrize("kind", HISTORIES)
async def test_items_survive_the_history(kind):
    """Items that LangChain has no message for come back from a history as they were."""
    items = [
        user("q"),
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {"type": "function_call", "call_id": "c", "name": "n", "arguments": '{ "a":1 }', "id": "f"},
        {"type": "function_call_output", "call_id": "c", "output": "o", "status": "completed"},
        {"type": "strange", "x": [1, 1.0, True]},
    ]
    session = session_from_history(kind(), session_id="s")
    await session.add_items(items)
    assert repr(await session.get_items()) == repr(items)
    assert await session.get_items(2) == items[-2:]


@pytest.mark.parametrize("kind", HISTORIES)
async def test_stored_conversations_are_read(kind):
    """What LangChain code has stored is the history of a turn, ids and tools included."""
    call = {"name": "weather", "args": {"city": "Rome"}, "id": "c", "type": "tool_call"}
    messages = [
        SystemMessage("Be kind."),
        HumanMessage("Weather?", id="1"),
        AIMessage("", tool_calls=[call], id="run-1"),
        ToolMessage("sunny", tool_call_id="c", artifact={"raw": 1}),
    ]
    history = kind()
    await session_from_history(history, session_id="s").add_items(to_items(messages))
    assert list(await session_from_history(history).get_items()) == to_items(messages)


@thorough
@given(st.lists(st.lists(items, max_size=3), max_size=4))
def test_items_of_several_appends(appends):
    """Items come back as they went in however they were appended, though messages might join."""

    async def main():
        session = session_from_history(Synchronous(), session_id="s")
        for some in appends:
            await session.add_items(some)
        return await session.get_items()

    assert written(asyncio.run(main())) == written([item for some in appends for item in some])


@thorough
@given(st.lists(st.lists(messages, max_size=2), max_size=4))
@example([[AIMessage("a")], [CALLING]])
@example([[CALLING], [CALLING]])
def test_messages_of_several_additions(additions):
    """Messages come back one by one however they were added, though their items might join."""

    async def main():
        history = SessionChatMessageHistory(InMemorySession("s"))
        for some in additions:
            await history.aadd_messages(some)
        return await history.aget_messages()

    found = [whole(message) for message in asyncio.run(main())]
    assert found == [whole(message) for some in additions for message in some]


async def test_pop_is_refused_unless_it_may_rewrite():
    """A history cannot remove a message, so popping says so; on request it is written again."""
    history = Synchronous()
    session = session_from_history(history, session_id="s")
    assert await session.pop_item() is None
    await session.add_items([user("1"), assistant("2")])
    with pytest.raises(StoreError, match="rewrite=True"):
        await session.pop_item()
    assert len(history.rows) == 2
    assert await session_from_history(history, rewrite=True).pop_item() == assistant("2")
    assert await session.get_items() == [user("1")]


async def test_failing_history_is_a_store_error():
    """What a history raises is the cause of a StoreError, which repeats none of its words."""
    history = Synchronous()
    session = session_from_history(history, session_id="s")
    await session.add_items([user("1")])
    history.rows.append("secret {")
    with pytest.raises(
        StoreError, match=r"'s': the Synchronous failed \(JSONDecodeError\)"
    ) as told:
        await session.get_items()
    assert "secret" not in str(told.value)
    history.rows.pop()
    assert await session.get_items() == [user("1")]


async def test_live_lists_are_not_handed_out():
    """Changing what was returned, or what was added, changes nothing that is stored."""
    history = Asynchronous()
    session = session_from_history(history, session_id="s")
    item = user("1")
    await session.add_items([item])
    item["content"] = "changed"
    (await session.get_items()).clear()
    assert await session.get_items() == [user("1")]


async def test_turns_on_one_history_wait_for_each_other():
    """Sessions made of one history object are one conversation."""
    history = Synchronous()

    @with_session
    async def agent(items):
        await asyncio.sleep(0)
        return str(len(items))

    answers = await asyncio.gather(
        *(agent("q", session=session_from_history(history)) for _ in range(4))
    )
    assert sorted(answers) == ["1", "3", "5", "7"]


def test_what_is_no_history():
    """Something else than a history is refused, and so is an id that can be none."""
    with pytest.raises(ConfigurationError, match="BaseChatMessageHistory, not list"):
        session_from_history([])
    with pytest.raises(ConfigurationError, match="a session id has 1 to"):
        session_from_history(Synchronous(), session_id="")


# Sessions as histories

CONVERSATION = [HumanMessage("Hello", id="1"), AIMessage("Hi", id="2", usage_metadata=None)]


def test_session_is_a_history(tmp_path):
    """A history on a session is written and read by synchronous code, and knows its messages."""
    session = SQLiteSession("s", tmp_path / "chat.db")
    history = SessionChatMessageHistory(session)
    assert history.messages == []
    history.add_user_message("Hello")
    history.add_ai_message(AIMessage("Hi", id="x"))
    history.add_message(HumanMessage("Bye"))
    assert history.messages == [HumanMessage("Hello"), AIMessage("Hi", id="x"), HumanMessage("Bye")]
    assert str(history) == "Human: Hello\nAI: Hi\nHuman: Bye"
    history.clear()
    assert history.messages == []


async def test_session_is_an_asynchronous_history():
    """The asynchronous methods of a history use the session in this event loop."""
    history = SessionChatMessageHistory(InMemorySession("s"))
    await history.aadd_messages(CONVERSATION)
    assert await history.aget_messages() == CONVERSATION
    await history.aclear()
    assert await history.aget_messages() == []


async def test_synchronous_history_in_an_event_loop(tmp_path):
    """Synchronous code that is called in a running event loop reads and writes all the same."""
    session = SQLiteSession("s", tmp_path / "chat.db")
    history = SessionChatMessageHistory(session)
    await history.aadd_messages(CONVERSATION)
    history.add_messages(CONVERSATION)
    assert history.messages == await history.aget_messages() == CONVERSATION * 2


def test_history_and_turns_share_the_conversation():
    """What an agent remembered is in the history, and what the history adds is remembered."""
    session = InMemorySession("s")
    history = SessionChatMessageHistory(session)

    @with_session(session=session)
    def agent(items):
        return f"{len(items)} items"

    agent("one")
    history.add_messages([HumanMessage("two"), AIMessage("by hand")])
    assert agent("three") == "5 items"
    assert [message.text for message in history.messages][-2:] == ["three", "5 items"]
