"""Functions around the client of Gemini, and what its streams add up to."""

import pytest
from corpus.exactness import seen
from corpus.gemini_client import Gemini, answer, called
from corpus.genai import call, model, response, thought, user
from google.genai import types
from support import gathered

from memwrap import InMemorySession, InMemoryStore, SQLiteStore, record, with_session
from memwrap.adapters import genai
from memwrap.items import assistant
from memwrap.items import user as asked
from memwrap.usage import Usage

SIGNED = {"text": "", "thoughtSignature": "//4="}


def tide(port: str) -> str:
    """Tell when high water is."""
    return f"06:12 in {port}"


def chunks_of(*parts, **fields):
    """Return the chunks of one response, a part in each."""
    last = len(parts) - 1
    return [
        types.GenerateContentResponse.model_validate(
            answer(part, finish="STOP" if place == last else None, **fields)
        )
        for place, part in enumerate(parts)
    ]


def contents_of(events):
    return genai.from_items(genai.to_items(events, role="assistant"))


# Streams


@pytest.mark.parametrize("fields", [{}, {"responseId": "r"}])
def test_texts_are_added_up(fields):
    """The chunks of a stream are one content, thoughts and text each in one part."""
    parts = [{"text": "Hm", "thought": True}, {"text": "m.", "thought": True}, "Si", "x.", ""]
    assert contents_of(chunks_of(*parts, **fields)) == [model(thought("Hmm."), "Six.")]


def test_signatures_end_a_part():
    """A text with a signature is added to nothing, and nothing to it."""
    signed = {"text": "b", "thoughtSignature": "cw=="}
    (content,) = contents_of(chunks_of("a", signed, "c", "d", SIGNED))
    assert [part.text for part in content.parts] == ["a", "b", "cd", ""]
    assert [part.thought_signature for part in content.parts] == [None, b"s", None, b"\xff\xfe"]


def test_calls_stay_in_their_order():
    """Calls that come in chunks of their own are in the content with the text before them."""
    parts = ["I look.", called("tide", {"port": "Kiel"}), called("tide", {"port": "Ems"})]
    expected = [model("I look.", call(port="Kiel"), call(port="Ems"))]
    assert contents_of(chunks_of(*parts)) == expected


def test_calls_in_pieces():
    """The arguments of a call may come in pieces; a call that was cut off is left out."""

    def piece(path=None, name=None, will_continue=True, **value):
        told = [{"json_path": path, **value}] if path else None
        made = {"name": name, "partial_args": told, "will_continue": will_continue}
        return {"function_call": {k: v for k, v in made.items() if v is not None}}

    pieces = [
        "I look.",
        piece(name="tide"),
        piece("$.port", string_value="Ki"),
        piece("$.port", string_value="el"),
        piece("$.days[1].n", number_value=2),
        piece("$.days[0]", bool_value=True),
        piece("$['deep'].x", null_value="NULL_VALUE"),
        piece(will_continue=False),
        called("tide", {"port": "Ems"}),
    ]
    args = {"port": "Kiel", "days": [True, {"n": 2}], "deep": {"x": None}}
    whole = types.Part(function_call=types.FunctionCall(name="tide", args=args))
    assert contents_of(chunks_of(*pieces)) == [model("I look.", whole, call(port="Ems"))]
    assert contents_of(chunks_of(*pieces[:4])) == [model("I look.")]


def test_several_calls_of_the_model():
    """Streams one after the other are a content each, with the functions' responses between."""
    first, second = chunks_of(called("tide", {})), chunks_of("Si", "x.")
    told = user(response(response={"result": "06:12"}))
    assert contents_of([*first, told, *second]) == [model(call()), told, model("Six.")]
    assert contents_of([*second, *second]) == [model("Six."), model("Six.")]
    one, other = chunks_of("a", "b", responseId="1"), chunks_of("c", responseId="2")
    assert contents_of([*one[:1], *other]) == [model("a"), model("c")]


def test_what_says_nothing_is_nothing():
    """Chunks of usage, blocked prompts and other candidates add no content."""
    usage = types.GenerateContentResponse(usage_metadata={"prompt_token_count": 1})
    second = types.Candidate(index=1, content=model("Seven."))
    other = types.GenerateContentResponse(candidates=[second])
    blocked = types.GenerateContentResponse(candidates=[types.Candidate(finish_reason="SAFETY")])
    assert contents_of([*chunks_of("Si"), usage, other]) == [model("Si")]
    assert contents_of([usage, blocked]) == []


def test_the_first_candidate_is_taken():
    """Of several candidates the first counts, wherever it stands."""
    found = [types.Candidate(index=1, content=model("b")), types.Candidate(content=model("a"))]
    assert contents_of(types.GenerateContentResponse(candidates=found)) == [model("a")]


