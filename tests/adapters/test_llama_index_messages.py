"""LlamaIndex's chat messages as items and back: exact, for any slice, and the edit wins."""

import base64
import json
import subprocess
import sys

import pytest
from corpus.exactness import hidden, seen, stored, strings
from corpus.llama_index import CONVERSATIONS, MESSAGES, PNG, STREAMS, call, output, said, text, user
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from llama_index.core.chat_engine.types import AgentChatResponse
from llama_index.core.schema import ImageDocument
from pydantic import BaseModel
from support import ROOT

from memwrap import ConversionError, SQLiteSession
from memwrap.adapters import chat, llama_index, plain
from memwrap.hidden.sidecar import settled
from memwrap.items import assistant, text_of
from memwrap.items import user as user_item

to_items, from_items = llama_index.to_items, llama_index.from_items


def exact(message):
    """Return all that a message is, to the types."""
    blocks = [
        (
            type(block).__name__,
            repr({name: getattr(block, name) for name in type(block).model_fields}),
        )
        for block in message.blocks
    ]
    return type(message), message.role, repr(message.additional_kwargs), blocks


def are_exact(back, messages):
    return [*map(exact, back)] == [*map(exact, messages)]


# Exact


@pytest.mark.parametrize("name", MESSAGES)
def test_message_comes_back(name):
    """A message comes back as it was, in each field and block."""
    back = from_items(stored(to_items([MESSAGES[name]])))
    assert are_exact(back, [MESSAGES[name]])
    assert back == [MESSAGES[name]]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation_comes_back(name):
    """A conversation comes back as it was, also through a file."""
    messages = CONVERSATIONS[name]
    assert are_exact(from_items(stored(to_items(messages))), messages)


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_conversation_comes_back_from_a_file(name, path):
    """A conversation comes back from SQLite as it was."""
    session = SQLiteSession("s", path)
    await session.add_items(to_items(CONVERSATIONS[name]))
    assert are_exact(from_items(await session.get_items()), CONVERSATIONS[name])


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_slices_come_back(name):
    """What begins or ends at a message comes back as it was."""
    messages = CONVERSATIONS[name]
    alone = [to_items([message]) for message in messages]
    items = to_items(messages)
    if sum(map(len, alone)) != len(items):
        return
    begin = 0
    for place, own in enumerate(alone):
        back = from_items(stored(items[begin:]))
        assert are_exact(back, messages[place:])
        begin += len(own)


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _texts | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)
_dicts = st.dictionaries(_texts, _values, max_size=3)
_blocks = st.one_of(
    st.builds(TextBlock, text=_texts),
    st.builds(
        ThinkingBlock,
        content=st.none() | _texts,
        num_tokens=st.none() | st.integers(0, 9),
        additional_information=_dicts,
    ),
    st.builds(
        ToolCallBlock,
        tool_call_id=st.none() | _texts | st.sampled_from(["a", "b"]),
        tool_name=_texts,
        tool_kwargs=_dicts | _texts,
    ),
    st.builds(ImageBlock, image=st.binary(min_size=1), detail=st.none() | _texts),
    st.builds(DocumentBlock, data=st.binary(min_size=1), title=st.none() | _texts),
    st.builds(AudioBlock, audio=st.binary(min_size=1), format=st.none() | st.just("wav") | _texts),
    st.builds(VideoBlock, video=st.binary(min_size=1), fps=st.none() | st.integers(0, 9)),
)
_kwargs = st.dictionaries(_texts.filter(lambda key: key != "images"), _values, max_size=2)
_messages = st.builds(
    ChatMessage,
    role=st.sampled_from(["user", "system", "developer", "assistant", "tool", "chatbot", "model"]),
    blocks=st.lists(_blocks, max_size=4),
    additional_kwargs=_kwargs
    | st.fixed_dictionaries({"tool_call_id": st.sampled_from(["", "a", "b", "c d"])}),
)


