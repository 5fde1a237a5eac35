"""Contents of Gemini's: plausible ones, odd ones, and conversations."""

from corpus.contract import EDITED, SECRET, Corpus
from google.genai import types

from memwrap.adapters import genai

Part, Content = types.Part, types.Content
PICTURE = b"\x89PNG\xff\x00"


def user(*parts):
    return Content(role="user", parts=[_part(part) for part in parts])


def model(*parts):
    return Content(role="model", parts=[_part(part) for part in parts])


def call(name="tide", id=None, **args):
    return Part(function_call=types.FunctionCall(id=id, name=name, args=args))


def response(name="tide", id=None, response=None, **fields):
    found = types.FunctionResponse(id=id, name=name, response=response, **fields)
    return Part(function_response=found)


def thought(text, **fields):
    return Part(text=text, thought=True, **fields)


def _part(part):
    return Part(text=part) if isinstance(part, str) else part


def _blob(data, mime_type, **fields):
    return Part(inline_data=types.Blob(data=data, mime_type=mime_type, **fields))


def _file(uri, mime_type, **fields):
    return Part(file_data=types.FileData(file_uri=uri, mime_type=mime_type, **fields))


CONTENTS = {
    "text": user("When is high water?"),
    "answer": model("At six, é😀."),
    "several texts": model("At six.", "And at noon."),
    "several questions": user("At six?", "Or at noon?"),
    "blank": model(" \n"),
    "empty": model(""),
    "empty of a user": user(""),
    "no parts": Content(role="model", parts=[]),
    "nothing at all": Content(),
    "a part of nothing": model(Part()),
    "no role": Content(parts=[Part(text="Who speaks?")]),
    "no role, a call": Content(parts=[call(port="Kiel")]),
    "another role": Content(role="narrator", parts=[Part(text="They sail.")]),
    "system": Content(role="system", parts=[Part(text="Be kind.")]),
    "user content": types.UserContent("When is high water?"),
    "model content": types.ModelContent("At six."),
    "thought": model(thought("The moon is full.")),
    "thought, text": model(thought("The moon is full."), "At six."),
    "thoughts, call": model(thought("One."), thought("Two."), call(port="Kiel")),
    "empty thought": model(thought("", thought_signature=b"s")),
    "signed text": model(Part(text="At six.", thought_signature=b"\xff\xfe")),
    "signature alone": model("At six.", Part(text="", thought_signature=b"\xff\xfe")),
    "signed call": model(
        call(port="Kiel").model_copy(update={"thought_signature": b"\x00" * 40}), call(port="Ems")
    ),
    "call": model(call(id="call_1", port="Kiel", day=1.0, deep={"a": [None, True]})),
    "call without arguments": model(Part(function_call=types.FunctionCall(name="tide"))),
    "call without a name": model(Part(function_call=types.FunctionCall(args={"a": 1}))),
    "call with an empty id": model(call(id="", port="Kiel")),
    "call with a long id": model(call(id="x/" * 60, port="Kiel")),
    "call with an id like ours": model(call(id="genai_1", port="Kiel")),
    "parallel calls": model(call(port="Kiel"), call(port="Kiel"), call("wind")),
    "text, call, text": model("I look.", call(port="Kiel"), "Wait."),
    "call in pieces": model(
        Part(
            function_call=types.FunctionCall(
                name="tide",
                will_continue=True,
                partial_args=[types.PartialArg(json_path="$.port", string_value="Ki")],
            )
        )
    ),
    "call of a user": user(call(port="Kiel")),
    "response": user(response(id="call_1", response={"result": "06:12"})),
    "response without an id": user(response(response={"result": "06:12"})),
    "no response": user(response()),
    "empty response": user(response(response={})),
    "response object": user(response(response={"at": "06:12", "m": 3.1, "x": None, "é": []})),
    "response of JSON": user(response(response={"result": '{"at": "06:12"}'})),
    "response of other JSON": user(response(response={"result": '{"at":"06:12"}'})),
    "response number": user(response(response={"result": 5})),
    "response error": user(response(response={"error": "no such port"})),
    "responses": user(response(response={"result": "1"}), response(response={"result": "2"})),
    "response, text": user(response(response={"result": "1"}), "Go on."),
    "text, response": user("Here:", response(response={"result": "1"})),
    "response with a picture": user(
        response(
            response={"result": "a chart"},
            parts=[
                types.FunctionResponsePart(
                    inline_data=types.FunctionResponseBlob(
                        data=PICTURE, mime_type="image/png", display_name="chart.png"
                    )
                ),
                types.FunctionResponsePart(
                    file_data=types.FunctionResponseFileData(
                        file_uri="gs://b/c.pdf", mime_type="application/pdf"
                    )
                ),
            ],
        )
    ),
    "response of a picture": user(
        response(
            parts=[
                types.FunctionResponsePart(
                    inline_data=types.FunctionResponseBlob(data=PICTURE, mime_type="image/png")
                )
            ]
        )
    ),
    "response to come": user(
        response(
            response={"result": "x"},
            will_continue=True,
            scheduling=types.FunctionResponseScheduling.SILENT,
        )
    ),
    "picture": user("What is this?", _blob(PICTURE, "image/png")),
    "picture alone": user(_blob(PICTURE, "image/png")),
    "picture by the model": model("Here:", _blob(PICTURE, "image/png", display_name="a.png")),
    "picture by address": user(_file("https://a.example/b.png", "image/png")),
    "picture of another type": user(_file("https://a.example/b.png", "image/webp")),
    "file of Google's": user(_file("gs://b/c.pdf", "application/pdf"), "Read."),
    "picture of Google's": user(
        _file("https://generativelanguage.googleapis.com/v1beta/files/x", "image/png")
    ),
    "video": user(
        Part(
            file_data=types.FileData(file_uri="https://youtu.be/x"),
            video_metadata=types.VideoMetadata(fps=1.5, start_offset="1s"),
        )
    ),
    "sound": user(_blob(b"RIFF", "audio/wav"), _blob(b"OggS", "audio/ogg")),
    "document": user(_blob(b"%PDF", "application/pdf", display_name="tides.pdf")),
    "no data": user(Part(inline_data=types.Blob(mime_type="image/png"))),
    "no type": user(Part(inline_data=types.Blob(data=b"x"))),
    "no address": user(Part(file_data=types.FileData(mime_type="image/png"))),
    "code": model(
        "I count.",
        Part(
            executable_code=types.ExecutableCode(
                id="c", code="print(1)", language=types.Language.PYTHON
            )
        ),
        Part(
            code_execution_result=types.CodeExecutionResult(
                outcome=types.Outcome.OUTCOME_OK, output="1"
            )
        ),
        "One.",
    ),
    "code alone": model(Part(executable_code=types.ExecutableCode(code="x"))),
    "tools of the server": model(
        Part(tool_call=types.ToolCall(id="t", tool_type=types.ToolType.URL_CONTEXT, args={"a": 1})),
        Part(tool_response=types.ToolResponse(id="t", response={"b": b"bytes"})),
        "Found.",
    ),
    "metadata": user(
        Part(
            text="Read.",
            part_metadata={"from": "a", "n": [1]},
            media_resolution=types.PartMediaResolution(num_tokens=5),
        )
    ),
    "a part of everything": Content(
        role="model",
        parts=[
            Part(
                text="Both",
                function_call=types.FunctionCall(name="f", args={}),
                function_response=types.FunctionResponse(name="f", response={}),
                inline_data=types.Blob(data=b"x", mime_type="image/png"),
            )
        ],
    ),
}
"""Contents, by what is particular about them."""


