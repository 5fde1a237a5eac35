"""Conversations in files: each format there and back, what it loses, and what it refuses."""

import asyncio
import io
import json

import pytest
from atif import Trajectory
from corpus.contract import TEXT, TOOLS
from corpus.langchain_items import ITEM_CONVERSATIONS
from hypothesis import given
from hypothesis import strategies as st
from support import CALL, OUTPUT

from memwrap import (
    ConfigurationError,
    ConversionError,
    InMemoryStore,
    SQLiteStore,
    StoreError,
    with_session,
)
from memwrap.formats import (
    FORMATS,
    Conversation,
    format_of,
    read_conversation,
    write_conversation,
)
from memwrap.hidden.data import marked
from memwrap.items import assistant, user
from memwrap.middleware import Usage
from memwrap.usage import Usage as Tokens

READ = [name for name, format in FORMATS.items() if format.reads]
PICTURE = {
    "role": "user",
    "content": [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"},
    ],
}
TALK = [*TEXT, PICTURE, *TOOLS[1:]]
THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "It may be warm."}],
}


def text_of(name, *conversations):
    return "".join(FORMATS[name].dump(conversations))


def lines_of(text):
    return io.StringIO(text, newline="\n")


def loaded(name, text):
    return list(FORMATS[name].load(lines_of(text)))


def without_ids_of_calls(items):
    """Return the items with their calls numbered, and arguments as values."""
    numbers = {}
    found = []
    for item in items:
        if "call_id" in item:
            item = item | {"call_id": numbers.setdefault(item["call_id"], len(numbers))}
        if "arguments" in item:
            item = item | {"arguments": json.loads(item["arguments"])}
        found.append(item)
    return found


@pytest.fixture
async def store():
    """A store with one conversation of two turns, described, with usage and odd items."""
    store = InMemoryStore()

    @with_session(store=store, middleware=[Usage()])
    async def agent(items):
        return [THOUGHT, *TOOLS[1:]]

    await agent("Weather?", session="s", turn_id="one")
    await store.session("s").add_items([{"type": "hush", "\ud83d": [1e300, 2**80, None]}])
    await agent(PICTURE, session="s", turn_id="two")
    await store.update("s", title="Ti\u2028tle", tags=["b", "a"], owner="o", metadata={"k": [1]})
    return store


@pytest.mark.parametrize("name", READ)
def test_conversations_come_back(name):
    """Text, pictures, calls and outputs come back as they were, in order, with the session's id."""
    conversation = Conversation("an/id \u2028é", TALK)
    (found,) = loaded(name, text_of(name, conversation))
    assert without_ids_of_calls(found.items) == without_ids_of_calls(TALK)
    assert found.id == conversation.id


@pytest.mark.parametrize("name", READ)
def test_several_conversations_come_back(name):
    """A file holds many conversations, each apart from the others."""
    several = [Conversation(f"s{n}", [user(f"q{n}"), assistant(f"a{n}")]) for n in range(3)]
    text = text_of(name, *several)
    found = loaded(name, text)
    assert [(one.id, one.items) for one in found] == [(one.id, one.items) for one in several]
    assert format_of(lines_of(text)).name == name


@pytest.mark.parametrize("name", [name for name in READ if name != "jsonl"])
@pytest.mark.parametrize("indent", [None, 2])
def test_whole_documents_are_read(name, indent):
    """One document on many lines, and a list of documents, are read as well as lines."""
    one = json.loads(text_of(name, Conversation("s", [user("q"), assistant("a")])))
    for document in (one, [one, one]):
        found = loaded(name, json.dumps(document, indent=indent))
        assert {tuple(map(str, each.items)) for each in found} == {
            (str(user("q")), str(assistant("a")))
        }
        assert len(found) == (2 if isinstance(document, list) else 1)


@pytest.mark.parametrize("items", [TEXT, TOOLS, TALK, *ITEM_CONVERSATIONS.values()])
@pytest.mark.parametrize("name", FORMATS)
def test_whatever_a_session_holds_is_written(name, items, unchanged):
    """Each format takes what sessions hold, and leaves it as it is."""
    text = unchanged(lambda given: text_of(name, Conversation("s", given)), items)
    assert text.endswith("\n")
    text.encode()


async def test_everything_comes_back_by_jsonl(store):
    """Items, turns, ids, times, usage and all that is known of a conversation are kept."""
    before = await read_conversation(store, "s")
    (moved,) = loaded("jsonl", text_of("jsonl", before))
    target = InMemoryStore()
    assert await write_conversation(target, moved) == len(before.items)
    after = await read_conversation(target, "s")
    assert after.items == before.items
    assert after.answered == before.answered
    assert [(t.id, t.number, t.item_count, t.stored_at, t.metadata) for t in after.turns] == [
        (t.id, t.number, t.item_count, t.stored_at, t.metadata) for t in before.turns
    ]
    assert after.info == before.info
    assert FORMATS["jsonl"].losses(before) == []


