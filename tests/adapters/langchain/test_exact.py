"""LangChain messages and items turn into each other exactly, and edits win over hidden data."""

import copy
import json

import pytest
from corpus.exactness import hidden, seen, stored, whole, written
from corpus.strategies import items, messages
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    merge_message_runs,
    message_to_dict,
)

from memwrap import InMemorySession, with_session
from memwrap.adapters.langchain import from_items, to_items
from memwrap.hidden.comparison import digest
from memwrap.items import text_of
from memwrap.middleware import Redact

thorough = settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))


@thorough
@given(st.lists(messages, max_size=4))
def test_messages_round_trip(conversation):
    """Messages of any class and content come back the same, and become the same items again."""
    before = [whole(message) for message in conversation]
    made = to_items(conversation)
    assert [whole(message) for message in conversation] == before
    back = from_items(stored(made))
    assert [whole(message) for message in back] == before
    assert written(to_items(back)) == written(made)


@thorough
@given(st.lists(items, max_size=5), st.sampled_from(["openai", "portable"]))
@example(
    [
        {"type": "apply_patch_call_output", "call_id": "call_p", "output": "created"},
        {"type": "additional_tools", "role": "developer", "tools": []},
    ],
    "portable",
)
def test_items_round_trip(conversation, style):
    """Items of any type, known and unknown ones, come back the same from both styles."""
    before = written(conversation)
    shown = from_items(conversation, style=style)
    assert written(conversation) == before
    assert written(to_items(shown)) == before


@thorough
@given(st.lists(messages, min_size=1, max_size=3), st.data())
def test_any_slice_round_trips(conversation, data):
    """A history cut anywhere, also in the middle of a message, converts, and back to the same."""
    made = stored(to_items(conversation))
    start = data.draw(st.integers(0, len(made)))
    end = data.draw(st.integers(start, len(made)))
    part = made[start:end]
    assert written(to_items(from_items(part))) == written(part)


@thorough
@given(st.lists(st.lists(messages, max_size=2), max_size=3))
def test_lists_written_turn_by_turn(turns):
    """What turns have stored one after the other is what they stored, with questions between."""
    made, expected = [], []
    for turn in turns:
        made += to_items("next") + to_items(turn)
        expected += [HumanMessage("next"), *turn]
    assert list(map(whole, from_items(stored(made)))) == list(map(whole, expected))


RICH = AIMessage(
    [
        {"type": "thinking", "thinking": "secretly", "signature": "sig"},
        {"type": "text", "text": "the secret is 4711"},
        {"type": "tool_use", "id": "toolu_1", "name": "tell", "input": {"what": "4711"}},
    ],
    tool_calls=[{"name": "tell", "args": {"what": "4711"}, "id": "toolu_1"}],
    id="lc_run--1",
    usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    response_metadata={"model_name": "m"},
)


CALL = {"name": "tell", "args": {"what": "4711"}, "id": "call_1", "type": "tool_call"}
RAW = {"id": "call_1", "type": "function"}
RAW["function"] = {"name": "tell", "arguments": '{"what":"4711"}'}


def test_plain_messages_are_plain_items():
    """Messages that are text and nothing else leave nothing hidden in their items."""
    conversation = [SystemMessage("s"), HumanMessage("h"), AIMessage("a"), AIMessage("b")]
    assert to_items(conversation) == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "h"},
        {"role": "assistant", "content": "a"},
        {"role": "assistant", "content": "b"},
    ]


def test_hidden_data_repeats_nothing_visible():
    """What can be seen in the items, text, arguments and images, is not stored a second time."""
    image = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}
    made = to_items([RICH, HumanMessage([image], id="h1")])
    kept = json.dumps(hidden(made))
    assert "secretly" in kept
    for shown in ("4711", "the secret", "iVBORw0KGgo"):
        assert shown in json.dumps(made)
        assert shown not in kept


def edited(items, old, new, index=None):
    """Return items in which what can be seen of one, or of all, has been replaced."""
    made = stored(items)
    for place, item in enumerate(made):
        if index in (None, place):
            for key in ("content", "arguments", "output"):
                if key in item:
                    item[key] = json.loads(json.dumps(item[key]).replace(old, new))
    return made


@pytest.mark.parametrize("style", ["openai", "portable"])
@pytest.mark.parametrize("index", [0, 1])
def test_edited_items_win(index, style):
    """Text and arguments that were edited in the store are all that the message says."""
    made = edited(to_items([RICH]), "4711", "****", index)
    (message,) = from_items(made, style=style)
    assert ("the secret is 4711" in str(message.content)) == (index == 1)
    assert (message.tool_calls[0]["args"] == {"what": "4711"}) == (index == 0)
    assert "secretly" not in str(message)
    assert message.response_metadata == {}
    assert (message.id, message.usage_metadata) == (RICH.id, RICH.usage_metadata)


