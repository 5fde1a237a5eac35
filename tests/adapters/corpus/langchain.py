"""The corpus: LangChain messages, items, and conversations of both, by name; made by code."""

from corpus.contract import EDITED, SECRET, Corpus
from corpus.langchain_blocks import SAID, THOUGHTS, USAGE
from corpus.langchain_items import ITEM_CONVERSATIONS, ITEMS
from corpus.langchain_messages import MESSAGES, call, fc
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    HumanMessageChunk,
    SystemMessage,
    ToolMessage,
)

from memwrap.adapters import langchain as adapter

__all__ = ["CONVERSATIONS", "ITEMS", "ITEM_CONVERSATIONS", "MESSAGES"]


def turn(number, *, thoughtful=False, calls=1, call_id="call_{}_{}"):
    """Return a turn with tools, as the Responses API or as Chat Completions would give it."""
    ids = [call_id.format(number, n) for n in range(calls)]
    texts = [f'{{"port": "Kiel", "day":{number}}}' for _ in ids]
    asked = [call(one, port="Kiel", day=number) for one in ids]
    thought = THOUGHTS["responses"] | {"id": f"rs_t{number}"}
    blocks = [fc(one, text, id=f"fc_{one}") for one, text in zip(ids, texts, strict=True)]
    said = {"type": "text", "text": f"Answer {number}: at six.", "id": f"msg_t{number}"}
    return [
        HumanMessage(f"Question {number}: when is high water?", id=f"h-{number}"),
        AIMessage([thought, *blocks] if thoughtful else "", tool_calls=asked, id=f"resp_{number}"),
        *(ToolMessage(f"Output {one}: 06:12", tool_call_id=one, name="tide") for one in ids),
        AIMessage([said] if thoughtful else f"Answer {number}: at six.", usage_metadata=USAGE),
    ]


def turns(count, **options):
    return [message for number in range(count) for message in turn(number, **options)]


def conversations():
    kinds = (HumanMessage, SystemMessage, AIMessage, ToolMessage)
    for kind in kinds:
        found = [message for message in MESSAGES.values() if type(message) is kind]
        yield f"every {kind.__name__}", found
    yield "every other", [m for m in MESSAGES.values() if type(m) not in kinds]
    yield "every third", [*MESSAGES.values()][::3]
    yield "backwards", [*MESSAGES.values()][::-5]
    yield "empty", []
    yield "one question", [HumanMessage("Low tide?")]
    yield "small talk", [SystemMessage("Be kind."), *(HumanMessage("Hi"), AIMessage("Ahoy.")) * 3]
    yield "two answers", [HumanMessage("Hi"), AIMessage("One."), AIMessage("Two."), AIMessage("")]
    yield (
        "two answers with ids",
        [AIMessage([SAID]), AIMessage([SAID]), AIMessage([SAID | {"id": "x"}])],
    )
    yield "answer then call", [AIMessage("I look."), AIMessage("", tool_calls=[call()])]
    yield (
        "two thoughts",
        [AIMessage([THOUGHTS["responses"]]), AIMessage([THOUGHTS["responses null"]])],
    )
    yield "thought then text", [AIMessage([THOUGHTS["responses"]]), AIMessage("Six.")]
    yield (
        "call then thought",
        [
            AIMessage("", tool_calls=[call()]),
            AIMessage([THOUGHTS["responses"], SAID]),
            ToolMessage("calm", tool_call_id="call_1"),
        ],
    )
    for calls in (1, 2, 5):
        yield f"tools {calls}", turns(3, calls=calls)
        yield f"thoughtful tools {calls}", turns(3, calls=calls, thoughtful=True)
    yield "long", turns(12, calls=2)
    yield "long and thoughtful", turns(12, calls=2, thoughtful=True)
    yield "ids begin anew", turns(3, calls=2, call_id="call_{1}")
    yield "ids of functions", turns(2, call_id="functions.tide:{1}")
    yield "one id for all", turns(2, calls=2, call_id="call")
    yield "cut short", turns(2)[:-2]
    yield "orphan output", turns(2)[2:]
    yield (
        "answers out of order",
        [
            MESSAGES["parallel"],
            ToolMessage("2", tool_call_id="b"),
            ToolMessage("1", tool_call_id="a"),
        ],
    )
    yield (
        "mixed providers",
        [
            HumanMessage("Hi"),
            MESSAGES["anthropic"],
            ToolMessage("calm", tool_call_id="toolu_1", status="error"),
            MESSAGES["block before text"],
            ToolMessage("calm", tool_call_id="call_1"),
            MESSAGES["custom"],
            MESSAGES["custom output"],
            AIMessage("Six."),
        ],
    )
    yield "chunks kept", [HumanMessageChunk("Hi"), *(AIMessageChunk(t, id="run-1") for t in "ab")]
    yield (
        "handoff",
        [
            AIMessage("", name="pilot", tool_calls=[call("h", name="transfer_to_harbour")]),
            ToolMessage("ok", tool_call_id="h", name="transfer_to_harbour"),
            AIMessage("Harbour here.", name="harbour"),
        ],
    )
    yield "patches", [HumanMessage("Log it."), MESSAGES["hosted apply_patch_call"]]


CONVERSATIONS = dict(conversations())


def _call(call_id, name, **args):
    return {"name": name, "args": args, "id": call_id, "type": "tool_call"}


CORPUS = Corpus(
    adapter,
    text=[
        SystemMessage("Be kind."),
        HumanMessage("Hello, é😀."),
        AIMessage("Hi."),
        HumanMessage("What is up?"),
        AIMessage("Not much."),
    ],
    tools=[
        HumanMessage("Weather?"),
        AIMessage(
            "", tool_calls=[_call("call_1", "weather", city="Rome"), _call("call_2", "time")]
        ),
        ToolMessage("sunny", tool_call_id="call_1"),
        ToolMessage("noon", tool_call_id="call_2"),
        AIMessage("Sunny."),
    ],
    rich=[
        HumanMessage([{"type": "text", "text": f"It is {EDITED}."}], id="h", name="Ada"),
        AIMessage(
            [{"type": "text", "text": f"So it is {EDITED}."}, {"type": "odd", "says": EDITED}],
            id="run-1",
            response_metadata={"raw": f"So it is {EDITED}.", "model_name": "m"},
        ),
    ],
    malformed=[
        {"content": SECRET},
        {"type": "human", "text": SECRET},
        [("nobody", SECRET)],
        {"role": "ai", "content": "x", "tool_calls": [SECRET]},
        {"role": "ai", "content": 5, "name": [SECRET]},
    ],
    sends_to_provider=False,
)
