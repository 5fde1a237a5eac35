"""What the conversion of LangChain messages costs, plain and rich ones: µs a message."""

from __future__ import annotations

import os
import platform
import timeit

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from memwrap.adapters.langchain import from_items, to_items

TURNS = 30


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


def items() -> list:
    """Return what the Responses API says in a turn with reasoning and a tool."""
    said = {"type": "message", "role": "assistant", "status": "completed"}
    turn = [
        {"role": "user", "content": "How is the weather?"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x" * 200},
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "weather",
            "arguments": '{"city":"Rome"}',
            "status": "completed",
        },
        {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
        said
        | {
            "id": "msg_1",
            "content": [
                {"type": "output_text", "text": "Sunny.", "annotations": [], "logprobs": []}
            ],
        },
    ]
    return turn * TURNS


def report(what: str, function, value) -> list:
    result = function(value)
    best = min(timeit.repeat(lambda: function(value), number=3, repeat=9)) / 3
    count = len(value) if function is to_items else len(result)
    print(f"{what:44}{best / count * 1e6:8.1f}")
    return result


def main() -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    print("LangChain messages, µs a message, best of 9")
    for name, messages in (("plain", plain()), ("rich", rich())):
        made = report(f"{name} messages to items", to_items, messages)
        assert report(f"{name} messages from items", from_items, made) == messages
    shown = report("items of the Responses API to messages", from_items, items())
    assert report("and back", to_items, shown) == items()


if __name__ == "__main__":
    main()
