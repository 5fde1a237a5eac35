"""Streams of Chat Completions, as servers send them, say what the whole answer says."""

import json
from types import SimpleNamespace
from typing import Any

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from memwrap import ConversionError, InMemorySession, with_session
from memwrap.adapters import chat


def chunk(delta, finish_reason=None, index=0, **others):
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    return head | {"choices": [choice]} | others


def whole(*messages):
    choices = [
        {"index": place, "finish_reason": "stop", "message": message}
        for place, message in enumerate(messages)
    ]
    return {"id": "c", "object": "chat.completion", "choices": choices}


def said(text, **others):
    return {"role": "assistant", "content": text} | others


def calling(*calls, **others):
    return said(None, tool_calls=list(calls), **others)


def call(call_id="a", arguments="{}", name="f", **others):
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function} | others


def at(index, a_call):
    return {"index": index} | a_call


def piece(arguments, **others):
    return {"function": {"arguments": arguments}} | others


def stream(*deltas, end="stop"):
    return [*map(chunk, deltas), chunk({}, end)]


def calls(*pieces):
    """Return a stream of calls: each piece is a call's, or a list of them for one chunk."""
    lists = [piece if isinstance(piece, list) else [piece] for piece in pieces]
    return stream(*({"tool_calls": pieces} for pieces in lists), end="tool_calls")


def without_delta(**fields):
    return {"choices": [{"index": 0, "finish_reason": None} | fields]}


HI = said("Hi")
FILTER = {"content_filter_results": {"hate": {"filtered": False}}}
DETAILS = [
    {"type": "reasoning.text", "text": "aa", "index": 0, "format": "x", "signature": "S"},
    {"type": "reasoning.summary", "summary": "bb", "index": 0},
    {"type": "reasoning.encrypted", "data": "E", "index": 1, "id": "r1"},
    {"type": "reasoning.encrypted", "data": "F", "index": 1, "id": "r2"},
]
THINKING = [
    {"type": "thinking", "thinking": "aa", "signature": "S"},
    {"type": "redacted_thinking", "data": "E"},
]
SIGNED = {"extra_content": {"google": {"thought_signature": "S"}}}
CUSTOM = {"id": "a", "type": "custom", "custom": {"name": "sh", "input": "ls"}}
AUDIO = {"id": "au", "transcript": "Hi", "data": "AAAA", "expires_at": 5}
CITED = [{"type": "url_citation", "url_citation": {"url": "u", "title": title}} for title in "ab"]