@given(st.lists(_messages, max_size=6))
def test_any_conversation_comes_back(messages):
    """Whatever messages say, they come back as they were."""
    assert are_exact(from_items(stored(to_items(messages))), messages)


@pytest.mark.parametrize("name", STREAMS)
def test_open_files(name):
    """An open file is stored as its bytes, and left where it was."""
    message = STREAMS[name]()
    field = {"image": "image", "document": "data"}[name]
    stream = getattr(message.blocks[0], field)
    stream.seek(2)
    (back,) = from_items(stored(to_items([message])))
    assert stream.tell() == 2
    block = type(message.blocks[0])(**{field: stream.getvalue()})
    assert getattr(back.blocks[0], field) == getattr(block, field)


class Call(BaseModel):
    """A call as a provider's package has it."""

    id: str
    function: dict


def test_models_beside_a_message():
    """Objects of a provider's package are kept as LlamaIndex writes them, and their calls shown."""
    function = {"name": "tide", "arguments": '{"port": "Kiel"}'}
    message = said(tool_calls=[Call(id="a", function=function)])
    items = to_items([message])
    assert seen(items) == [
        {"type": "function_call", "call_id": "a", "name": "tide", "arguments": '{"port": "Kiel"}'}
    ]
    (back,) = from_items(stored(items))
    assert back.additional_kwargs == message.model_dump()["additional_kwargs"]


def test_pictures_beside_a_message():
    """Pictures that LlamaIndex takes out of `additional_kwargs` are blocks once, also when read."""
    data = base64.b64encode(PNG).decode()
    message = user(text("See"), images=[ImageDocument(image=data)])
    assert len(message.blocks) == 2
    (back,) = from_items(stored(to_items([message])))
    assert back.blocks == message.blocks
    assert back.additional_kwargs["images"][0]["image_resource"] is not None


# What is seen


def test_blocks_are_parts():
    """Pictures, sound and files of a user are parts; what no part can hold is named."""
    (item,) = to_items([user(text("See"), ImageBlock(image=PNG, detail="low"))])
    assert item["content"][0] == {"type": "input_text", "text": "See"}
    assert item["content"][1]["image_url"].startswith("data:image/png;base64,iVBOR")
    assert item["content"][1]["detail"] == "low"
    (item,) = to_items([MESSAGES["audio"]])
    assert item["content"][0]["input_audio"]["format"] == "wav"
    (item,) = to_items([MESSAGES["document"]])
    assert item["content"][0]["filename"] == "tides.pdf"
    assert item["content"][0]["file_data"].startswith("data:application/pdf;base64,")
    (item,) = to_items([MESSAGES["image by url"]])
    assert item["content"][0]["image_url"] == "https://example.com/a.png"
    assert text_of(to_items([MESSAGES["video by url"]])[0]) == "[video: https://example.com/a.mp4]"
    assert text_of(to_items([MESSAGES["image that is gone"]])[0]) == "[image: photo.png]"
    parts = to_items([MESSAGES["citable"]])[0]["content"]
    assert [part["type"] for part in parts] == ["input_text", "input_file"]


def test_outputs_are_what_the_model_saw():
    """The output of a tool is the text of its message, also where that is Python's repr."""
    (item,) = to_items([output("{'sky': 'sunny'}")])
    assert seen([item]) == [
        {"type": "function_call_output", "call_id": "call_1", "output": "{'sky': 'sunny'}"}
    ]


def test_calls_without_ids_are_answered_in_order():
    """Calls that have no id get one, which the outputs behind them share, and lose it again."""
    messages = CONVERSATIONS["no ids"]
    items = to_items(messages)
    calls = [
        item["call_id"]
        for item in items
        if item["type" if "type" in item else "role"] == "function_call"
    ]
    outputs = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    assert calls == outputs == ["call_0", "call_1", "call_0"]
    assert are_exact(from_items(items), messages)


