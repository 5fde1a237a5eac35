"""Messages of Agent Framework: a conversation of each kind, and odd ones by name."""

import datetime as dt

from agent_framework import Content, Message
from corpus.contract import EDITED, SECRET, Corpus

from memwrap.adapters import agent_framework as adapter

PICTURE = "data:image/png;base64,iVBORw0KGgo="
PAPER = "data:application/pdf;base64,JVBERi0="
SOUND = "data:audio/wav;base64,UklGRg=="
REFUSED = {"core": {"model_output_kind": "refusal"}}


def call(call_id="call_1", arguments='{"port": "Kiel"}', **fields):
    return Content.from_function_call(call_id, "tide", arguments=arguments, **fields)


def result(call_id="call_1", output="at six", **fields):
    return Content.from_function_result(call_id, result=output, **fields)


def bare(kind, **fields):
    return Content(kind, **fields)


def thought(text="I look.", **fields):
    return Content.from_text_reasoning(text=text, **fields)


def _contents():
    """Yield a name and a content of each type, as the framework's own constructors make them."""
    drawn = Content.from_uri(PICTURE)
    web = {"call_id": "c", "tool_name": "web"}
    yield "text", Content.from_text("High water?")
    yield "noted text", Content.from_text("So.", annotations=[{"type": "citation", "url": "u"}])
    yield "refusal", Content.from_text("No.", additional_properties=REFUSED)
    yield "thought", thought(id="rs_1", protected_data="SIG")
    yield "secret thought", thought(None, protected_data="SIG")
    yield "picture", bare("data", uri=PICTURE, media_type="image/png", name="a.png")
    yield "picture at a URL", Content.from_uri("https://x.de/a.webp", media_type="image/webp")
    yield "detailed", Content.from_uri(PICTURE, additional_properties={"detail": "high"})
    yield "sound", Content.from_uri(SOUND, media_type="audio/wav")
    yield (
        "document",
        bare("data", uri=PAPER, media_type="application/pdf", name="t.pdf", file_id="f"),
    )
    yield "film", Content.from_uri("https://x.de/a.mp4", media_type="video/mp4")
    yield "file", Content.from_hosted_file(file_id="file_1", media_type="text/csv", name="t.csv")
    yield "vectors", Content.from_hosted_vector_store("vs_1")
    yield "error", Content.from_error(message="bad", error_code="500", error_details="worse")
    yield "call", call(id="af-call-1")
    yield "call with a dict", call(arguments={"port": "Kiel", "n": 1.0, "deep": [{"a": None}]})
    yield "call without arguments", call(arguments=None)
    yield "odd arguments", call(arguments='{ "a":1, "a": 2')
    yield "hosted call", call(hosted=True, server_name="mcp")
    yield "told call", call(informational_only=True, exception="odd")
    yield "result", result(id="af-call-1", additional_properties={"took": dt.timedelta(0).days})
    yield "result of a dict", result(output={"at": "six", "n": 1})
    yield "result of parts", result(output=[Content.from_text("a"), Content.from_text("b")])
    yield (
        "result with a picture",
        result(output=[Content.from_text("a"), drawn]),
    )
    yield "failed result", result(output="Error: boom", exception="boom")
    yield "nothing", result(output=None)
    yield "raw result", bare("function_result", call_id="c", result={"a": (1, 2)})
    yield "usage", Content.from_usage({"input_token_count": 1, "output_token_count": 2})
    code = Content.from_code_interpreter_tool_call(call_id="c", inputs=[Content.from_text("1+1")])
    yield "code", code
    outputs = [Content.from_text("2"), Content.from_uri(PICTURE)]
    yield "run code", Content.from_code_interpreter_tool_result(call_id="c", outputs=outputs)
    yield "drawing", Content.from_image_generation_tool_call(image_id="i")
    yield "drawn", Content.from_image_generation_tool_result(image_id="i", outputs=drawn)
    yield (
        "search",
        Content.from_search_tool_call(**web, arguments={"q": "Kiel"}),
    )
    yield (
        "found",
        Content.from_search_tool_result(**web, result=[{"url": "u"}]),
    )
    yield "shell", Content.from_shell_tool_call(call_id="c", commands=["ls"], timeout_ms=5)
    lines = [Content.from_shell_command_output(stdout="a", exit_code=0, timed_out=False)]
    yield "shelled", Content.from_shell_tool_result(call_id="c", outputs=lines)
    yield "served", Content.from_mcp_server_tool_call("c", "tide", server_name="s", arguments="{}")
    yield "serving", Content.from_mcp_server_tool_result("c", output=[{"type": "text", "x": 1}])
    asked = call(id="af-call-1")
    yield "may I", Content.from_function_approval_request("af-call-1", asked)
    yield "you may", Content.from_function_approval_response(True, "af-call-1", asked)
    yield "consent", Content.from_oauth_consent_request("https://x.de/consent")
    yield "of the future", bare("of_the_future", text="x", name="y")