STREAMS = {
    # choices and deltas
    "a filter's results first": (
        [
            {"id": "", "object": "", "choices": [], "prompt_filter_results": [FILTER]},
            *stream({"role": "assistant", "content": ""}, {"content": "Hi"}),
        ],
        HI,
    ),
    "a filter's results without a delta": (
        [chunk({"content": "H"}), without_delta(**FILTER), *stream({"content": "i"})],
        HI,
    ),
    "an end without a delta": ([chunk({"content": "Hi"}), without_delta(finish_reason="stop")], HI),
    "choices of null": (
        [{"object": "chat.completion.chunk", "choices": None}, *stream({"content": "Hi"})],
        HI,
    ),
    "usage last": (
        [*stream({"content": "Hi"}), chunk({}) | {"choices": [], "usage": {"total_tokens": 3}}],
        HI,
    ),
    "null for everything": (
        stream(
            {"role": "assistant", "content": None, "tool_calls": None, "function_call": None},
            {"role": None, "content": "Hi", "refusal": None, "audio": None},
            {"content": None, "reasoning_content": None},
        ),
        HI,
    ),
    "a message of null beside a delta": ([without_delta(message=None, delta=HI)], HI),
    "a text beside a delta": ([without_delta(text="", delta=HI, finish_reason="stop")], HI),
    "an index of null": ([chunk({"content": "Hi"}, "stop", index=None)], HI),
    "an index as text": ([chunk({"content": "Hi"}, "stop", index="0")], HI),
    # roles and ends
    "an empty role": (stream({"role": "", "content": "H"}, {"role": "", "content": "i"}), HI),
    "the role in each chunk": (
        [
            *(chunk({"role": "assistant", "content": text}) for text in "Hi"),
            chunk({"role": "assistant", "content": ""}, "stop"),
        ],
        HI,
    ),
    "an end that says something, and another": (
        [chunk({"content": "Hi"}, "stop"), chunk({"role": "assistant", "content": ""}, "stop")],
        HI,
    ),
    "text behind the end": (
        [chunk({"role": "assistant", "content": "H"}, "stop"), chunk({"content": "i"}, "stop")],
        HI,
    ),
    "text behind the end, and the role in each chunk": (
        [
            *(chunk({"role": "assistant", "content": text}) for text in ("", "H")),
            chunk({"role": "assistant"}, "stop"),
            chunk({"role": "assistant", "content": "i"}),
        ],
        HI,
    ),
    "ends that are texts of nothing": (
        [chunk({"content": "H"}, ""), chunk({"content": "i"}, "null"), chunk({}, "stop")],
        HI,
    ),
    "the whole message behind its pieces": ([*stream({"content": "Hi"}), whole(HI)], HI),
    "an id of its own in each chunk": (
        [*(chunk({"content": text}, id=text) for text in "Hi"), chunk({}, "stop", id="x")],
        HI,
    ),
    # several choices
    "the second choice first": (
        [
            chunk({"content": "X"}, index=1),
            chunk({"content": "H"}),
            chunk({"content": "Y"}, "stop", index=1),
            chunk({"content": "i"}, "stop"),
            chunk({}, "stop", index=1),
        ],
        HI,
    ),
    "two choices in one chunk": (
        [{"choices": [{"index": 1, "delta": said("X")}, {"index": 0, "delta": HI}]}],
        HI,
    ),
    "choices without an index": ([{"choices": [{"delta": HI}, {"delta": said("X")}]}], HI),
    # ids, indexes and names of calls
    "the id and the name in each piece": (
        calls(at(0, call("a", "{")), at(0, call("a", "")), at(0, call("a", "}"))),
        calling(call()),
    ),
    "the same without an index": (calls(call("a", "{"), call("a", "}")), calling(call())),
    "the name in each piece": (
        calls(at(0, call("a", "{")), at(0, call("", "}")), at(0, call("b"))),
        calling(call(), call("b")),
    ),
    "the name in each piece, without an index": (
        calls(call("a", "{"), call(None, "}")),
        calling(call()),
    ),
    "an empty id behind the first": (
        calls(at(0, call("a", "{")), at(0, call("", "}", ""))),
        calling(call()),
    ),
    "null behind the first": (
        calls(at(0, call("a", "{")), at(0, call(None, "}", None, type=None))),
        calling(call()),
    ),
    "another id in each piece": (
        calls(at(0, call("a", "{")), at(0, piece("}", id="b"))),
        calling(call()),
    ),
    "a name in fragments": (
        calls(at(0, call("a", "", "get_")), at(0, call(None, "", "sun")), at(0, piece("{}"))),
        calling(call("a", "{}", "get_sun")),
    ),
    "a name in fragments, without an index": (
        calls(call("a", "", "get_"), call(None, "", "sun"), piece("{}")),
        calling(call("a", "{}", "get_sun")),
    ),
    "an id that comes late": (
        calls(at(0, call(None, "{")), at(0, piece("}", id="a"))),
        calling(call()),
    ),
    "an id alone first": (
        calls(
            *(at(0, {"id": "a"}), at(0, call(None))),
            *(at(0, {"id": "b", "type": "function"}), at(0, call(None))),
        ),
        calling(call(), call("b")),
    ),
    "an index in the first piece only": (
        calls(at(0, call("a", "{")), at(None, piece("}")), at(1, call("b"))),
        calling(call(), call("b")),
    ),
    "no index in the first piece": (
        calls(call("a", "{"), at(0, piece("}"))),
        calling(call()),
    ),
    # several calls
    "interleaved by index": (
        calls(
            *(at(0, call("a", "{")), at(1, call("b", '{"b":'))),
            *(at(0, piece("}")), at(1, piece("1}"))),
        ),
        calling(call(), call("b", '{"b":1}')),
    ),
    "interleaved by id": (
        calls(call("a", "{"), call("b", '{"b":'), piece("}", id="a"), piece("1}", id="b")),
        calling(call(), call("b", '{"b":1}')),
    ),
    "interleaved by id, all of one index": (
        calls(
            *(at(0, call("a", "{")), at(0, call("b", '{"b":'))),
            *(at(0, piece("}", id="a")), at(0, piece("1}", id="b"))),
        ),
        calling(call(), call("b", '{"b":1}')),
    ),
    "indexes out of order": (calls(at(1, call("b")), at(0, call())), calling(call(), call("b"))),
    "whole in one chunk": (calls([call(), call("b")]), calling(call(), call("b"))),
    "whole, of one index": (
        calls([at(0, call()), at(0, call("b"))]),
        calling(call(), call("b")),
    ),
    "whole, of one index and without ids": (
        calls([at(0, call("", "{}", "f")), at(0, call("", "{}", "g"))], at(0, call("", '{"a":1}'))),
        calling(call("", "{}", "f"), call("", "{}", "g"), call("", '{"a":1}')),
    ),
    "whole, and of one id": (
        calls(at(0, call("a", '{"a":1}')), at(1, call("a", '{"b":2}'))),
        calling(call("a", '{"a":1}'), call("a", '{"b":2}')),
    ),
    "whole, without ids and arguments": (
        calls(call(None, None, "f"), call(None, None, "f")),
        calling(call("", "", "f"), call("", "", "f")),
    ),
    # arguments
    "arguments of null": (calls(at(0, call("a", None)), at(0, piece("{}"))), calling(call())),
    "arguments as an object": (
        calls(at(0, call("a", {"city": "Pisa"}))),
        calling(call("a", '{"city": "Pisa"}')),
    ),
    "an object in place of arguments to come": (
        calls(at(0, call("a", {})), at(0, piece('{"a":')), at(0, piece("1}"))),
        calling(call("a", '{"a":1}')),
    ),
    "a function of null": (calls(at(0, call()), at(0, {"function": None})), calling(call())),
    "a custom call": (
        calls(
            at(0, CUSTOM | {"custom": {"name": "sh", "input": "l"}}),
            at(0, {"custom": {"input": "s"}}),
            CUSTOM | {"id": "b"},
        ),
        calling(CUSTOM, CUSTOM | {"id": "b"}),
    ),
    # what is said beside text
    "a refusal": (
        stream(said(None, refusal="N"), {"refusal": "o"}),
        said(None, refusal="No"),
    ),
    "reasoning": (
        stream({"reasoning_content": "a"}, {"reasoning_content": "a"}, HI | {"reasoning": ""}),
        said("Hi", reasoning_content="aa"),
    ),
    "details of reasoning": (
        stream(
            *({"reasoning_details": [DETAILS[0] | {"text": "a", "signature": None}]},) * 2,
            {"reasoning_details": [{"type": "reasoning.text", "signature": "S", "index": 0}]},
            *({"reasoning_details": [DETAILS[1] | {"summary": "b"}]},) * 2,
            {"reasoning_details": DETAILS[2:]},
            HI,
        ),
        said("Hi", reasoning_details=DETAILS),
    ),
    "blocks of thinking": (
        stream(
            *({"thinking_blocks": [{"type": "thinking", "thinking": "a"}]},) * 2,
            {"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "S"}]},
            {"thinking_blocks": THINKING[1:]},
            HI,
        ),
        said("Hi", thinking_blocks=THINKING),
    ),
    "content in parts": (
        stream(
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "h"}]}]},
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "m"}]}]},
            {"content": [{"type": "text", "text": "H"}]},
            {"content": "i"},
        ),
        said(
            [
                {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                {"type": "text", "text": "Hi"},
            ]
        ),
    ),
    "audio": (
        stream(
            {"role": "assistant", "audio": {"id": "au", "transcript": "H"}},
            {"audio": {"id": "au", "transcript": "i", "data": "AA"}},
            {"audio": {"data": "AA"}},
            {"audio": {"expires_at": 5}},
        ),
        said(None, audio=AUDIO),
    ),
    "annotations": (
        stream(HI, {"annotations": CITED[:1]}, {"annotations": CITED[1:]}),
        said("Hi", annotations=CITED),
    ),
    "a signature on one of the calls": (
        calls(at(0, call(**SIGNED)), at(0, call("b"))),
        calling(call(**SIGNED), call("b")),
    ),
    "a signature on deltas": (
        [*stream(HI | SIGNED), chunk(SIGNED)],
        said("Hi", **SIGNED),
    ),
    "fields that nobody knows": (
        stream({"content": "H", "n": 5, "o": "s"}, {"content": "i", "n": 6, "o": {"a": 1}}),
        said("Hi", n=6, o={"a": 1}),
    ),
}