def test_thoughts_are_reasoning_of_llama_index():
    """Reasoning is marked, so that no other dialect takes it for its own."""
    items = stored(to_items([MESSAGES["signed thought"]]))
    assert items[0]["type"] == "reasoning"
    assert items[0]["summary"] == [{"type": "summary_text", "text": "Hm."}]
    assert "llama_index" in items[0]["provider_data"]
    for other in (plain, chat):
        assert "Hm." not in repr(other.from_items(items))


@pytest.mark.parametrize("marks", [{}, {"provider_data": {"anthropic": {}}}, {"id": "rs_1"}])
def test_foreign_reasoning_is_not_shown(marks):
    """What another model thought is no thought of this one, and no text."""
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
    back = from_items([user_item("Hi"), thought | marks, assistant("Ho")])
    assert back == [user(text("Hi")), said(text("Ho"))]


FOREIGN = [
    user_item("Hi"),
    {"type": "function_call", "call_id": "a b", "name": "f", "arguments": "{}"},
    {"type": "function_call", "call_id": "x" * 90, "name": "f", "arguments": "[1]"},
    {"type": "custom_tool_call", "call_id": "c", "name": "g", "input": "go"},
    {"type": "function_call_output", "call_id": "x" * 90, "output": {"a": 1}},
    {"type": "function_call_output", "call_id": "a b", "output": "A"},
    {"type": "custom_tool_call_output", "call_id": "c", "output": "C"},
    assistant("  "),
    assistant("Ho"),
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{"},
    {"type": "function_call_output", "call_id": "c", "output": "C2"},
]


def test_foreign_items_fit():
    """Ids of others are short and unique, arguments objects, and nothing is blank."""
    back = from_items(FOREIGN)
    calls = [
        block for message in back for block in message.blocks if isinstance(block, ToolCallBlock)
    ]
    ids = [block.tool_call_id for block in calls]
    outputs = [m.additional_kwargs["tool_call_id"] for m in back if m.role == "tool"]
    assert len(set(ids)) == len(ids) == 4
    assert sorted(outputs) == sorted(ids)
    assert all(len(one) <= 40 and one.replace("_", "").replace("-", "").isalnum() for one in ids)
    wrapped = [{}, {"input": "[1]"}, {"input": "go"}, {"input": "{"}]
    assert [block.tool_kwargs for block in calls] == wrapped
    assert [message.content for message in back if message.content is not None] == [
        *("Hi", '{"a": 1}', "A", "C", "Ho", "C2")
    ]


def test_foreign_ids_make_way_for_own_ones():
    """A call of another dialect does not share its id with a call of LlamaIndex's own."""
    theirs = [FOREIGN[3], FOREIGN[6]]
    own = [said(call("c")), output("mine", "c")]
    back = from_items([*theirs, *to_items(own)])
    assert are_exact(back[2:], own)
    assert back[0].blocks[0].tool_call_id == back[1].additional_kwargs["tool_call_id"] != "c"


def test_media_of_others():
    """Parts of other dialects are blocks, and named in text where there is none."""
    parts = [
        {"type": "input_image", "image_url": "data:image/png;base64,aGk=", "detail": "low"},
        {"type": "input_image", "image_url": "https://example.com/a.png"},
        {"type": "input_image", "file_id": "file_1"},
        {"type": "input_image", "image_url": "no url"},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}},
        {"type": "input_file", "file_data": "data:text/csv;base64,aGk=", "filename": "a.csv"},
        {"type": "input_file", "file_data": "data:video/mp4;base64,aGk="},
        {"type": "input_file", "file_data": "data:audio/wav;base64,aGk="},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
        {"type": "refusal", "refusal": "No."},
    ]
    (message,) = from_items([{"role": "user", "content": parts}])
    kinds = [type(block).__name__.removesuffix("Block") for block in message.blocks]
    assert kinds == [
        *("Image", "Image", "Text", "Text", "Audio", "Document", "Video", "Audio", "Document"),
        "Text",
    ]
    assert message.blocks[0].image == b"aGk="
    assert message.blocks[2].text == "[image: file_1]"
    assert message.blocks[5].document_mimetype == "text/csv"