def test_many_chunks_take_no_square_of_the_time():
    """Thousands of chunks are added up in a moment."""
    (content,) = contents_of(chunks_of(*["word "] * 20_000))
    assert len(content.parts[0].text) == 100_000


def test_parts_in_a_row_are_a_content():
    """Parts, and files, are the content of who gives them."""
    file = types.File(uri="https://a.example/b.png", mime_type="image/png")
    part = types.Part(text="What is this?")
    said = [{"type": "input_text", "text": "What is this?"}]
    said += [{"type": "input_image", "image_url": "https://a.example/b.png", "detail": "auto"}]
    assert genai.to_items([part, file]) == [{"role": "user", "content": said}]
    assert genai.to_items([{"text": "a"}]) == [asked("a")]
    several = genai.to_items([part, call(id="c")], role="assistant")
    assert seen(several)[0] == assistant("What is this?")


def test_usage_is_read():
    """The last chunk of a stream tells what it cost, thoughts among the output."""
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 3}
    usage |= {"cachedContentTokenCount": 4, "totalTokenCount": 18}
    chunks = chunks_of("a", "b", usageMetadata=usage, modelVersion="m")
    assert genai.usages_in(chunks) == [Usage(10, 8, 4, 0, 3, "m")]


# Functions


def returning(kind):
    """Return what an agent may return of a response."""
    return {
        "text": lambda found: found.text,
        "content": lambda found: found.candidates[0].content,
        "dict": lambda found: found.candidates[0].content.model_dump(exclude_none=True),
        "response": lambda found: found,
        "response as a dict": lambda found: found.model_dump(exclude_none=True),
        "candidate": lambda found: found.candidates[0],
        "list": lambda found: [found.candidates[0].content],
        "parts": lambda found: found.parts,
    }[kind]


KINDS = ["text", "content", "dict", "response", "response as a dict", "candidate", "list", "parts"]


@pytest.mark.parametrize("kind", KINDS)
async def test_whatever_a_function_returns(kind):
    """A function may return a response or any part of it: the answer is remembered."""
    gemini = Gemini(answer("Hi Ada."), answer("Ada."))

    @with_session(adapter=genai)
    async def agent(contents):
        return returning(kind)(await gemini.generate(contents))

    session = InMemorySession("s")
    await agent("I am Ada.", session=session)
    await agent("Who am I?", session=session)
    shown = [(one["role"], one["parts"][0]["text"]) for one in gemini.bodies[1]["contents"]]
    assert shown == [("user", "I am Ada."), ("model", "Hi Ada."), ("user", "Who am I?")]
    assert seen(await session.get_items())[3:] == [assistant("Ada.")]


async def test_streams_are_remembered_as_the_whole():
    """What a function streams is stored as what the whole response would have been."""
    parts = [{"text": "Hm.", "thought": True}, "Hi ", "Ada.", SIGNED]
    gemini = Gemini([answer(part, finish=None) for part in parts[:3]] + [answer(parts[3])])

    @with_session(adapter=genai)
    async def agent(contents):
        async for chunk in gemini.stream(contents):
            yield chunk

    session = InMemorySession("s")
    events = await gathered(agent("I am Ada.", session=session))
    assert [event.text for event in events if event.text] == ["Hi ", "Ada."]
    last = genai.from_items(await session.get_items())[-1]
    signed = types.Part(text="", thought_signature=b"\xff\xfe")
    assert last == model(thought("Hm."), "Hi Ada.", signed)


async def looped(gemini, contents, tell):
    """Run tools until the model answers; tell of what happens."""
    while True:
        found = await gemini.generate(contents)
        content = found.candidates[0].content
        if not found.function_calls:
            return found
        told = [
            types.Part.from_function_response(name=one.name, response={"result": tide(**one.args)})
            for one in found.function_calls
        ]
        contents = [*contents, content, types.Content(role="user", parts=told)]
        tell(contents[-2:])


CALLING = answer(called("tide", {"port": "Kiel"}), called("tide", {"port": "Ems"}))
PAIRED = [("tide", "Kiel", "06:12 in Kiel"), ("tide", "Ems", "06:12 in Ems")]


def paired(items):
    """Return calls with their outputs."""
    outputs = {item["call_id"]: item["output"] for item in items if "output" in item}
    return [
        (item["name"], item["arguments"].split('"')[3], outputs[item["call_id"]])
        for item in items
        if item.get("type") == "function_call"
    ]


