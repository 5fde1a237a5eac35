"""Messages of Strands: a conversation of each kind, and odd ones by name."""

import datetime as dt

from corpus.contract import EDITED, SECRET, Corpus

from memwrap.adapters import strands as adapter
from memwrap.adapters.strands.message_to_items import ROLE

PICTURE = b"\x89PNG\r\n"


def user(*blocks, **fields):
    return {"role": "user", "content": list(map(block, blocks)), **fields}


def assistant(*blocks, **fields):
    return {"role": "assistant", "content": list(map(block, blocks)), **fields}


def block(text):
    return {"text": text} if isinstance(text, str) else text


def system(text):
    return user(text, metadata={"custom": {ROLE: "system"}})


def call(call_id="call_1", input=None, **fields):
    input = {"port": "Kiel"} if input is None else input
    return {"toolUse": {"toolUseId": call_id, "name": "tide", "input": input, **fields}}


def result(call_id="call_1", *blocks, status="success"):
    content = list(map(block, blocks or ["at six"]))
    return {"toolResult": {"toolUseId": call_id, "status": status, "content": content}}


def thought(text="I look.", **fields):
    return {"reasoningContent": {"reasoningText": {"text": text, **fields}}}


def image(format="png", **source):
    return {"image": {"format": format, "source": source or {"bytes": PICTURE}}}


S3 = {"location": {"type": "s3", "uri": "s3://b/k", "bucketOwner": "1"}}
PAPER = {"format": "pdf", "name": "tides", "source": {"bytes": b"%PDF-"}, "context": "old"}
CITED = {
    "content": [{"text": "Six, "}, {"text": "they say."}],
    "citations": [{"title": "t", "location": {"web": {"url": "u"}}, "sourceContent": []}],
}

BLOCKS = {
    "text": {"text": "High water?"},
    "thought": thought(),
    "signed thought": thought(signature="SIG"),
    "unsigned thought": thought(signature=None),
    "secret thought": {"reasoningContent": {"redactedContent": b"\x00\xff"}},
    "empty thought": {"reasoningContent": {}},
    "picture": image(),
    "photo": image("jpeg"),
    "odd picture": image("bmp"),
    "picture elsewhere": image(**S3),
    "paper": {"document": PAPER},
    "text file": {"document": {"format": "md", "name": "a", "source": {"bytes": b"# A"}}},
    "paper elsewhere": {"document": {"format": "pdf", "name": "a", "source": S3}},
    "film": {"video": {"format": "mp4", "source": {"bytes": b"mp4"}}},
    "sound": {"audio": {"format": "wav", "source": {"bytes": b"RIFF"}}},
    "odd sound": {"audio": {"format": "flac", "source": {"bytes": b"fLaC"}}},
    "call": call(),
    "call of reasoning": call(reasoningSignature="SIG"),
    "call with a list": call(input=[1, 2.0]),
    "call without input": call(input={}),
    "deep call": call(input={"a": {"b": [None, True, 2**70, "é😀"]}}),
    "odd call": call(input={"at": dt.date(2026, 1, 2), "b": b"\xff"}),
    "result": result(),
    "failed result": result("call_1", "Error: boom", status="error"),
    "result of JSON": result("call_1", {"json": {"at": "six", "n": 1.0}}),
    "result of parts": result("call_1", "a", "b", {"json": [1]}, image()),
    "result of a paper": result("call_1", {"document": PAPER}),
    "empty result": {"toolResult": {"toolUseId": "c", "status": "success", "content": []}},
    "cited": {"citationsContent": CITED},
    "guarded": {"guardContent": {"text": {"text": "Hi", "qualifiers": ["query"]}}},
    "cache point": {"cachePoint": {"type": "default", "ttl": "5m"}},
    "of the future": {"hologram": {"of": "Kiel"}},
}

USAGE = {"usage": {"inputTokens": 1, "outputTokens": 2}, "metrics": {"latencyMs": 5}}

MESSAGES = {
    f"{role} {name}": {"role": role, "content": [block]}
    for role in ("user", "assistant")
    for name, block in BLOCKS.items()
} | {
    "everything": assistant(*BLOCKS.values()),
    "everything of a user": user(*BLOCKS.values()),
    "nothing said": assistant(),
    "nothing asked": user(),
    "blank": assistant("  "),
    "blanks": user("", ""),
    "two texts": assistant("One.", "Two."),
    "tracked": user("Hi", tracking_id="3b1c", metadata=USAGE),
    "untracked": user("Hi", tracking_id=None),
    "custom": assistant("Ho", metadata={"custom": {"a": {"b": [1]}, "memwrap_role": "system"}}),
    "told": system("Be kind."),
    "odd keys": user("Hi", **{"~own": 1, "later": dt.date(2026, 1, 2)}),
    "thoughtful": assistant(thought(signature="S"), "So.", call("a"), call("b")),
    "thought between": assistant(call("a"), thought(signature="S"), call("b")),
    "text after call": assistant(call("a"), "Wait."),
    "text around results": user("So:", result("a"), "and", result("b")),
    "two results": user(result("a"), result("b", "calm")),
    "long id": assistant(call("x" * 120 + " ü")),
}


def turn(number):
    ids = [f"call_{number}_{n}" for n in "ab"]
    return [
        user(f"Question {number}?", tracking_id=f"t{number}"),
        assistant(thought(signature=f"S{number}"), *map(call, ids), metadata=USAGE),
        user(*(result(one, f"out {one}") for one in ids)),
        assistant(f"Answer {number}."),
    ]


CONVERSATIONS = {
    "turns": [message for number in range(3) for message in turn(number)],
    "one id for all": [assistant(call("c")), user(result("c"))] * 3,
    "two answers": [assistant("One."), assistant("Two.")],
    "answer then call": [assistant("I look."), assistant(call())],
    "results apart": [user(result("a")), user(result("b"))],
    "cut short": turn(0)[:-2],
    "orphan": turn(0)[2:],
    "all": [*MESSAGES.values()],
    "backwards": [*MESSAGES.values()][::-3],
}


def asked(call_id, name, **input):
    return {"toolUse": {"toolUseId": call_id, "name": name, "input": input}}


CORPUS = Corpus(
    adapter,
    text=[
        system("Be kind."),
        user("Hello, é😀."),
        assistant("Hi."),
        user("What is up?"),
        assistant("Not much."),
    ],
    tools=[
        user("Weather?"),
        assistant(asked("call_1", "weather", city="Rome"), asked("call_2", "time")),
        user(result("call_1", "sunny"), result("call_2", "noon")),
        assistant("Sunny."),
    ],
    rich=[
        user(f"It is {EDITED}.", image(), tracking_id="1"),
        assistant(
            thought(f"They say {EDITED}.", signature="SIG"),
            f"So it is {EDITED}.",
            {"hologram": f"So it is {EDITED}."},
            tracking_id="2",
            metadata={"custom": {"raw": f"So it is {EDITED}."}},
        ),
    ],
    malformed=[
        {"content": [{"text": SECRET}]},
        {"role": [SECRET], "content": [{"text": SECRET}]},
        {"role": "ai", "content": [{"text": SECRET}]},
        {"text": SECRET, "says": SECRET},
    ],
    sends_to_provider=False,
)
