"""Every message and item of the corpus converts exactly, visibly, validly; edits win."""

import base64
import copy
import json

import pytest
from corpus.exactness import hidden, seen, stored, strings, whole, written
from corpus.langchain import CONVERSATIONS, MESSAGES
from corpus.langchain_blocks import DOT64, DOT_URL, PAGE64, PAGE_URL, UNSEEN, WEB
from corpus.langchain_hosted import HOSTED
from corpus.langchain_items import CITED, ITEM_CONVERSATIONS, ITEMS
from corpus.response_schema import problems
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from memwrap.adapters.langchain import from_items, to_items

each_message = pytest.mark.parametrize("name", MESSAGES)
each_conversation = pytest.mark.parametrize("name", CONVERSATIONS)
each_style = pytest.mark.parametrize("style", ["openai", "portable"])


def test_size_of_the_corpus():
    """The corpus holds hundreds of different messages and items, and conversations of them."""
    assert len({str(whole(message)) for message in MESSAGES.values()}) >= 200
    assert len({json.dumps(item) for item in ITEMS.values()}) >= 70
    assert (len(CONVERSATIONS) >= 30, len(ITEM_CONVERSATIONS) >= 20) == (True, True)


def check_messages(messages):
    before = [whole(message) for message in messages]
    made = to_items(messages)
    assert [whole(message) for message in messages] == before
    assert json.dumps(to_items(messages)) == json.dumps(made)
    back = from_items(stored(made))
    assert [whole(message) for message in back] == before
    again = to_items(back)
    assert written(again) == written(made)
    assert [whole(message) for message in from_items(stored(again))] == before


@each_message
def test_message_comes_back(name):
    """A message comes back from the JSON of its items as it was, to the type of each value."""
    check_messages([MESSAGES[name]])


@each_conversation
def test_conversation_comes_back(name):
    """A conversation comes back from the JSON of its items as it was, message by message."""
    check_messages(CONVERSATIONS[name])


@each_conversation
def test_conversation_comes_back_turn_by_turn(name):
    """Messages that were converted and stored one by one, a question each, come back too."""
    made, expected = [], []
    for message in CONVERSATIONS[name]:
        made += to_items(HumanMessage("next")) + to_items(message)
        expected += [HumanMessage("next"), message]
    assert list(map(whole, from_items(stored(made)))) == list(map(whole, expected))


def check_items(items, style):
    before = copy.deepcopy(items)
    shown = from_items(items, style=style)
    assert written(items) == written(before)
    assert list(map(whole, from_items(items, style=style))) == list(map(whole, shown))
    made = to_items(shown)
    assert written(made) == written(items)
    assert json.dumps(made) == json.dumps(items)
    assert list(map(whole, from_items(made, style=style))) == list(map(whole, shown))


@each_style
@pytest.mark.parametrize("name", ITEMS)
def test_item_comes_back(name, style):
    """An item comes back from the messages that show it as it was, to the order of its keys."""
    check_items([ITEMS[name]], style)


@each_style
@pytest.mark.parametrize("name", ITEM_CONVERSATIONS)
def test_items_come_back(name, style):
    """A conversation's items come back from the messages that show them as they were."""
    check_items(ITEM_CONVERSATIONS[name], style)


def slices(items):
    """Yield all slices of a conversation; of a long one its ends and short parts."""
    for start in range(len(items)):
        for end in range(start + 1, len(items) + 1):
            if len(items) <= 16 or end - start <= 3 or end == len(items) <= start + 40:
                yield items[start:end]


@pytest.mark.parametrize("name", [*CONVERSATIONS, *ITEM_CONVERSATIONS])
def test_slices_come_back(name):
    """A history cut anywhere, also inside of a message, comes back from its messages as it was."""
    if name in CONVERSATIONS:
        items = stored(to_items(CONVERSATIONS[name]))
    else:
        items = ITEM_CONVERSATIONS[name]
    for part in slices(items):
        assert written(to_items(from_items(part))) == written(part)
        assert from_items(part, style="portable")


# Items that are no better than the block that a caller or model gave.
MALFORMED = {
    "only odd": "a block of another provider that is all of a message",
}


@each_message
def test_items_are_valid(name):
    """The items of a message are what the API's types ask for, without a key too many."""
    for item in seen(to_items(MESSAGES[name])):
        if name not in MALFORMED:
            assert problems(item) == []


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_blocks_stay_malformed(name):
    """The messages that the test before leaves out have invalid items, and no others do."""
    assert any(problems(item) for item in seen(to_items(MESSAGES[name])))


def test_checker_of_types_is_strict():
    """The check of the test before takes an item of each type, and nothing that is none."""
    assert {name: problems(item) for name, item in HOSTED.items() if problems(item)} == {}
    for name in ("null content", "odd role", "said without id", "call unnamed", "output dict"):
        assert problems(ITEMS[name])
    for name in ("unknown", "unknown keys", "half a call", "part no detail", "nothing"):
        assert problems(ITEMS[name])


# What is said can be seen, and only there