def read(messages):
    items = chat.to_items(messages, role="assistant")
    return items, chat.from_items(items)


@pytest.mark.parametrize(("chunks", "message"), STREAMS.values(), ids=STREAMS)
def test_streams_say_what_whole_answers_say(chunks, message, unchanged):
    """A stream becomes the items of the whole answer, and goes back as the same message."""
    unchanged(chat.to_items, chunks, role="assistant")
    assert read(chunks) == read([whole(message, said("Y"))])
    objects = [ChatCompletionChunk.model_construct(**data) for data in chunks]
    assert read(objects) == read([whole(message)])


@pytest.mark.parametrize(("chunks", "message"), STREAMS.values(), ids=STREAMS)
def test_streams_in_a_row_are_messages_in_a_row(chunks, message):
    """Behind a stream begins another message, by an id or a role of its own."""
    other = [chunk(delta | {"role": "assistant"}, id="d") for delta in ({"content": "2"}, {})]
    items = chat.to_items([*chunks, chunk({}, "stop"), *other], role="assistant")
    assert items == read([whole(message)])[0] + read([whole(said("2"))])[0]


@pytest.mark.parametrize("style", ["dicts", "objects"])
def test_parsed_arguments_are_texts(style):
    """Arguments that a server has parsed are stored, and go back, as the text of the API."""
    message = calling(call("a", {"city": "Orvieto"}), call("b", {}))
    if style == "objects":
        message = ChatCompletionChunk.model_construct(
            **(chunk(message) | {"object": "chat.completion.chunk"})
        )
    items = chat.to_items([message], role="assistant")
    assert [json.loads(item["arguments"]) for item in items] == [{"city": "Orvieto"}, {}]
    (back,) = chat.from_items(items)
    assert all(type(one["function"]["arguments"]) is str for one in back["tool_calls"])