async def test_answered_turns_stay_answered(store):
    """The same call with the same id gets the stored answer, from another store too."""
    (moved,) = loaded("jsonl", text_of("jsonl", await read_conversation(store, "s")))
    target = InMemoryStore()
    await write_conversation(target, moved)
    asked = []

    @with_session(store=target)
    async def agent(items):
        asked.append(items)
        return "again"

    assert await agent("Weather?", session="s", turn_id="one") == [THOUGHT, *TOOLS[1:]]
    assert asked == []


async def test_the_secret_of_a_store_stays_there(store):
    """A file has nothing of the secret by which a store knows its own data."""
    text = text_of("jsonl", await read_conversation(store, "s"))
    assert (await store.backend.key()).hex() not in text


async def test_writing_again_adds_nothing(store, tmp_path):
    """A conversation is stored once, and other items under its id are left alone."""
    conversation = await read_conversation(store, "s")
    target = SQLiteStore(tmp_path / "chat.db")
    assert await write_conversation(target, conversation) == len(conversation.items)
    assert await write_conversation(target, conversation) == 0
    assert await write_conversation(target, conversation, id="other") == len(conversation.items)
    with pytest.raises(StoreError, match="other items"):
        await write_conversation(target, Conversation("s", [user("else")]))
    assert await target.session("s").get_items() == conversation.items


async def test_interrupted_writing_goes_on(store):
    """What is missing of a conversation is added behind what is there."""
    items = [user(str(n)) for n in range(2500)]
    target = InMemoryStore()
    await target.session("s").add_items(items[:7])
    assert await write_conversation(target, Conversation("s", items)) == len(items) - 7
    assert await target.session("s").get_items() == items


async def test_what_is_known_stays_known(store):
    """A file that tells items only leaves title and owner as they are."""
    conversation = await read_conversation(store, "s")
    info = await store.info("s")
    await store.delete("s")
    await store.update("s", title="kept", owner="me")
    await write_conversation(store, Conversation("s", conversation.items))
    now = await store.info("s")
    assert (now.title, now.owner) == ("kept", "me")
    assert info.title != now.title


async def test_unknown_sessions_are_none():
    """Nothing is read of a session that the store does not know."""
    assert await read_conversation(InMemoryStore(), "s") is None


async def test_losses_are_told_without_content(store):
    """Each format tells what it does not keep, and repeats nothing of the conversation."""
    conversation = await read_conversation(store, "s")
    for name, format in FORMATS.items():
        losses = format.losses(conversation)
        assert bool(losses) is (name != "jsonl"), name
        assert not any(word in loss for loss in losses for word in ("Rome", "warm", "hush"))
    told = " ".join(FORMATS["chat"].losses(conversation))
    assert "2 items of the type reasoning become 0" in told
    assert "2 of 2 turns" in told
    assert FORMATS["chat"].losses(Conversation("s", TEXT)) == []


def test_hidden_data_is_not_believed():
    """Only memwrap's own format brings hidden data along."""
    items = [marked(user("q"), turn="x"), marked(assistant("a"), turn="x")]
    conversation = Conversation("s", items)
    for name in READ:
        (found,) = loaded(name, text_of(name, conversation))
        assert (found.items == items) is (name == "jsonl")
    forged = json.dumps({"items": items})
    assert loaded("openai", forged)[0].items == [user("q"), assistant("a")]


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize(
    "text",
    [
        "hush",
        '{"hush": 1}',
        "[1, 2]",
        '"hush"',
        '{"messages": "hush", "items": 3, "steps": {}, "conversations": null}',
        '{"messages": [{"hush": 1}], "items": ["hush", 1]}',
        '{"steps": [{"source": "hush"}], "conversations": [{"from": "hush", "value": "x"}]}',
        '{"memwrap": 2, "session": "s"}',
        '{"memwrap": 1, "session": "s", "created_at": "hush", "updated_at": 3}',
        '{"memwrap": 1, "session": "s"}\n{"turn": {"number": 1, "items": 5}}',
        "[" * 100_000,
    ],
)
def test_damaged_files_are_refused(name, text):
    """What is of no format is an error that tells the line, and nothing of its text."""
    with pytest.raises(ConversionError, match="line 1|line 2") as caught:
        loaded(name, text)
    assert "hush" not in str(caught.value)


def test_what_people_read_is_not_read_again():
    """Markdown and HTML have no way back, and say so."""
    for name in ("markdown", "html"):
        with pytest.raises(ConfigurationError, match="no way back"):
            FORMATS[name].load([])


def test_of_no_format():
    """A text that is of no format is an error that lists the formats."""
    with pytest.raises(ConversionError, match="jsonl"):
        format_of(['{"hush": 1}'])
    with pytest.raises(ConversionError):
        format_of([])


async def test_trajectories_are_valid(store):
    """A trajectory is what the format's own models take, with times and usage."""
    for conversation in [await read_conversation(store, "s"), Conversation("s", TALK)]:
        Trajectory.model_validate_json(text_of("atif", conversation))
    for items in ITEM_CONVERSATIONS.values():
        Trajectory.model_validate_json(text_of("atif", Conversation("s", items)))