EDITED = [
    RICH,
    HumanMessage(["tell me 4711"], id="h", name="Ida"),
    ToolMessage("4711", tool_call_id="c", id="t", name="tell", status="error"),
    ToolMessage([{"type": "text", "text": "4711"}], tool_call_id="c", status="error"),
    FunctionMessage("4711", name="tell"),
    ChatMessage("4711", role="narrator"),
    AIMessageChunk("4711", id="run-1"),
    AIMessage(["It is ", "4711."], id="several items"),
    AIMessage("4711", additional_kwargs={"tool_calls": [RAW]}, tool_calls=[CALL], id="raw text"),
]


@pytest.mark.parametrize("message", EDITED, ids=lambda message: message.type)
def test_edits_keep_who_it_was(message):
    """An edit changes what a message says, not its class, id, name, role, status and usage."""
    made = edited(to_items([message]), "4711", "****")
    (back,) = from_items(made)
    assert type(back) is type(message)
    for key in ("id", "name", "role", "status", "usage_metadata", "tool_call_id"):
        assert getattr(back, key, None) == getattr(message, key, None)
    assert "4711" not in str(back)
    assert "****" in str(back)
    again = to_items([back])
    assert seen(again) == seen(made)
    assert from_items(stored(again)) == [back]


def test_edits_drop_what_may_hold_the_old_text():
    """After an edit nothing free in form is left: it may say what the edit took away."""
    said = {"content": "the code is 4711", "tool_call_id": "c", "id": "t"}
    message = ToolMessage(
        **said,
        artifact={"code": "4711"},
        additional_kwargs={"raw": "4711 it is"},
        response_metadata={"body": "4711"},
        note="4711!",
    )
    made = edited(to_items([message]), "4711", "****")
    assert from_items(made) == [ToolMessage(**(said | {"content": "the code is ****"}))]


def test_items_of_another_kind_are_another_message():
    """What replaces the items of a message, instead of editing them, has nothing of it."""
    for item in ({"role": "user", "content": "x"}, {"type": "reasoning", "id": "r", "summary": []}):
        made = to_items([RICH])
        made[0] = item | {"provider_data": made[0]["provider_data"]}
        assert [message.id for message in from_items(made)][0] is None
        assert seen(to_items(from_items(made))) == seen(made)


def test_portable_messages_keep_who_they_are():
    """Shown to another provider, a message has its id and status, and a class that all take."""
    tool = ToolMessage([{"type": "text", "text": "no"}], tool_call_id="c", status="error", id="t")
    chat = ChatMessage("ding", role="narrator", id="c")
    shown = from_items(to_items([RICH, tool, chat]), style="portable")
    assert [message.id for message in shown] == ["lc_run--1", "t", "c"]
    assert shown[1].status == "error"
    assert type(shown[2]) is HumanMessage
    assert "secretly" not in str(shown)


def test_edited_messages_win():
    """Arguments that somebody approved with a change are what is stored, not the ones before."""
    call = {"type": "function_call", "call_id": "c", "name": "pay", "id": "fc_1", "status": "done"}
    (message,) = from_items([call | {"arguments": '{ "amount":1000 }'}])
    message.tool_calls[0]["args"]["amount"] = 10
    (item,) = to_items([message])
    assert item["arguments"] == '{"amount": 10}'
    assert "1000" not in json.dumps(item)


async def test_redacted_messages_stay_redacted():
    """A layer that redacts leaves no copy of the secret, neither visible nor hidden."""
    session = InMemorySession("s")
    seen = []

    @with_session(session=session, middleware=[Redact(r"4711")])
    async def agent(history):
        seen.append(history)
        return RICH

    await agent("question")
    await agent("again")
    assert "4711" not in json.dumps(await session.get_items())
    assert "4711" not in str(seen)


def test_merged_messages_keep_what_they_say():
    """Two messages that LangChain merged into one lose what was hidden, and nothing visible."""
    said = {"type": "message", "id": "msg_1", "role": "assistant", "status": "incomplete"}
    first = said | {"content": [{"type": "output_text", "text": "One.", "annotations": []}]}
    (one,) = from_items([first])
    assert one.additional_kwargs
    (both,) = merge_message_runs([one, copy.deepcopy(one)])
    assert "".join(text_of(item) for item in to_items([both])) == "One.One."