@pytest.mark.parametrize("give", [lambda m: m, whole, chunk])
def test_function_calls_are_refused(give):
    """What the API had before `tool_calls` is refused, and not stored as a message of nothing."""
    message = said(None, function_call={"name": "f", "arguments": "a secret"})
    with pytest.raises(ConversionError, match="`tools` in place of `functions`") as caught:
        chat.to_items([give(message)], role="assistant")
    assert "secret" not in str(caught.value)


# A message in random pieces, in each of the styles in which servers send calls

TEXTS = st.text("ab{}\"' é", max_size=8)
ARGUMENTS = st.dictionaries(st.sampled_from(["a", "b"]), TEXTS | st.lists(TEXTS, max_size=2))
STYLES = {
    "the API's": lambda n, first, one: {"index": n} | one | (first or {}),
    "one index": lambda n, first, one: {"index": 0} | one | (first or {}),
    "no index": lambda n, first, one: one | (first or {}),
    "null": lambda n, first, one: {"index": None, "id": None} | one | (first or {}),
    "ids": lambda n, first, one: {"id": f"c{n}"} | one | (first or {}),
    "empty ids": lambda n, first, one: {"index": n, "id": ""} | one | (first or {}),
    "names": lambda n, first, one: (
        {"index": n} | (first or {}) | {"function": one["function"] | {"name": f"f{n}"}}
    ),
    "ids and names": lambda n, first, one: (
        {"index": 0, "id": f"c{n}"} | {"function": one["function"] | {"name": f"f{n}"}}
    ),
}