@pytest.mark.parametrize("way", ["record", "record apart", "list", "whole list"])
async def test_tools(way):
    """Calls and responses are remembered in pairs, and shown again without ids."""
    gemini = Gemini(CALLING, answer("At 06:12."), answer("Yes."))

    @with_session(adapter=genai)
    async def agent(contents):
        told = []
        found = await looped(gemini, contents, told.extend)
        if way.startswith("record"):
            for part in [told] if way == "record" else told:
                record(part)
            return found.text
        given = contents if way == "whole list" else []
        return [*given, *told, found.candidates[0].content]

    session = InMemorySession("s")
    await agent("When?", session=session)
    assert paired(await session.get_items()) == PAIRED
    await agent("Sure?", session=session)
    sent = gemini.bodies[-1]["contents"]
    assert [one["role"] for one in sent] == ["user", "model", "user", "model", "user"]
    assert [part["functionCall"] for part in sent[1]["parts"]] == [
        {"name": "tide", "args": {"port": "Kiel"}},
        {"name": "tide", "args": {"port": "Ems"}},
    ]
    assert [part["functionResponse"]["response"] for part in sent[2]["parts"]] == [
        {"result": "06:12 in Kiel"},
        {"result": "06:12 in Ems"},
    ]


@pytest.mark.parametrize("streamed", [False, True])
async def test_what_the_client_calls_itself(streamed):
    """Functions that the client itself called are remembered too, each once."""
    first = [answer("I look."), CALLING] if streamed else CALLING
    replies = [first, CALLING, answer("At 06:12.")]
    if streamed:
        replies = [one if isinstance(one, list) else [one] for one in replies]
    gemini = Gemini(*replies)

    @with_session(adapter=genai)
    async def call_it(contents):
        return await gemini.generate(contents, tools=[tide])

    @with_session(adapter=genai)
    async def stream_it(contents):
        async for chunk in gemini.stream(contents, tools=[tide]):
            yield chunk

    session = InMemorySession("s")
    await session.add_items([asked("Hello"), assistant("Hi")])
    if streamed:
        await gathered(stream_it("When?", session=session))
    else:
        await call_it("When?", session=session)
    items = await session.get_items()
    assert paired(items) == PAIRED * 2
    assert items[-1]["content"] == "At 06:12."
    assert [item["content"] for item in items if item.get("role") == "user"] == ["Hello", "When?"]


async def test_chats():
    """A chat that goes on with the contents may give its history back."""
    gemini = Gemini(answer("Hi Ada."), answer("Ada."))

    @with_session(adapter=genai)
    async def agent(contents):
        *history, last = contents
        chat = gemini.client.aio.chats.create(model="gemini-test", history=history)
        await chat.send_message(last.parts[0].text)
        return chat.get_history()[len(contents) :]

    session = InMemorySession("s")
    for text in ("I am Ada.", "Who am I?"):
        await agent(text, session=session)
    assert len(gemini.bodies[1]["contents"]) == 3
    assert [item["content"] for item in seen(await session.get_items())] == [
        *("I am Ada.", "Hi Ada.", "Who am I?", "Ada.")
    ]


async def test_the_same_turn_gives_the_same_again():
    """A turn that is stored gives a response, or a content, that says the same."""
    store = InMemoryStore()
    gemini = Gemini(answer("Hi Ada."), answer("Hi Bob."))

    @with_session(adapter=genai, store=store)
    async def agent(contents):
        return await gemini.generate(contents)

    @with_session(adapter=genai, store=store)
    async def brief(contents):
        return (await gemini.generate(contents)).candidates[0].content

    texts = {agent: lambda found: found.text, brief: lambda found: found.parts[0].text}
    for one, told in texts.items():
        first = await one("Hi", session="s", turn_id=one.__name__)
        again = await one("Hi", session="s", turn_id=one.__name__)
        assert type(again) is type(first)
        assert told(again) == told(first)
    assert len(gemini.bodies) == 2


async def test_content_is_taken_as_input(tmp_path):
    """A caller may pass contents, parts and dicts; pictures come back from a file."""
    store = SQLiteStore(tmp_path / "a.db")
    gemini = Gemini()

    @with_session(adapter=genai, store=store)
    async def agent(contents):
        return await gemini.generate(contents)

    picture = types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")
    await agent(user("What is this?", picture), session="s")
    await agent([picture, types.Part(text="And this?")], session="s")
    await agent({"role": "user", "parts": [{"text": "Then?"}]}, session="s")
    sent = gemini.bodies[-1]["contents"]
    data = {"inlineData": {"mime_type": "image/png", "data": "iVBORw=="}}
    assert sent[0]["parts"] == [{"text": "What is this?"}, data]
    assert sent[2]["parts"] == [data, {"text": "And this?"}]
    assert sent[4]["parts"] == [{"text": "Then?"}]


async def test_a_list_that_has_grown():
    """What a function appended to the list that it was given is remembered as a return is."""
    gemini = Gemini(CALLING, answer("At 06:12."))

    @with_session(adapter=genai)
    async def agent(contents):
        found = await looped(gemini, contents, contents.extend)
        contents.append(found.candidates[0].content)
        return contents

    session = InMemorySession("s")
    await agent("When?", session=session)
    items = await session.get_items()
    assert paired(items) == PAIRED
    assert items[-1]["content"] == "At 06:12."