def turn(number, calls=1, with_ids=False):
    """Return a turn with tools."""
    ids = [f"id_{number}_{n}" if with_ids else None for n in range(calls)]
    return [
        user(f"Question {number}: when is high water?"),
        model(thought("Hm."), *(call(id=one, port="Kiel", day=number) for one in ids)),
        user(*(response(id=one, response={"result": f"06:{n}"}) for n, one in enumerate(ids))),
        model(f"Answer {number}: at six."),
    ]


CONVERSATIONS = {
    "small talk": [user("Hi"), model("Ahoy."), user("Bye"), model("Ahoy.")],
    "two answers": [user("Hi"), model("One."), model("Two.")],
    "two questions": [user("Hi"), user("Anybody?"), model("Yes.")],
    "thought then text": [user("Hi"), model(thought("Hm.")), model("Ahoy.")],
    "text then call": [user("Hi"), model("I look."), model(call()), user(response()), model("Six")],
    "two calls apart": [user("Hi"), model(call()), model(call("wind")), model("Nobody answers.")],
    "two responses apart": [
        *(user("Hi"), model(call(), call("wind"))),
        *(user(response()), user(response("wind")), model("Six.")),
    ],
    "responses out of order": [
        *(user("Hi"), model(call(), call("wind"))),
        *(user(response("wind"), response()), model("Six.")),
    ],
    "turns": [content for n in range(3) for content in turn(n, calls=2)],
    "turns with ids": [content for n in range(3) for content in turn(n, 2, with_ids=True)],
    "ids begin anew": [content for _ in range(2) for content in turn(0, 2, with_ids=True)],
    "every one": [*CONTENTS.values(), model("The end.")],
}
"""Conversations, which end with the model."""

CORPUS = Corpus(
    genai,
    text=[
        genai.SystemContent(role="user", parts=[Part(text="Be kind.")]),
        *(user("Hello, é😀."), model("Hi."), user("What is up?"), model("Not much.")),
    ],
    tools=[
        user("Weather?"),
        model(call("weather", "call_1", city="Rome"), call("time", "call_2")),
        user(
            response("weather", "call_1", {"result": "sunny"}),
            response("time", "call_2", {"result": "noon"}),
        ),
        model("Sunny."),
    ],
    rich=[
        user(f"It is {EDITED}.", _blob(PICTURE, "image/png", display_name="a.png")),
        model(
            thought(f"Is it {EDITED}?"),
            Part(text=f"So it is {EDITED}.", thought_signature=b"\xff\xfe"),
            Part(part_metadata={"of": f"So it is {EDITED}."}),
        ),
    ],
    malformed=[
        {"content": SECRET},
        {"role": "model", "parts": [SECRET]},
        {"role": "model", "parts": [{"odd": SECRET}]},
        {"candidates": [SECRET]},
        {"text": [SECRET]},
    ],
    sends_to_provider=False,
)
