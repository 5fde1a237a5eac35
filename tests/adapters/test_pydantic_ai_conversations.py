"""Sessions as a conversation store: as the framework's own in memory, and after a restart."""

import asyncio
from datetime import timedelta

import pytest
from pydantic_ai import Agent, DeferredToolRequests
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import (
    ConversationConflict,
    ConversationRecord,
    InMemoryConversationStore,
)
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import (
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import FunctionModel

from memwrap import ConfigurationError, InMemoryStore, SQLiteStore, with_session
from memwrap.adapters.pydantic_ai import MemwrapConversationStore
from memwrap.items import assistant, text_of, user


def counting(messages, info):
    """Answer with a call at first, then with the number of messages."""
    if not isinstance(messages[-1].parts[-1], ToolReturnPart):
        thought = ThinkingPart("Hm.", signature="s1g", provider_name="odd")
        return ModelResponse([thought, ToolCallPart("add", {"a": 1, "b": 2})])
    return ModelResponse([TextPart(f"{len(messages)} messages")])


@pytest.fixture
def agent():
    made = Agent(FunctionModel(counting), system_prompt="Count.", instructions="Be brief.")

    @made.tool_plain
    def add(a: int, b: int) -> int:
        return a + b

    return made


@pytest.fixture(params=["the framework's", "in memory", "in a file"])
async def conversations(request, path):
    if request.param == "the framework's":
        yield InMemoryConversationStore()
    elif request.param == "in memory":
        yield MemwrapConversationStore(InMemoryStore())
    else:
        async with SQLiteStore(path) as store:
            yield MemwrapConversationStore(store)


async def saved(conversations, agent, *texts, conversation_id="c", scope=None):
    conversation = await conversations.load(conversation_id, scope=scope)
    conversation = conversation or Conversation(conversation_id=conversation_id)
    for text in texts:
        result = await agent.run(text, conversation=conversation)
        await conversations.save(result, scope=scope)
        conversation = result.conversation
    return conversation


def texts(conversation):
    return [
        part.content
        for message in conversation.messages
        for part in message.parts
        if isinstance(part, (TextPart, UserPromptPart))
    ]


# As the framework's own store


async def test_unknown_conversation(conversations):
    """A conversation that nobody has saved is not there."""
    assert await conversations.load("c") is None
    assert await conversations.load_entries("c") is None
    assert await conversations.list_conversations() == []
    await conversations.delete("c")
    with pytest.raises(UserError):
        await conversations.fork("c")


async def test_saved_conversation_is_loaded(conversations, agent):
    """What a run added is loaded as it was, with the usage, and goes on."""
    first = await saved(conversations, agent, "one", "two")
    loaded = await conversations.load("c")
    assert loaded == first
    assert texts(loaded) == ["one", "3 messages", "two", "7 messages"]
    assert loaded.usage.requests == 4
    assert (await saved(conversations, agent, "three")).usage.requests == 6


async def test_each_message_is_stored_once(conversations, agent):
    """A save stores the messages that the store has not, and returns their entries."""
    conversation = Conversation(conversation_id="c")
    result = await agent.run("one", conversation=conversation)
    entries = await conversations.save(result)
    assert [entry.message for entry in entries] == result.new_messages()
    assert await conversations.save(result) == []
    assert await conversations.load_entries("c") == entries
    more = await conversations.save(await agent.run("two", conversation=result.conversation))
    assert await conversations.load_entries("c") == [*entries, *more]
    assert await conversations.read_entry(more[0].id) == more[0]
    assert more[0].parent_id == entries[-1].id


async def test_limit(conversations, agent):
    """A limit loads the newest messages, and the run still goes on with all that is stored."""
    whole = await saved(conversations, agent, "one", "two")
    window = await conversations.load("c", limit=2)
    assert window.messages == whole.messages[-2:]
    assert (await conversations.load("c", limit=0)).messages == []
    await conversations.save(await agent.run("three", conversation=window))
    assert texts(await conversations.load("c"))[:4] == texts(whole)
    with pytest.raises(UserError):
        await conversations.load("c", limit=-1)


async def test_conflicts(conversations, agent):
    """A conversation that was saved or deleted since it was loaded is not saved over."""
    await saved(conversations, agent, "one")
    mine, theirs = await conversations.load("c"), await conversations.load("c")
    await conversations.save(await agent.run("mine", conversation=mine))
    with pytest.raises(ConversationConflict):
        await conversations.save(await agent.run("theirs", conversation=theirs))
    with pytest.raises(ConversationConflict):
        await conversations.save(Conversation(conversation_id="c"))
    loaded = await conversations.load("c")
    await conversations.delete("c")
    with pytest.raises(ConversationConflict):
        await conversations.save(await agent.run("late", conversation=loaded))
    assert await conversations.load("c") is None


async def test_saves_at_once(conversations, agent):
    """Of two saves of one conversation at once, one is stored and the other is a conflict."""
    await saved(conversations, agent, "one")
    loaded = [await conversations.load("c") for _ in range(2)]
    results = [await agent.run(text, conversation=c) for text, c in zip("ab", loaded, strict=True)]
    ended = await asyncio.gather(*map(conversations.save, results), return_exceptions=True)
    assert sorted(isinstance(one, ConversationConflict) for one in ended) == [False, True]
    assert len((await conversations.load("c")).messages) == 8


async def test_scopes(conversations, agent):
    """A conversation of one scope is not there for another."""
    await saved(conversations, agent, "one", conversation_id="a", scope="ada")
    await saved(conversations, agent, "one", conversation_id="b", scope="bob")
    assert await conversations.load("a", scope="bob") is None
    assert (await conversations.load("a", scope="ada")).conversation_id == "a"
    assert (await conversations.load("a")).conversation_id == "a"
    listed = await conversations.list_conversations(scope="bob")
    assert [record.conversation_id for record in listed] == ["b"]
    await conversations.delete("a", scope="bob")
    with pytest.raises(ConversationConflict):
        await conversations.save(await conversations.load("a"), scope="bob")
    await conversations.delete("a", scope="ada")
    assert await conversations.load("a") is None


async def test_list(conversations, agent):
    """The conversations are listed, those that were saved last first."""
    for name in ("a", "b", "c"):
        await saved(conversations, agent, "one", conversation_id=name)
    await saved(conversations, agent, "two", conversation_id="a")
    listed = await conversations.list_conversations()
    assert [record.conversation_id for record in listed] == ["a", "c", "b"]
    assert len(await conversations.list_conversations(limit=2)) == 2
    assert all(listed[0].updated_at - one.updated_at >= timedelta(0) for one in listed)
    with pytest.raises(UserError):
        await conversations.list_conversations(limit=-1)


async def test_branch(conversations, agent):
    """A conversation goes on from an earlier message, and back to the branch that it left."""
    whole = await saved(conversations, agent, "one", "two", "three")
    tip = (await conversations.load_entries("c"))[-1].id
    branched = await conversations.branch("c", at=4, expected_revision=whole.revision)
    assert texts(branched) == ["one", "3 messages"]
    other = await agent.run("other", conversation=branched)
    await conversations.save(other)
    assert texts(await conversations.load("c"))[2:] == ["other", "7 messages"]
    record = (await conversations.list_conversations())[0]
    assert record.branches == [tip]
    back = await conversations.branch("c", from_entry=tip, expected_revision=record.revision)
    assert back.messages == whole.messages
    assert (await conversations.load("c")).messages == whole.messages
    (left,) = (await conversations.list_conversations())[0].branches
    again = await conversations.branch("c", from_entry=left, expected_revision=back.revision)
    assert again.messages == other.all_messages()


async def test_branch_to_the_beginning(conversations, agent):
    """A conversation may begin anew and still go back."""
    whole = await saved(conversations, agent, "one")
    tip = (await conversations.load_entries("c"))[-1].id
    empty = await conversations.branch("c", at=0, expected_revision=whole.revision)
    assert (empty.messages, (await conversations.load("c")).messages) == ([], [])
    back = await conversations.branch("c", from_entry=tip, expected_revision=empty.revision)
    assert back.messages == whole.messages


async def test_wrong_branches(conversations, agent):
    """A branch from nowhere, or of a conversation that has changed, is refused."""
    whole = await saved(conversations, agent, "one")
    with pytest.raises(UserError):
        await conversations.branch("c", at=9, expected_revision=whole.revision)
    with pytest.raises(UserError):
        await conversations.branch("c", from_entry="x", expected_revision=whole.revision)
    with pytest.raises(ConversationConflict):
        await conversations.branch("c", at=1, expected_revision="old")


async def test_rewritten_history_is_a_branch(conversations, agent):
    """A history that was rewritten is stored as a branch, and the old one stays."""
    whole = await saved(conversations, agent, "one", "two")
    tip = (await conversations.load_entries("c"))[-1].id
    edited = Conversation(
        messages=[*whole.messages[:4], ModelRequest([UserPromptPart("edited")])],
        conversation_id="c",
        revision=whole.revision,
    )
    (entry,) = await conversations.save(edited)
    loaded = await conversations.load("c")
    assert loaded.messages == edited.messages
    assert (await conversations.list_conversations())[0].branches == [tip]
    assert entry.parent_id == (await conversations.load_entries("c"))[3].id


async def test_fork(conversations, agent):
    """A fork has the history up to a point, with its entries, and goes on by itself."""
    whole = await saved(conversations, agent, "one", "two", scope="ada")
    entries = await conversations.load_entries("c")
    fork = await conversations.fork("c", at=4, new_conversation_id="f")
    assert (fork.messages, fork.usage.requests) == (whole.messages[:4], 0)
    assert await conversations.load_entries("f") == entries[:4]
    await conversations.save(await agent.run("other", conversation=fork))
    assert texts(await conversations.load("f"))[2:] == ["other", "7 messages"]
    assert (await conversations.load("c")).messages == whole.messages
    record = next(one for one in await conversations.list_conversations() if one.forked_from)
    assert (record.forked_from, record.forked_at, record.scope) == ("c", entries[3].id, "ada")
    copy = await conversations.fork("c")
    assert (copy.messages, copy.usage) == (whole.messages, whole.usage)
    with pytest.raises(ConversationConflict):
        await conversations.fork("c", new_conversation_id="f")
    await conversations.delete("c")
    assert len((await conversations.load("f")).messages) == 8


async def test_fork_of_a_branch_that_was_left(conversations, agent):
    """A fork may begin at an entry of a branch that its conversation has left."""
    whole = await saved(conversations, agent, "one", "two")
    tip = (await conversations.load_entries("c"))[-1].id
    await conversations.branch("c", at=4, expected_revision=whole.revision)
    fork = await conversations.fork("c", from_entry=tip, new_conversation_id="f")
    assert fork.messages == whole.messages
    assert (await conversations.load("f")).messages == whole.messages


async def test_unknown_head(conversations):
    """A record whose newest entry nobody has is a conflict."""
    record = ConversationRecord(conversation_id="c", head_id="nowhere")
    with pytest.raises(ConversationConflict):
        await conversations.write_record(record, expected_revision=None)
    with pytest.raises(ConversationConflict):
        await conversations.delete_record("c", expected_revision="x")
    with pytest.raises(LookupError):
        await conversations.read_entry("nowhere")


async def test_requests_that_wait(conversations):
    """A conversation that waits for a person says so when it is loaded, and goes on."""

    def model(messages, info):
        if isinstance(messages[-1].parts[-1], ToolReturnPart):
            return ModelResponse([TextPart("Gone.")])
        return ModelResponse([ToolCallPart("remove", {"name": "a"})])

    agent = Agent(FunctionModel(model), output_type=[str, DeferredToolRequests])

    @agent.tool_plain(requires_approval=True)
    def remove(name: str) -> str:
        return "removed"

    await saved(conversations, agent, "Remove it.")
    loaded = await conversations.load("c")
    requests = loaded.deferred_tool_requests
    assert [call.tool_name for call in requests.approvals] == ["remove"]
    answers = requests.build_results(approve_all=True)
    result = await agent.run(conversation=loaded, deferred_tool_results=answers)
    await conversations.save(result)
    assert texts(await conversations.load("c")) == ["Remove it.", "Gone."]


# Beside others


async def test_history_is_the_items_of_the_session(agent, store):
    """Other agents read the current history as the items of the session."""
    conversations = MemwrapConversationStore(store)
    whole = await saved(conversations, agent, "one", "two")
    items = await store.session("c").get_items()
    assert [text_of(item) for item in items if item.get("role")] == ["Count.", *texts(whole)]
    await conversations.branch("c", at=4, expected_revision=whole.revision)
    items = await store.session("c").get_items()
    assert [text_of(item) for item in items if item.get("role")][1:] == ["one", "3 messages"]


async def test_others_go_on(agent, store):
    """What others append is in the next load, in its place, and a save over it is a conflict."""

    async def other(messages):
        return assistant(f"I saw {len(messages)} items.")

    conversations = MemwrapConversationStore(store)
    first = await saved(conversations, agent, "one")
    await with_session(other, store=store)("two", session="c")
    with pytest.raises(ConversationConflict):
        await conversations.save(await agent.run("late", conversation=first))
    loaded = await conversations.load("c")
    assert texts(loaded) == ["one", "3 messages", "two", "I saw 6 items."]
    assert loaded.messages[:4] == first.messages
    await saved(conversations, agent, "three")
    loaded = await conversations.load("c")
    assert texts(loaded)[-2:] == ["three", "9 messages"]
    entries = await conversations.load_entries("c")
    assert len({entry.id for entry in entries}) == len(entries) == 10
    fork = await conversations.fork("c", at=6, new_conversation_id="f")
    assert texts(fork) == texts(await conversations.load("f")) == texts(loaded)[:4]
    branched = await conversations.branch("c", at=5, expected_revision=loaded.revision)
    assert texts(await conversations.load("c")) == texts(branched) == texts(loaded)[:3]
    back = await conversations.branch(
        "c", from_entry=entries[-1].id, expected_revision=branched.revision
    )
    assert texts(back) == texts(loaded)


async def test_conversation_that_others_began(agent, store):
    """A session that only others have written can be loaded, and continued."""
    await store.session("c").add_items([user("Hi."), assistant("Ho.")])
    conversations = MemwrapConversationStore(store)
    with pytest.raises(ConversationConflict):
        await conversations.save(Conversation(conversation_id="c"))
    await saved(conversations, agent, "one", "two")
    assert texts(await conversations.load("c"))[:3] == ["Hi.", "Ho.", "one"]


async def test_what_an_agent_of_the_framework_stored(agent, store):
    """What a wrapped agent of the framework stored is loaded exactly, thoughts too."""
    result = await with_session(agent, store=store).run("one", session="c")
    loaded = await MemwrapConversationStore(store).load("c")
    parts = [[*message.parts] for message in loaded.messages[1:]]
    assert parts == [[*message.parts] for message in result.new_messages()]
    assert loaded.messages[1] == result.new_messages()[0]


async def test_session_with_four_methods(agent):
    """A session needs its four methods only."""

    class Bare:
        def __init__(self, session_id):
            self.session_id, self.items = session_id, []

        async def get_items(self, limit=None):
            return list(self.items if limit is None else self.items[-limit:] if limit else [])

        async def add_items(self, items):
            self.items += items

        async def pop_item(self):
            return self.items.pop() if self.items else None

        async def clear_session(self):
            self.items.clear()

    made = {}
    conversations = MemwrapConversationStore(lambda name: made.setdefault(name, Bare(name)))
    whole = await saved(conversations, agent, "one", "two")
    tip = (await conversations.load_entries("c"))[-1].id
    branched = await conversations.branch("c", at=4, expected_revision=whole.revision)
    assert texts(await conversations.load("c")) == ["one", "3 messages"]
    back = await conversations.branch("c", from_entry=tip, expected_revision=branched.revision)
    assert (await conversations.load("c")).messages == back.messages == whole.messages
    await conversations.delete("c")
    assert await conversations.load("c") is None


async def test_what_others_left_open(agent, store):
    """Calls that others left open, and their reasoning, are not shown to the framework."""
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": []}
    call = {"type": "function_call", "call_id": "c1", "name": "t", "arguments": "{}"}
    await store.session("c").add_items([user("Hi."), reasoning, call])
    conversations = MemwrapConversationStore(store)
    conversation = await saved(conversations, agent, "one")
    assert texts(conversation)[:2] == ["Hi.", "one"]
    assert "rs_1" not in str(conversation.messages)
    stored = await store.session("c").get_items()
    assert stored[:3] == [user("Hi."), reasoning, call]


async def test_items_that_no_message_shows(agent, store):
    """What others appended and no message shows goes with the branch, and comes back with it."""
    conversations = MemwrapConversationStore(store)
    await saved(conversations, agent, "one")
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    await store.session("c").add_items([search])
    loaded = await conversations.load("c")
    tip = (await conversations.load_entries("c"))[-1].id
    branched = await conversations.branch("c", at=1, expected_revision=loaded.revision)
    assert search not in await store.session("c").get_items()
    await conversations.branch("c", from_entry=tip, expected_revision=branched.revision)
    assert (await store.session("c").get_items())[-1] == search
    assert texts(await conversations.load("c")) == texts(loaded)


async def test_session_that_others_deleted(agent, store):
    """A conversation whose session somebody deleted is gone, and begins anew with nothing."""
    conversations = MemwrapConversationStore(store)
    loaded = await saved(conversations, agent, "the PIN")
    await conversations.branch("c", at=0, expected_revision=loaded.revision)
    await saved(conversations, agent, "one")
    assert "PIN" in str(await store.session("memwrap.pydantic_ai/c").get_items())
    await store.delete("c")
    assert await conversations.load("c") is None
    assert await conversations.list_conversations() == []
    await saved(conversations, agent, "two")
    assert "PIN" not in str(await store.session("memwrap.pydantic_ai/c").get_items())


async def test_edit_of_an_item(agent, store):
    """A message that was edited in the store is loaded as it is now, with its entry."""
    conversations = MemwrapConversationStore(store)
    await saved(conversations, agent, "one")
    entries = await conversations.load_entries("c")
    session = store.session("c")
    item = await session.pop_item()
    await session.add_items([item | {"content": "[gone]"}])
    edited = await conversations.load_entries("c")
    assert [entry.id for entry in edited] == [entry.id for entry in entries]
    assert edited[-1].message.parts == [TextPart("[gone]")]


async def test_restart(agent, path):
    """Conversations, their branches and forks are there in another process too."""
    async with SQLiteStore(path) as store:
        conversations = MemwrapConversationStore(store)
        whole = await saved(conversations, agent, "one", "two", scope="ada")
        entries = await conversations.load_entries("c")
        await conversations.branch("c", at=4, expected_revision=whole.revision)
    async with SQLiteStore(path) as store:
        conversations = MemwrapConversationStore(store)
        assert await conversations.read_entry(entries[-1].id) == entries[-1]
        (record,) = await conversations.list_conversations(scope="ada")
        back = await conversations.branch(
            "c", from_entry=entries[-1].id, expected_revision=record.revision
        )
        assert (back.messages, back.usage) == (whole.messages, whole.usage)


async def test_store_that_cannot_list(agent, store):
    """With a function from id to session all works but the list, which says what it needs."""
    conversations = MemwrapConversationStore(lambda session_id: store.session(session_id))
    await saved(conversations, agent, "one")
    assert texts(await conversations.load("c")) == ["one", "3 messages"]
    with pytest.raises(ConfigurationError, match=r"sessions\(\)"):
        await conversations.list_conversations()