async def test_trajectories_tell_usage():
    """The last step of a turn has what the turn cost."""
    store = InMemoryStore()

    async def usage(turn, send, handler):
        await handler(turn, send)
        turn.usage = usage_of
        turn.metadata |= {"cost": 0.5, "model": "m"}

    usage_of = Tokens(10, 4, 3)

    @with_session(store=store, middleware=[usage])
    async def agent(items):
        return [*TOOLS[1:]]

    await agent("q", session="s")
    document = json.loads(text_of("atif", await read_conversation(store, "s")))
    Trajectory.model_validate(document)
    *_, last = document["steps"]
    assert last["metrics"]["prompt_tokens"] == 10
    assert last["metrics"]["cost_usd"] == 0.5
    assert (last["llm_call_count"], last["model_name"]) == (2, "m")
    assert document["final_metrics"]["total_completion_tokens"] == 4


def test_pictures_of_sharegpt_have_their_places():
    """A picture is a sign in the text; the same sign in somebody's words is words."""
    (found,) = loaded("sharegpt", text_of("sharegpt", Conversation("s", [PICTURE])))
    assert found.items[0]["content"][1]["image_url"] == PICTURE["content"][1]["image_url"]
    said = [user("write <image> here"), assistant("<image>")]
    (found,) = loaded("sharegpt", text_of("sharegpt", Conversation("s", said)))
    assert found.items == said


def test_parallel_calls_of_sharegpt():
    """Calls of one answer are one entry, and each gets its own output back."""
    items = [user("q"), CALL, {**CALL, "call_id": "d"}, OUTPUT, {**OUTPUT, "call_id": "d"}]
    document = json.loads(text_of("sharegpt", Conversation("s", items)))
    assert [entry["from"] for entry in document["conversations"]] == [
        *("human", "function_call", "observation"),
    ]
    (found,) = loaded("sharegpt", json.dumps(document))
    assert without_ids_of_calls(found.items) == without_ids_of_calls(items)


TEXTS = st.text(max_size=30)
HALVES = st.text(st.characters(exclude_categories=[]), max_size=30)


@given(st.lists(st.tuples(TEXTS, TEXTS.filter(bool)), min_size=1, max_size=4))
def test_any_text_comes_back(said):
    """Texts of any characters come back from each format that reads, on one line each."""
    items = [item for q, a in said for item in (user(q or "q"), assistant(a))]
    for name in READ:
        text = text_of(name, Conversation("s", items))
        assert len(text.splitlines()) == text.count("\n")
        (found,) = loaded(name, text)
        assert [item["content"] for item in found.items] == [item["content"] for item in items]


@pytest.mark.parametrize("name", FORMATS)
def test_half_characters_are_replaced(name):
    """What other programs read is UTF-8; only memwrap's own format keeps half a character."""
    text = text_of(name, Conversation("s", [user("a\ud83db"), assistant("\U0001f600")]))
    assert "\U0001f600" in text or name == "jsonl"
    assert ("\\ud83d" in text) is (name == "jsonl")
    assert ("a\ufffdb" in text) is (name != "jsonl")
    text.encode()


@given(st.lists(st.dictionaries(HALVES, HALVES | st.integers() | st.none(), max_size=3)))
def test_any_items_come_back_by_jsonl(items):
    """Memwrap's own format keeps any object."""
    (found,) = loaded("jsonl", text_of("jsonl", Conversation("s", items)))
    assert found.items == items


def test_content_of_html_is_text():
    """No text of a conversation becomes markup or a script, in HTML or in Markdown's HTML."""
    evil = "<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) ![p](http://t/x)"
    call = {**CALL, "name": "<b>", "arguments": f'"{evil}"'}
    items = [user(evil), assistant(evil), call, {**OUTPUT, "output": evil}]
    text = text_of("html", Conversation('"><script>', items))
    assert "<script" not in text
    assert "<img" not in text
    assert 'href="javascript:' not in text
    assert "http://t/x" in text


def test_markdown_fences_hold():
    """A fence is longer than any in what a tool said."""
    text = text_of("markdown", Conversation("s", [CALL, {**OUTPUT, "output": "````\n# no"}]))
    assert "`````\n````\n# no\n`````" in text


def test_reading_a_damaged_item(tmp_path):
    """A damaged item is left out with a warning, or an error if the reading is strict."""
    from support import query

    path = tmp_path / "chat.db"

    async def main():
        async with SQLiteStore(path) as store:
            await store.session("s").add_items([user("a"), user("b")])
        query(path, "UPDATE agent_messages SET message_data = 'no' WHERE id = 1")
        async with SQLiteStore(path) as store:
            with pytest.warns(UserWarning, match="damaged"):
                found = await read_conversation(store, "s")
            assert found.items == [user("b")]
            with pytest.raises(StoreError, match="damaged"):
                await read_conversation(store, "s", strict=True)

    asyncio.run(main())
