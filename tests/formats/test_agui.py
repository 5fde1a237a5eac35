"""Items as the messages of AG-UI, and back."""

import pytest
from ag_ui.core import MessagesSnapshotEvent
from corpus.contract import TEXT, TOOLS
from corpus.langchain_items import ITEM_CONVERSATIONS
from support import CALL, OUTPUT, REASONING

from memwrap import ConversionError
from memwrap.formats import from_agui, to_agui
from memwrap.hidden.data import marked
from memwrap.items import assistant, user


@pytest.mark.parametrize("items", [TEXT, TOOLS, *ITEM_CONVERSATIONS.values()])
def test_messages_are_valid(items, unchanged):
    """Whatever a session holds is shown as messages that the protocol's own package takes."""
    messages = unchanged(to_agui, items)
    event = MessagesSnapshotEvent.model_validate(
        {"type": "MESSAGES_SNAPSHOT", "messages": messages}
    )
    assert event.model_dump(mode="json", by_alias=True)["messages"] == messages


@pytest.mark.parametrize("items", [TEXT, TOOLS])
def test_conversations_come_back(items):
    """Text, calls and outputs come back as they were, in order."""
    assert from_agui(to_agui(items)) == items


def test_calls_stand_with_the_text_before_them():
    """An assistant's text and the calls behind it are one message; the next call is another."""
    second = {**CALL, "call_id": "d"}
    items = [assistant("I look."), CALL, second, OUTPUT, {**OUTPUT, "call_id": "d"}, CALL]
    messages = to_agui(items)
    assert [message["role"] for message in messages] == ["assistant", "tool", "tool", "assistant"]
    assert [call["id"] for call in messages[0]["toolCalls"]] == ["c", "d"]
    assert messages[1] == {"id": "item-3", "role": "tool", "toolCallId": "c", "content": "done"}
    assert "content" not in messages[3]
    assert from_agui(messages) == items


def test_reasoning_is_shown_and_not_taken():
    """Reasoning is shown if it tells something, and nothing of it is believed on the way back."""
    thought = {**REASONING, "summary": [{"type": "summary_text", "text": "hm"}]}
    messages = to_agui([thought, REASONING, assistant("x")])
    assert [message["role"] for message in messages] == ["reasoning", "assistant"]
    assert from_agui(messages) == [assistant("x")]


def test_media_come_back():
    """Pictures and files go forth and back; what has no place is named in text."""
    parts = [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_url": "https://x/a.pdf"},
    ]
    item = {"role": "user", "content": parts}
    (message,) = to_agui([item])
    assert [part["type"] for part in message["content"]] == ["text", "image", "document"]
    assert from_agui(message) == [item]
    lost = {"role": "user", "content": [{"type": "input_image", "file_id": "f", "detail": "auto"}]}
    assert to_agui([lost])[0]["content"] == "[image: f]"


def test_nothing_hidden_is_shown():
    """No note and no hidden data reaches the page."""
    assert "provider_data" not in str(to_agui([marked(user("q"), turn="t")]))


def test_ids_tell_the_place_in_the_conversation():
    """A part of a conversation has the ids that it has in the whole."""
    items = [user("a"), assistant("b"), user("c"), {**assistant("d"), "id": "msg_1"}]
    whole = to_agui(items)
    assert [message["id"] for message in whole] == ["item-0", "item-1", "item-2", "msg_1"]
    assert to_agui(items[2:], first=2) == whole[2:]


def test_errors_of_tools_are_their_outputs():
    """A tool that failed has its error as output; activities are no items."""
    failed = {"id": "t", "role": "tool", "toolCallId": "c", "content": "", "error": "no such city"}
    activity = {"id": "a", "role": "activity", "activityType": "x", "content": {}}
    assert from_agui([failed, activity]) == [{**OUTPUT, "output": "no such city"}]


@pytest.mark.parametrize(
    "message",
    [
        *({}, {"role": "hush"}, None, 5, ["hush"], {"role": "tool", "content": "hush"}),
        {"role": "assistant", "toolCalls": [{"id": "hush"}]},
        {"role": "user", "content": [{"type": "binary", "data": "hush"}]},
        {"role": "user", "content": ["hush"]},
    ],
)
def test_what_is_no_message_is_refused(message):
    """What is no message of AG-UI is an error that tells nothing of the content."""
    with pytest.raises(ConversionError) as caught:
        from_agui(message)
    assert "hush" not in str(caught.value)
