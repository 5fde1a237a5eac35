"""Messages of Anthropic's API."""

from corpus.contract import EDITED, SECRET, Corpus

from memwrap.adapters import anthropic

PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}


def use(call_id, name, input):
    return {"type": "tool_use", "id": call_id, "name": name, "input": input}


def result(call_id, content, **fields):
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **fields}


CORPUS = Corpus(
    anthropic,
    text=[
        {"role": "user", "content": "Be kind."},
        {"role": "user", "content": "Hello, é😀."},
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": "What is up?"},
        {"role": "assistant", "content": "Not much."},
    ],
    tools=[
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": [use("call_1", "weather", {"city": "Rome"}), use("call_2", "time", {})],
        },
        {"role": "user", "content": [result("call_1", "sunny"), result("call_2", "noon")]},
        {"role": "assistant", "content": "Sunny."},
    ],
    rich=[
        {
            "role": "user",
            "content": [
                {
                    "type": "text",
                    "text": f"It is {EDITED}.",
                    "cache_control": {"type": "ephemeral"},
                },
                {"type": "image", "source": PNG},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "So it is.", "signature": "c2ln"},
                {"type": "text", "text": f"So it is {EDITED}."},
                use("toolu_1", "look", {"at": ["Rome"]}),
            ],
        },
        {"role": "user", "content": [result("toolu_1", f"No {EDITED}", is_error=True)]},
        {"role": "assistant", "content": [{"type": "text", "text": "Sorry.", "citations": []}]},
    ],
    opening="(The conversation began earlier.)",
    instructs_as="user",
    malformed=[
        {"content": SECRET},
        {"role": "nobody", "content": SECRET},
        {"role": "user", "content": {"text": SECRET}},
        {"role": "assistant", "content": [{"type": "tool_use", "input": SECRET}]},
        {"type": "content_block_start", "index": SECRET},
    ],
)