def test_ids_that_langgraph_gives_are_kept():
    """An id given to a message of the history does not change what its items say."""
    history = [{"type": "custom_tool_call", "call_id": "c", "name": "n", "input": "i", "id": "ct"}]
    shown = from_items(history)
    shown[0].id = "a-uuid"
    made = to_items(shown)
    assert [{k: i[k] for k in i if k != "provider_data"} for i in made] == history
    assert from_items(made) == shown


def test_nothing_is_imported_for_stored_data():
    """A class that a stored item names is one of LangChain's messages, or is not used."""
    for name in ("os.system", "BaseMessage", "merge_content", "Path", "__class__"):
        (item,) = to_items([AIMessage("text", id="x")])
        item["provider_data"]["langchain"]["id"]["class"] = name
        (message,) = from_items([item])
        assert (type(message), message.content) == (AIMessage, "text")


@pytest.mark.parametrize("name", ["HumanMessage", "RemoveMessage", "ToolMessage", "ChatMessage"])
def test_items_say_who_speaks(name):
    """A class that an edited item cannot be of is not used."""
    (item,) = to_items([AIMessage("text", id="x")])
    item["provider_data"]["langchain"]["id"]["class"] = name
    item["provider_data"]["langchain"]["items"] = "none"
    assert from_items([item]) == [AIMessage("text")]


@pytest.mark.parametrize("data", [None, [], {"content": {"$": [9]}}, {"$what": 1}, {"$args": 0}])
def test_damaged_hidden_data_is_left_out(data):
    """Hidden data that nobody here wrote costs the hidden data, not the message or who it is."""
    (item,) = to_items([AIMessage("text", id="x", response_metadata={"a": 1})])
    item["provider_data"]["langchain"]["data"] = data
    (message,) = from_items([item])
    assert message == AIMessage("text", id="x")
    item["provider_data"]["langchain"]["id"] = data
    (message,) = from_items([item])
    assert message == AIMessage("text")


@pytest.mark.parametrize("edited", [False, True])
def test_sidecars_of_older_files_are_read(edited):
    """What an older memwrap stored beside items restores the message, or identifies it."""
    visible = [{"role": "assistant", "content": "text"}]
    fields = {"content": {"$": [0, "content"]}, "id": "x", "response_metadata": {"a": 1}}
    of = {"at": 0, "of": ["assistant"], "items": digest(visible)}
    item = visible[0] | {
        "provider_data": {"langchain": of | {"class": "AIMessage", "fields": fields}}
    }
    if edited:
        assert from_items([item | {"content": "new"}]) == [AIMessage("new", id="x")]
    else:
        assert from_items([item]) == [AIMessage("text", id="x", response_metadata={"a": 1})]


def test_derived_classes_become_their_base():
    """A message of somebody's own class comes back as LangChain's, with all its fields."""

    class Mine(HumanMessage):
        mood: str = "good"

    (back,) = from_items(to_items([Mine("Hi", mood="bad")]))
    assert type(back) is HumanMessage
    assert (back.content, back.mood) == ("Hi", "bad")


def test_reasoning_alone_keeps_its_message():
    """A message of nothing but reasoning has its hidden data beside it, never on the reasoning."""
    block = {"type": "reasoning", "id": "rs_1", "summary": []}
    message = AIMessage([block], id="resp_1")
    made = to_items([message])
    assert made[0] == block
    assert from_items(made) == [message]


@pytest.mark.parametrize(
    "second",
    [
        AIMessage([{"type": "text", "text": "b", "id": "msg_1"}]),
        AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "c", "type": "tool_call"}]),
    ],
)
def test_messages_in_a_row_stay_apart(second):
    """Two messages of a model, one after the other, are not taken for one."""
    both = [AIMessage("a"), second]
    made = to_items(both)
    assert from_items(made) == both
    assert to_items(from_items(made)) == made


def test_reused_call_ids_stay_apart():
    """A model that counts its calls from one each time keeps all its calls and outputs."""
    call = {"name": "f", "args": {}, "id": "call_0", "type": "tool_call"}
    turn = [AIMessage("", tool_calls=[call, call]), ToolMessage("1", tool_call_id="call_0")]
    assert from_items(to_items(turn * 3)) == turn * 3


def test_upstreams_form_is_one_message():
    """What LangChain's own stores hold of a message is what comes back of it here."""
    (back,) = from_items(stored(to_items([RICH])))
    assert message_to_dict(back) == message_to_dict(RICH)
