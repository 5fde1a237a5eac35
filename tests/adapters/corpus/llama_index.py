"""LlamaIndex's chat messages, odd ones among them, by name; made by code."""

import base64
from io import BytesIO
from pathlib import Path

from corpus.contract import EDITED, SECRET, Corpus
from llama_index.core.base.llms.types import (
    AudioBlock,
    CacheControl,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)

from memwrap.adapters import llama_index as adapter

__all__ = ["CONVERSATIONS", "CORPUS", "MESSAGES"]

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
WAV = b"RIFF$\x00\x00\x00WAVEfmt " + bytes(24)
HERE = Path(__file__)


def user(*blocks, **beside):
    return ChatMessage(role="user", blocks=list(blocks), additional_kwargs=beside)


def said(*blocks, role="assistant", **beside):
    return ChatMessage(role=role, blocks=list(blocks), additional_kwargs=beside)


def text(value):
    return TextBlock(text=value)


def call(call_id="call_1", name="tide", kwargs=None):
    kwargs = {"port": "Kiel"} if kwargs is None else kwargs
    return ToolCallBlock(tool_call_id=call_id, tool_name=name, tool_kwargs=kwargs)


def output(content, call_id="call_1", **beside):
    beside |= {} if call_id is None else {"tool_call_id": call_id}
    blocks = content if isinstance(content, list) else [text(content)]
    return ChatMessage(role="tool", blocks=blocks, additional_kwargs=beside)


def gone(block):
    """Return a block whose file is not on this machine."""
    block.path = Path("/nowhere/at/all/photo.png")
    return block


def raw(block, name, value):
    """Return a block whose data were set behind its back."""
    setattr(block, name, value)
    return block


MESSAGES = {
    "no blocks": ChatMessage(role="user"),
    "empty": ChatMessage(role="user", content=""),
    "blank": user(text(" \n")),
    "texts": user(text("One."), text(""), text("Two.")),
    "beside": user(text("Hi"), name="Ada", deep={"a": [1, 2.5, None, True, (1,)], "b": {"$": "x"}}),
    "image": user(text("See"), ImageBlock(image=PNG)),
    "image, its type and detail": user(
        ImageBlock(image=PNG, image_mimetype="image/x", detail="low")
    ),
    "odd detail": user(ImageBlock(image=PNG, detail="medium")),
    "image by url": user(ImageBlock(url="https://example.com/a.png", detail="high")),
    "image by data url": user(ImageBlock(url="data:image/png;base64,aGk=")),
    "image by path": user(ImageBlock(path=HERE)),
    "image that is gone": user(gone(ImageBlock(image_mimetype="image/png"))),
    "no image": user(ImageBlock()),
    "raw image": user(raw(ImageBlock(image=PNG), "image", b"\xff\x00raw")),
    "audio": user(AudioBlock(audio=WAV, format="wav")),
    "audio without format": user(AudioBlock(audio=b"sound")),
    "audio by url": user(AudioBlock(url="https://example.com/a.mp3")),
    "audio by path": user(AudioBlock(path=HERE, format="mp3")),
    "video": user(VideoBlock(video=b"film", video_mimetype="video/mp4", fps=3, detail="low")),
    "video by url": user(VideoBlock(url="https://example.com/a.mp4")),
    "document": user(DocumentBlock(data=b"%PDF-1.4 x", title="tides.pdf")),
    "document, its type": user(DocumentBlock(data=b"a,b", document_mimetype="text/csv")),
    "document by url": user(DocumentBlock(url="https://example.com/a.pdf", title="a.pdf")),
    "document by path": user(DocumentBlock(path=str(HERE), title="corpus")),
    "no title": user(raw(DocumentBlock(data=b"x"), "title", None)),
    "cache": user(text("Hi"), CachePoint(cache_control=CacheControl(type="ephemeral", ttl="1h"))),
    "citable": user(
        CitableBlock(
            title="Tides", source="tides.pdf", content=[text("At six."), DocumentBlock(data=b"x")]
        )
    ),
    "system": ChatMessage(role="system", content="Be kind."),
    "system, texts": ChatMessage(role="system", blocks=[text("Be"), text("kind.")]),
    "developer": ChatMessage(role="developer", content="Be brief."),
    "assistant": said(text("Hi")),
    "assistant, empty": said(text("")),
    "assistant, no blocks": said(),
    "assistant, texts": said(text("One."), text("Two.")),
    "chatbot": said(text("Hi"), role="chatbot"),
    "model": said(text("Hi"), call(), role="model"),
    "assistant, beside": said(text("Hi"), finish_reason="stop", usage={"tokens": 3}),
    "thought": said(ThinkingBlock(content="Hm."), text("Six.")),
    "thought alone": said(ThinkingBlock(content="Hm.")),
    "signed thought": said(
        ThinkingBlock(content="Hm.", num_tokens=3, additional_information={"signature": "c2ln"}),
        call(),
    ),
    "secret thought": said(ThinkingBlock(additional_information={"data": "x"}), text("Six.")),
    "thoughts between": said(
        text("I look."), ThinkingBlock(content="A"), call(), ThinkingBlock(content="B"), call("c2")
    ),
    "call": said(call()),
    "call, text": said(text("I look."), call()),
    "text behind call": said(call(), text("I looked.")),
    "calls": said(call("a"), call("b", "wind", {}), call("c", kwargs={"deep": {"x": [1]}})),
    "arguments as text": said(call(kwargs='{"port":  "Kiel"}')),
    "arguments, cut": said(call(kwargs='{"port": "Ki')),
    "arguments, no object": said(call(kwargs="[1]")),
    "arguments, empty": said(call(kwargs="")),
    "arguments, odd": said(call(kwargs={"n": float("inf"), "b": b"x", "é": "😀"})),
    "id of functions": said(call("functions.tide:1")),
    "long id": said(call("call " * 40)),
    "no id": said(call(None)),
    "empty ids": said(call(""), call(""), call("call_0")),
    "older calls": said(
        tool_calls=[
            {"id": "a", "type": "function", "function": {"name": "tide", "arguments": "{}"}},
            {"toolUseId": "b", "name": "wind", "input": {"port": "Kiel"}},
            {"tool_id": "c", "tool_name": "wind", "tool_kwargs": {"port": "Kiel"}},
        ]
    ),
    "older calls, told twice": said(
        call("a"),
        tool_calls=[{"id": "a", "function": {"name": "tide", "arguments": '{"port": "Kiel"}'}}],
    ),
    "older calls that are none": said(text("Hi"), tool_calls=[5, {"name": 5}, None]),
    "citation": said(
        text("At six."),
        CitationBlock(
            cited_content="six", source="s", title="t", additional_location_info={"start": 1}
        ),
    ),
    "painted": said(text("Here."), ImageBlock(image=PNG)),
    "output": output("sunny"),
    "output, repr": output("{'sky': 'sunny'}"),
    "output, empty": output(""),
    "output, no blocks": output([]),
    "output, texts": output([text("a"), text("b")]),
    "output, image": output([text("See"), ImageBlock(image=PNG)]),
    "output, no id": output("sunny", None),
    "output, error": output("boom", is_error=True),
    "function": ChatMessage(role="function", content="x", additional_kwargs={"name": "tide"}),
    "user with a thought": user(text("Hi"), ThinkingBlock(content="Hm."), call()),
}