# What makes an item an item; that it is hidden too gives nothing away.
WORDS = {
    *HOSTED,
    *(cited["type"] for cited in CITED),
    "message",
    "function_call",
    "custom_tool_call",
    "reasoning",
}
WORDS |= {"user", "assistant", "system", "developer", "completed", "content", "image/png"}
WORDS |= {"text", "input_text", "input_image", "input_file", "output_text", "refusal", "auto"}


def facts(message):
    """Yield the texts, pictures and files of a message that its items must show."""
    blocks = [message.content] if isinstance(message.content, str) else message.content
    for block in blocks:
        if isinstance(block, str):
            yield block
        elif block not in UNSEEN.values() and block.get("type") != "non_standard":
            yield from _facts_of(block, spoken=isinstance(message, AIMessage))


def _facts_of(block, spoken):
    if spoken:
        yield from (block[key] for key in ("text", "refusal") if block.get("type") == key)
        return
    for value in [*strings(block), *_bytes(block)]:
        if value in (WEB, DOT64, DOT_URL, PAGE64, PAGE_URL) or "tide" in value or "high" in value:
            yield value


def _bytes(value):
    if isinstance(value, bytes):
        yield base64.b64encode(value).decode()
    elif isinstance(value, dict):
        yield from (one for member in value.values() for one in _bytes(member))


def arguments_of(item):
    if "input" in item:
        return {"__arg1": item["input"]}
    try:
        return json.loads(item["arguments"])
    except ValueError:
        return None


@each_message
def test_what_is_said_is_visible(name):
    """Each text, picture, file, call and output of a message can be read in its items."""
    message, items = MESSAGES[name], seen(to_items(MESSAGES[name]))
    shown = list(strings(items))
    for fact in facts(message):
        assert any(fact in one for one in shown)
    named = [item for item in items if item.get("type") in ("function_call", "custom_tool_call")]
    for call in getattr(message, "tool_calls", ()):
        found = [item for item in named if arguments_of(item) == call["args"]]
        assert call["name"] in [item["name"] for item in found]
        assert not call["id"] or call["id"] in [item["call_id"] for item in found]
    for call in getattr(message, "invalid_tool_calls", ()):
        assert (call["args"] or "") in [item["arguments"] for item in named]
    if isinstance(message, ToolMessage) and message.tool_call_id:
        assert items[0]["call_id"] in (message.tool_call_id, "call_c")


@each_message
def test_nothing_visible_is_hidden_too(name):
    """What is hidden in the items of a message repeats no text that can be seen in them."""
    items = to_items(MESSAGES[name])
    kept = list(strings(hidden(items)))
    shown = set(strings(seen(items))) - WORDS
    shown |= {one.partition(";base64,")[2] for one in shown}
    for one in shown:
        assert len(one) <= 6 or not any(one in text for text in kept)


# Edits


def edits(items):
    """Yield texts of items, with the items in which each has been replaced."""
    items = stored(items)
    for text in {text for item in seen(items) for text in _texts_of(item)}:
        edited = stored(items)
        for item in edited:
            for key in ("content", "output", "arguments", "input"):
                if key in item and item.get("type", "message") in EDITED:
                    item[key] = _replaced(item[key], text)
        yield text, edited


EDITED = ("message", "function_call", "function_call_output", "custom_tool_call")


def _texts_of(item):
    if item.get("type", "message") not in EDITED:
        return
    for key in ("content", "output", "arguments", "input"):
        for text in strings(item.get(key)):
            if len(text) >= 4 and text not in WORDS and text[0] not in "{[":
                yield text


def _replaced(value, text):
    if isinstance(value, str):
        if text not in value and text in strings(value):
            value = json.dumps(json.loads(value), ensure_ascii=False)
        return value.replace(text, "[gone]")
    if isinstance(value, list):
        return [_replaced(one, text) for one in value]
    if isinstance(value, dict):
        return {key: value[key] if key == "type" else _replaced(value[key], text) for key in value}
    return value


@each_message
def test_edited_text_is_all_that_is_said(name):
    """A text replaced in the items is replaced in the message, and nowhere hidden in it."""
    for text, edited in edits(to_items(MESSAGES[name])):
        for style in ("openai", "portable"):
            said = from_items(edited, style=style)
            assert text not in str(list(map(whole, said)))
            assert "[gone]" in str(list(map(whole, said)))
        kept = from_items(edited)
        again = to_items(kept)
        assert seen(again) == seen(edited)
        assert text not in json.dumps(again, ensure_ascii=False)
        assert list(map(whole, from_items(stored(again)))) == list(map(whole, kept))


IDENTITY = ("id", "name", "role", "status", "usage_metadata")


@each_message
def test_edited_message_is_the_same_one(name):
    """After an edit of what it says a message has its class, its ids and its numbers still."""
    for _, edited in edits(to_items(MESSAGES[name])):
        (message,) = from_items(edited)
        assert type(message) is type(MESSAGES[name])
        for key in IDENTITY:
            assert getattr(message, key, None) == getattr(MESSAGES[name], key, None)
