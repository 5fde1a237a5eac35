"""What the conversion of LangChain messages costs: µs a message, beside LangChain's own making.

The messages are plain text, an agent's turns with ids, metadata and a tool, what the Responses API
says, and the corpus of the tests: all kinds of messages, most of them odd. The runs are interleaved
with the bare construction of the same messages, so that a busy machine slows all alike.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import timeit
from pathlib import Path

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from memwrap.adapters.langchain import from_items, to_items

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "adapters"))

TURNS = 30
RUNS = 15


def plain() -> list:
    """Return questions and answers that are text and nothing else."""
    pairs = ((HumanMessage(f"Question {n}? " * 10), AIMessage("Yes. " * 20)) for n in range(TURNS))
    return [message for pair in pairs for message in pair]


def rich() -> list:
    """Return turns with ids, metadata and a tool."""
    messages = []
    for n in range(TURNS):
        call = {"name": "weather", "args": {"city": "Rome", "day": n}, "id": f"call_{n}"}
        text = {"type": "text", "text": "I look. " * 10, "id": f"msg_{n}", "annotations": []}
        usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
        about = {"model_name": "m", "finish_reason": "stop", "model_provider": "p"}
        messages += [
            HumanMessage("How is the weather? " * 5, id=f"human-{n}"),
            AIMessage([text], tool_calls=[call], id=f"resp_{n}", usage_metadata=usage),
            ToolMessage("sunny " * 20, tool_call_id=f"call_{n}", name="weather", id=f"tool-{n}"),
            AIMessage("It is sunny. " * 5, id=f"run-{n}", response_metadata=about),
        ]
    return messages


def shown() -> list:
    """Return the messages of what the Responses API says in a turn with reasoning and a tool."""
    said = {"type": "message", "role": "assistant", "status": "completed", "id": "msg_1"}
    text = {"type": "output_text", "text": "Sunny.", "annotations": [], "logprobs": []}
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "status": "completed"}
    turn = [
        {"role": "user", "content": "How is the weather?"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x" * 200},
        call | {"name": "weather", "arguments": '{"city":"Rome"}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
        said | {"content": [text]},
    ]
    return from_items(turn * TURNS)


def corpus() -> list:
    """Return the messages of all kinds that the tests convert."""
    from corpus.langchain import MESSAGES

    return list(MESSAGES.values())


def made(recipes: list) -> list:
    """Make the messages of these classes and fields."""
    return [kind(**fields) for kind, fields in recipes]


def recipe(message) -> tuple:
    """Return the class of a message and the fields that somebody gave it."""
    fields = {**message.__dict__, **(message.model_extra or {})}
    unset = (None, [], {})
    given = {key: fields[key] for key in fields if key != "type" and fields[key] not in unset}
    return type(message), {"content": message.content} | given


def measure(name: str, messages: list) -> None:
    """Print the best of many interleaved runs."""
    items = to_items(messages)
    assert to_items(from_items(items)) == items
    recipes = [recipe(message) for message in messages]
    steps = (lambda: to_items(messages), lambda: from_items(items), lambda: made(recipes))
    runs = [[timeit.timeit(step, number=3) / 3 for step in steps] for _ in range(RUNS)]
    there, back, bare = (min(column) / len(messages) * 1e6 for column in zip(*runs, strict=True))
    both = there + back
    print(f"{name:28}{there:10.1f}{back:12.1f}{both:8.1f}{bare:14.1f}{both / bare:8.1f}")


def calls(count: int) -> float:
    """Return the best seconds of converting so many calls in a row there and back."""
    arguments = (json.dumps({"city": "Rome", "day": n}) for n in range(count))
    call = {"type": "function_call", "name": "weather"}
    items = [call | {"call_id": f"c{n}", "arguments": text} for n, text in enumerate(arguments)]
    return min(timeit.repeat(lambda: to_items(from_items(items)), number=1, repeat=3))


def grow() -> None:
    """Print how the time grows with the number of calls in one message."""
    few, many = calls(4_000), calls(16_000)
    print(f"\n4,000 calls {few:.2f} s, 16,000 calls {many:.2f} s: {many / few:.1f} times")


def main() -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    print(f"µs a message, best of {RUNS}")
    print(f"{'':28}{'to_items':>10}{'from_items':>12}{'both':>8}{'LangChain':>14}{'ratio':>8}")
    measure("plain text", plain())
    measure("turns with a tool", rich())
    measure("what the API said", shown())
    measure("the tests' corpus", corpus())
    grow()


if __name__ == "__main__":
    main()
