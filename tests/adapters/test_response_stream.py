"""Streams of the Responses API that are cut short, or lack some of their events."""

import pytest
from agents import Agent, function_tool, set_tracing_disabled
from agents.testing import ScriptedModel, assistant_message, function_call
from openai.types.responses import (
    ResponseErrorEvent,
    ResponseRefusalDeltaEvent,
    ResponseRefusalDoneEvent,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
)

from memwrap import InMemorySession, with_session
from memwrap.adapters import plain
from memwrap.items import text_of
from memwrap.middleware import Memory

set_tracing_disabled(True)

THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": []}
CALL = {"id": "fc_1", "type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
CUSTOM = {"id": "ct_1", "type": "custom_tool_call", "call_id": "c1", "name": "f", "input": "ls"}
ERROR = {"type": "error", "code": "x", "message": "m", "param": None, "sequence_number": 9}


def message(text, name="msg_1"):
    part = {"type": "output_text", "text": text, "annotations": []}
    head = {"id": name, "type": "message", "role": "assistant", "status": "completed"}
    return head | {"content": [part]}


def response(*output, status="completed"):
    head = {"id": "resp_1", "object": "response", "created_at": 0, "model": "m", "tools": []}
    head |= {"parallel_tool_calls": True, "tool_choice": "auto"}
    return head | {"output": list(output), "status": status}


def event(kind, **fields):
    return {"type": f"response.{kind}", "sequence_number": 1} | fields


CREATED = event("created", response=response(status="in_progress"))


def added(item, index=0):
    return event("output_item.added", output_index=index, item=item)


def done(item, index=0):
    return event("output_item.done", output_index=index, item=item)


def part_event(kind, name="msg_1", index=0, content_index=0, **fields):
    place = {"item_id": name, "output_index": index, "content_index": content_index}
    return event(kind, **place, **fields)


def text(delta, name="msg_1", index=0, **fields):
    return part_event("output_text.delta", name, index, delta=delta, logprobs=[], **fields)


def text_done(whole, name="msg_1", index=0):
    return part_event("output_text.done", name, index, text=whole, logprobs=[])


def last(kind, *output):
    return event(kind, response=response(*output, status=kind))


def said(content):
    return {"role": "assistant", "content": content}


def refusing(refusal, text=""):
    parts = [{"type": "output_text", "text": text, "annotations": []}] if text else []
    parts.append({"type": "refusal", "refusal": refusal})
    return {"type": "message", "role": "assistant", "content": parts}


EMPTY = message("") | {"content": [], "status": "in_progress"}
BEGUN = CALL | {"arguments": ""}
REFUSAL = [part_event("refusal.delta", delta=delta) for delta in ("N", "o")]
ARGUMENTS = event("function_call_arguments.delta", item_id="fc_1", output_index=0, delta="{")
WHOLE = event("function_call_arguments.done", item_id="fc_1", output_index=0, arguments="{}")

STREAMS = {
    "cut in a text": ([CREATED, added(EMPTY), text("H"), text("i")], [said("Hi")]),
    "cut behind a text": ([CREATED, text("H"), text("i"), text_done("Hi")], [said("Hi")]),
    "the whole text alone": ([text_done("Hi")], [said("Hi")]),
    "a delta of null": ([text(None), text("Hi")], [said("Hi")]),
    "two parts": ([text("H"), text("i", content_index=1)], [said("Hi")]),
    "cut in a refusal": ([CREATED, added(EMPTY), *REFUSAL], [refusing("No")]),
    "the whole refusal alone": ([part_event("refusal.done", refusal="No")], [refusing("No")]),
    "text and refusal": ([text("Hm. "), *REFUSAL], [refusing("No", "Hm. ")]),
    "cut in arguments": ([CREATED, added(BEGUN), ARGUMENTS], []),
    "cut behind arguments": ([CREATED, added(BEGUN), ARGUMENTS, WHOLE], [CALL]),
    "cut behind a custom call's input": (
        [
            added(CUSTOM | {"input": ""}),
            event("custom_tool_call_input.done", item_id="ct_1", output_index=0, input="ls"),
        ],
        [CUSTOM],
    ),
    "cut in reasoning": ([CREATED, added(THOUGHT)], []),
    "cut in a text behind reasoning": (
        [CREATED, added(THOUGHT), done(THOUGHT), added(EMPTY, 1), text("Hi", index=1)],
        [said("Hi")],
    ),
    "cut in a call behind reasoning and text": (
        [done(THOUGHT), done(message("Hi"), 1), done(THOUGHT | {"id": "rs_2"}, 2), added(BEGUN, 3)],
        [THOUGHT, message("Hi")],
    ),
    "cut in the second message": (
        [CREATED, text("1"), done(message("1")), text("2", "msg_2", 1)],
        [message("1"), said("2")],
    ),
    "two messages and no end": ([text("1"), text("2", "msg_2", 1)], [said("1"), said("2")]),
    "a message that is not told whole": ([text("Hi"), done(CALL, 1)], [said("Hi"), CALL]),
    "all of one index": ([done(CALL), text("Hi", "msg_2")], [CALL, said("Hi")]),
    "another id at the end": ([text("Hi", "msg_0"), done(message("Hi"))], [message("Hi")]),
    "no output at the end": ([text("Hi"), last("completed")], [said("Hi")]),
    "failed": ([text("Hi"), last("failed")], [said("Hi")]),
    "failed before it said anything": ([CREATED, last("failed")], []),
    "incomplete": ([text("Hi"), last("incomplete", message("Hi"))], [message("Hi")]),
    "queued": ([last("queued"), CREATED, text("Hi"), last("completed", message("Hi"))],)
    + ([message("Hi")],),
    "an error": ([CREATED, text("Hi"), ERROR], [said("Hi")]),
    "a sign of life": ([{"type": "keepalive", "sequence_number": 1}, text("Hi")], [said("Hi")]),
    "an event that nobody knows": ([event("unheard_of", x=1), text("Hi")], [said("Hi")]),
}


@pytest.mark.parametrize(("events", "items"), STREAMS.values(), ids=STREAMS)
def test_streams_without_some_of_their_events(events, items, unchanged):
    """What a stream has said by its end is kept, each item in its place."""
    assert unchanged(plain.to_items, events, role="assistant") == items
    again = plain.to_items([*events, CREATED, done(message("2")), last("completed")])
    assert again == [*items, message("2")]


def test_objects_of_the_package():
    """The events may be the package's objects, its error among them."""
    events = [
        ResponseTextDeltaEvent.model_validate(text("Hm")),
        ResponseTextDoneEvent.model_validate(text_done("Hm. ")),
        ResponseRefusalDeltaEvent.model_validate(REFUSAL[0]),
        ResponseRefusalDoneEvent.model_validate(part_event("refusal.done", refusal="No")),
        ResponseErrorEvent.model_validate(ERROR),
    ]
    assert plain.to_items(events, role="assistant") == [refusing("No", "Hm. ")]


ODD = {
    "failed": response(status="failed"),
    "queued": response(status="queued"),
    "in progress": response(message("H") | {"status": "in_progress"}, status="in_progress"),
    "cancelled": response(THOUGHT, status="cancelled"),
    "incomplete": response(THOUGHT, message("H") | {"status": "incomplete"}, status="incomplete"),
    "incomplete call": response(THOUGHT, CALL | {"arguments": '{"a'}, status="incomplete"),
    "reasoning alone": response(THOUGHT, THOUGHT | {"id": "rs_2"}),
    "reasoning, and nothing said": response(THOUGHT, message("")),
    "no output": response() | {"output": None},
}


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
@pytest.mark.parametrize("is_stream", [False, True])
async def test_odd_responses_break_no_conversation(answer, is_stream):
    """Behind any response the next request is accepted, and shows what had been said."""
    session, seen = InMemorySession("s"), []
    answers = iter([answer, response(message("Bye", "msg_9"))])

    @with_session(session=session)
    async def calling(items):
        seen.append(items)
        return next(answers)

    @with_session(session=session)
    async def streaming(items):
        seen.append(items)
        yield CREATED
        found = next(answers)
        ends = {"completed", "incomplete", "failed", "queued"}
        yield event(found["status"] if found["status"] in ends else "completed", response=found)

    for question in ("1", "2"):
        if is_stream:
            async for _ in streaming(question):
                pass
        else:
            await calling(question)
    spoken = [item for item in answer["output"] or [] if item["type"] == "message"]
    texts = [text_of(item) for item in seen[1] if text_of(item)]
    assert texts == ["1", *filter(None, map(text_of, spoken)), "2"]
    for place, item in enumerate(seen[1]):
        assert item.get("type") != "function_call"
        if item.get("type") == "reasoning":
            assert text_of(seen[1][place + 1])


# Runs of the Agents SDK


@function_tool
def look(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def remembering(session):
    call = function_call("look", {"city": "Rome"}, call_id="c1", item_id="fc_1")
    steps = (
        [assistant_message("I look.", item_id="msg_1"), call],
        [assistant_message("Sunny.", item_id="msg_2")],
        [assistant_message("Bye.", item_id="msg_3")],
    )
    agent = Agent(name="a", model=ScriptedModel(steps), tools=[look])
    keep = [Memory(on_stop="keep_delivered")]
    return with_session(agent, session=session, middleware=keep)


async def test_runs_cut_after_any_event():
    """Wherever a run is left, what it said by then is kept once, and the next one goes on."""
    n = 0
    is_cut = True
    while is_cut:
        n += 1
        session = InMemorySession("s")
        agent = remembering(session)
        run = agent.run_streamed("Weather?")
        heard, is_cut = {}, False
        async for place, one in aenumerate(run.stream_events()):
            data = getattr(one, "data", None)
            if getattr(data, "type", "") == "response.output_text.delta":
                heard[data.item_id] = heard.get(data.item_id, "") + data.delta
            if place == n:
                is_cut = True
                break
        await run.aclose()
        stored = await session.get_items()
        kept = [text_of(item) for item in stored if item.get("role") == "assistant"]
        assert kept == list(heard.values())
        calls = [item["call_id"] for item in stored if item.get("type") == "function_call"]
        outputs = [item["call_id"] for item in stored if "output" in item]
        assert calls == outputs
    assert kept == ["I look.", "Sunny."]
    assert n > 10


async def aenumerate(events):
    place = 0
    async for one in events:
        place += 1
        yield place, one


def test_words_said_twice_are_two_messages():
    """A message under way is kept although an earlier response said the same."""
    raw = [CREATED, text("ok"), done(message("ok")), last("completed", message("ok"))]
    assert plain.to_items([*raw, CREATED, text("ok", "msg_2")]) == [message("ok"), said("ok")]


class Counted(str):  # noqa: SLOT000
    """A text that counts how much it is added to."""

    copied = 0

    def __radd__(self, other):
        type(self).copied += len(other)
        return other + str(self)


def test_long_streams_take_time_with_their_length():
    """What has been said is not copied for each piece behind it."""
    Counted.copied = 0
    piece = {"type": "response.output_text.delta", "item_id": "m", "content_index": 0}
    events = [piece | {"delta": Counted("0123456789")} for _ in range(1_000)]
    (item,) = plain.to_items(events, role="assistant")
    assert item["content"] == "0123456789" * 1_000
    assert Counted.copied < 100_000