@st.composite
def pieces_of(draw, text):
    """Draw a text in pieces."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@settings(max_examples=300)
@given(data=st.data())
def test_any_pieces_of_a_message_are_the_message(data):
    """However a server cuts a message up, it adds up to the same items and goes back the same."""
    text, thought = data.draw(TEXTS), data.draw(TEXTS)
    arguments = [json.dumps(one) for one in data.draw(st.lists(ARGUMENTS, max_size=3))]
    style = data.draw(st.sampled_from(sorted(STYLES)))
    role = data.draw(st.sampled_from(["first", "each", "none", "empty"]))
    deltas = [{"reasoning_content": p} for p in data.draw(pieces_of(thought))]
    deltas += [{"content": p} for p in data.draw(pieces_of(text))]
    for n, whole_text in enumerate(arguments):
        first = {"id": f"c{n}", "type": "function"}
        for place, one in enumerate(data.draw(pieces_of(whole_text))):
            function = {"arguments": one} | ({} if place else {"name": f"f{n}"})
            delta = STYLES[style](n, None if place else first, {"function": function})
            deltas.append({"tool_calls": [delta]})
    for place, delta in enumerate(deltas):
        if role == "each" or (role == "first" and not place):
            delta["role"] = "assistant"
        elif role == "empty":
            delta["role"] = ""
    chunks = [chunk(delta) for delta in deltas]
    chunks[-1]["choices"][0]["finish_reason"] = data.draw(st.sampled_from([None, "stop"]))
    chunks += data.draw(st.lists(st.just(chunk({}, "stop")), min_size=1, max_size=2))
    message = said(text or None)
    if thought:
        message |= {"reasoning_content": thought}
    if arguments:
        message |= {"tool_calls": [call(f"c{n}", a, f"f{n}") for n, a in enumerate(arguments)]}
    assert read(chunks) == read([whole(message)])


# Objects of packages for other servers


class Other(pydantic.BaseModel):
    model_config = {"extra": "allow"}


class Delta(Other):
    role: str | None = None
    content: str | None = None
    tool_calls: list[Any] | None = None


class Choice(Other):
    index: int = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None


class Completion(Other):
    id: str = "c"
    choices: list[Choice]


def as_namespace(value):
    if isinstance(value, list):
        return [as_namespace(member) for member in value]
    if not isinstance(value, dict):
        return value
    return SimpleNamespace(**{key: as_namespace(member) for key, member in value.items()})


@pytest.mark.parametrize("make", [Completion.model_validate, as_namespace])
@pytest.mark.parametrize("adapter", [None, chat])
@pytest.mark.parametrize(
    "message", [HI, calling(call()), said("Hi", reasoning_content="aa")], ids=["text", "call", "r"]
)
async def test_objects_with_the_fields_of_the_api(make, adapter, message):
    """Completions and chunks of other packages' classes are read, never stored as JSON."""
    chunks = stream(*({key: message[key]} for key in message), end="stop")
    expected = chat.to_items([whole(message)])

    @with_session(adapter=adapter)
    async def streaming(messages):
        for data in [*chunks, {"object": "chat.completion.chunk", "choices": []}]:
            yield make(data)

    @with_session(adapter=adapter)
    async def answering(messages):
        return make(whole(message))

    @with_session(adapter=adapter)
    async def speaking(messages):
        fields = {"role": "assistant", "content": None, "tool_calls": None} | message
        return Delta(**fields) if make is not as_namespace else as_namespace(fields)

    session = InMemorySession("s")
    async for _ in streaming("?", session=session):
        pass
    await answering("?", session=session)
    await speaking("?", session=session)
    question = {"role": "user", "content": "?"}
    assert await session.get_items() == [question, *expected] * 3


@pytest.mark.parametrize(
    "value", [Other(choices=["a", "b"]), Other(role="cook", content="x"), Other(choices=[])]
)
async def test_other_objects_are_values(value):
    """An object with some of the names is no message: it is stored as its JSON."""

    @with_session
    async def agent(items):
        return value

    session = InMemorySession("s")
    assert await agent("?", session=session) is value
    assert json.loads((await session.get_items())[1]["content"]) == value.model_dump()


class Counted(str):  # noqa: SLOT000
    """A text that counts how much it is added to."""

    copied = 0

    def __add__(self, other):
        type(self).copied += len(self)
        return str.__add__(self, other)

    def __radd__(self, other):
        type(self).copied += len(other)
        return other + str(self)


@pytest.mark.parametrize("key", ["content", "refusal", "reasoning_content"])
def test_long_streams_take_time_with_their_length(key):
    """What has been said is not copied for each piece behind it."""
    Counted.copied = 0
    pieces = [chunk({key: Counted("0123456789")}) for _ in range(1_000)]
    items = chat.to_items([*pieces, chunk({}, finish_reason="stop")], role="assistant")
    assert "0123456789" * 1_000 in json.dumps(items)
    assert Counted.copied < 100_000


@pytest.mark.parametrize("call_id", [None, "c1"])
def test_long_arguments_take_time_with_their_length(call_id):
    """What a call has said is not copied for each piece behind it, also of two calls in turns."""
    Counted.copied = 0
    heads = [
        {"index": n, "id": f"c{n}", "type": "function", "function": {"name": "f", "arguments": "["}}
        for n in (1, 2)
    ]
    piece = {"function": {"arguments": Counted("0123456789")}}
    both = [
        {"index": n, **({"id": f"c{n}"} if call_id else {}), **piece}
        for _ in range(500)
        for n in (1, 2)
    ]
    chunks = [chunk({"tool_calls": heads}), *(chunk({"tool_calls": [one]}) for one in both)]
    items = chat.to_items(chunks, role="assistant")
    assert [item["arguments"] for item in items] == ["[" + "0123456789" * 500] * 2
    assert Counted.copied < 100_000