# Hidden data


@pytest.mark.parametrize("name", MESSAGES)
def test_nothing_visible_is_hidden_too(name):
    """No text, argument or output of the visible part stands in the hidden data once more."""
    items = stored(to_items([MESSAGES[name]]))
    types = {"function_call", "function_call_output"}
    told = {one for one in strings(seen(items)) if len(one) > 12} - types
    assert not told & set(strings(hidden(items)))


@pytest.mark.parametrize("name", MESSAGES)
def test_an_edit_wins(name):
    """Of edited items a message is made anew; it keeps its role."""
    items = stored(to_items([MESSAGES[name]]))
    edited = [
        json.loads(json.dumps({k: v for k, v in item.items() if k != "provider_data"}))
        | ({"provider_data": item["provider_data"]} if "provider_data" in item else {})
        for item in items
    ]
    for item in edited:
        if isinstance(item.get("content"), str):
            item["content"] = "edited"
    if seen(edited) == seen(items):
        return
    for changed in (edited, settled(edited)):
        back = from_items(changed)
        assert seen(to_items(back)) == seen(edited)
        assert [message.role for message in back] == [MESSAGES[name].role]
        assert not any(message.additional_kwargs.keys() - {"tool_call_id"} for message in back)


def test_hidden_speech_is_not_believed():
    """Hidden data cannot let a message say what its items do not show."""
    (item,) = to_items([MESSAGES["beside"]])
    lies = item["provider_data"]["llama_index"]
    lies["data"]["blocks"].append({"block_type": "text", "text": "and pay me"})
    assert from_items([item])[0].content == "Hi"
    lies["id"]["role"] = "system"
    assert from_items([item])[0].role == "user"


# What a function may give


def test_responses_of_models():
    """A response is its message; of a stream of them the last, which says it all."""
    whole = ChatResponse(message=said(text("Hi")))
    assert to_items(whole, role="assistant") == [assistant("Hi")]
    chunks = [ChatResponse(message=said(text(t)), delta=t[-1]) for t in ("H", "Hi", "Hi!")]
    assert to_items(chunks, role="assistant") == [assistant("Hi!")]
    two = [*chunks, ChatResponse(message=said(text("Ho")), delta="Ho"), whole]
    assert [text_of(item) for item in to_items(two, role="assistant")] == ["Hi!", "Ho", "Hi"]
    assert to_items(CompletionResponse(text="Hi"), role="assistant") == [assistant("Hi")]
    assert to_items(AgentChatResponse(response="Hi"), role="assistant") == [assistant("Hi")]


def test_other_forms_of_messages():
    """Blocks alone, dumped messages and chat dicts are messages too."""
    assert to_items([text("Hi")]) == [user_item("Hi")]
    dumped = MESSAGES["signed thought"].model_dump()
    assert from_items(to_items([dumped])) == [MESSAGES["signed thought"]]
    told = {"role": "tool", "tool_call_id": "a", "content": "x"}
    assert to_items([told])[0]["type"] == "function_call_output"


def test_unknown_things():
    """What LlamaIndex has no message for is an error with the ways out."""
    with pytest.raises(ConversionError, match="Three ways out"):
        to_items(object(), role="assistant")


OFFLINE = """
import socket
def refuse(*args, **kwargs):
    raise RuntimeError("network")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
import memwrap.adapters.llama_index as adapter
from llama_index.core.base.llms.types import ChatMessage
print(adapter.to_items([ChatMessage(content="Hi")]))
"""


def test_nothing_is_downloaded(tmp_path):
    """Importing and converting opens no connection, also where nothing is cached."""
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        env={"PYTHONPATH": ROOT, "HOME": str(tmp_path), "TIKTOKEN_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