def conversations():
    yield "all", list(MESSAGES.values())
    yield "backwards", list(MESSAGES.values())[::-1]
    yield "every third", list(MESSAGES.values())[::3]
    yield "two answers", [user(text("Hi")), said(text("One.")), said(text("Two.")), said(text(""))]
    yield "answer, then call", [said(text("I look.")), said(call()), output("calm")]
    yield "thought, then answer", [said(ThinkingBlock(content="Hm.")), said(text("Six."))]
    yield "calls after each other", [said(call("a")), said(call("b")), output("1", "a")]
    yield (
        "ids begin anew",
        [said(call()), output("1"), said(text("One.")), said(call()), output("2")],
    )
    yield "one id for all", [said(call("x"), call("x")), output("1", "x"), output("2", "x")]
    yield (
        "no ids",
        [
            *(said(call(None), call(None, "wind")), output("1", ""), output("2", "")),
            *(said(call("")), output("3", None), said(text("Done."))),
        ],
    )
    yield "out of order", [said(call("a"), call("b")), output("2", "b"), output("1", "a")]
    yield "orphan", [output("1", "a"), said(text("Hi"))]
    yield "cut short", [user(text("Hi")), said(call("a"))]


CONVERSATIONS = dict(conversations())

STREAMS = {
    "image": lambda: user(ImageBlock(image=BytesIO(PNG))),
    "document": lambda: user(DocumentBlock(data=BytesIO(b"%PDF-1.4"))),
}
"""Messages with open files, which can be read once."""

CORPUS = Corpus(
    adapter,
    text=[
        ChatMessage(role=MessageRole.SYSTEM, content="Be kind."),
        ChatMessage(role=MessageRole.USER, content="Hello, é😀."),
        ChatMessage(role=MessageRole.ASSISTANT, content="Hi."),
        ChatMessage(role=MessageRole.USER, content="What is up?"),
        ChatMessage(role=MessageRole.ASSISTANT, content="Not much."),
    ],
    tools=[
        ChatMessage(role="user", content="Weather?"),
        said(call("call_1", "weather", {"city": "Rome"}), call("call_2", "time", {})),
        output("sunny", "call_1"),
        output("noon", "call_2"),
        said(text("Sunny.")),
    ],
    rich=[
        user(text(f"It is {EDITED}."), CachePoint(cache_control=CacheControl(type="x")), name="A"),
        said(
            ThinkingBlock(content=f"Is it {EDITED}?", additional_information={"signature": "s"}),
            text(f"So it is {EDITED}."),
            call("call_look", "look", {"at": EDITED}),
            raw=f"So it is {EDITED}.",
        ),
        output(f"It is {EDITED}", "call_look", raw=EDITED),
        said(
            text(f"Yes, {EDITED}."),
            CitationBlock(cited_content=EDITED, source="s", title="t", additional_location_info={}),
            role="chatbot",
        ),
    ],
    malformed=[
        {"content": SECRET},
        {"role": "nobody", "blocks": [{"block_type": "text", "text": SECRET}]},
        {"role": "user", "blocks": [{"block_type": "odd", "text": SECRET}]},
        {"role": 5, "blocks": SECRET},
        [[SECRET, 5]],
    ],
    sends_to_provider=False,
)
