"""Messages of Chat Completions."""

from corpus.contract import EDITED, SECRET, TEXT, Corpus

from memwrap.adapters import chat


def call(call_id, name, arguments):
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


CORPUS = Corpus(
    chat,
    text=TEXT,
    tools=[
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                call("call_1", "weather", '{"city": "Rome"}'),
                call("call_2", "time", "{}"),
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "call_2", "content": "noon"},
        {"role": "assistant", "content": "Sunny."},
    ],
    rich=[
        {"role": "user", "name": "Ada", "content": f"It is {EDITED}."},
        {"role": "assistant", "content": f"So it is {EDITED}.", "audio": {"id": "audio_1"}},
    ],
    malformed=[
        {"content": SECRET},
        {"role": "nobody", "content": SECRET},
        {"role": "assistant", "tool_calls": [SECRET]},
        {"choices": [SECRET]},
    ],
)