CONTENTS = dict(_contents())

MESSAGES = {
    f"{role} {name}": Message(role, [content])
    for role in ("user", "assistant", "tool", "system")
    for name, content in CONTENTS.items()
} | {
    "everything": Message("assistant", [*CONTENTS.values()]),
    "everything of a user": Message("user", [*CONTENTS.values()]),
    "nothing said": Message("assistant", []),
    "nothing asked": Message("user", []),
    "blank": Message("assistant", ["  "]),
    "blanks": Message("user", ["", ""]),
    "two texts": Message("assistant", ["One.", "Two."]),
    "named": Message("user", ["Hi"], author_name="Ada", message_id="m-1"),
    "developer": Message("developer", ["Be kind."]),
    "narrator": Message("narrator", ["Dawn."]),
    "told apart": Message("user", ["Hi"], additional_properties={"a": {"b": [1, 2.0]}, "c": None}),
    "likenesses": Message("user", ["Hi"], additional_properties={"~content": 1, "~dict": {"a": 1}}),
    "one likeness": Message("user", ["Hi"], additional_properties={"a": {"~content": 1}}),
    "another likeness": Message("user", ["Hi"], additional_properties={"a": {"~dict": {}}}),
    "odd values": Message(
        "user", ["Hi"], additional_properties={"at": dt.date(2026, 1, 2), "b": b"\xff", 1: {2}}
    ),
    "thoughtful": Message("assistant", [thought(), "So.", call("a"), call("b")]),
    "thought between": Message("assistant", [call("a"), thought(protected_data="S"), call("b")]),
    "text after call": Message("assistant", [call("a"), "Wait."]),
    "two results": Message("tool", [result("a"), result("b", "calm")]),
    "long id": Message("assistant", [call("x" * 120 + " ü")]),
    "like a dict": Message("tool", [bare("function_result", call_id="c", result={"type": "text"})]),
}


def turn(number):
    ids = [f"call_{number}_{n}" for n in "ab"]
    return [
        Message("user", [f"Question {number}?"]),
        Message("assistant", [thought(protected_data=f"S{number}"), *map(call, ids)]),
        Message("tool", [result(one, f"out {one}") for one in ids]),
        Message("assistant", [f"Answer {number}."], author_name="Pilot"),
    ]


CONVERSATIONS = {
    "turns": [message for number in range(3) for message in turn(number)],
    "one id for all": [Message("assistant", [call("c")]), Message("tool", [result("c")])] * 3,
    "two answers": [Message("assistant", ["One."]), Message("assistant", ["Two."])],
    "answer then call": [Message("assistant", ["I look."]), Message("assistant", [call()])],
    "results apart": [Message("tool", [result("a")]), Message("tool", [result("b")])],
    "cut short": turn(0)[:-2],
    "orphan": turn(0)[2:],
    "all": [*MESSAGES.values()],
    "backwards": [*MESSAGES.values()][::-3],
}


def asked(call_id, name, arguments):
    return Content.from_function_call(call_id, name, arguments=arguments)


CORPUS = Corpus(
    adapter,
    text=[
        Message("system", ["Be kind."]),
        Message("user", ["Hello, é😀."]),
        Message("assistant", ["Hi."]),
        Message("user", ["What is up?"]),
        Message("assistant", ["Not much."]),
    ],
    tools=[
        Message("user", ["Weather?"]),
        Message(
            "assistant",
            [asked("call_1", "weather", '{"city": "Rome"}'), asked("call_2", "time", "{}")],
        ),
        Message("tool", [result("call_1", "sunny"), result("call_2", "noon")]),
        Message("assistant", ["Sunny."]),
    ],
    rich=[
        Message("user", [f"It is {EDITED}.", Content.from_uri(PICTURE)], author_name="Ada"),
        Message(
            "assistant",
            [
                thought(f"They say {EDITED}.", protected_data="SIG"),
                f"So it is {EDITED}.",
                Content.from_error(message=f"So it is {EDITED}."),
            ],
            message_id="m-1",
            additional_properties={"raw": f"So it is {EDITED}."},
        ),
    ],
    malformed=[
        {"contents": [SECRET]},
        {"role": "user", "contents": 5},
        {"role": "user", "contents": [{"text": SECRET}]},
        {"role": [SECRET], "contents": [SECRET]},
    ],
    sends_to_provider=False,
)
