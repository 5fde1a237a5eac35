"""The corpus: messages of Pydantic AI by name, and conversations of them; made by code."""

from datetime import UTC, datetime, timedelta

from corpus.contract import EDITED, SECRET, Corpus
from pydantic_ai.messages import (
    AgentInstructionSource,
    AudioUrl,
    BinaryContent,
    CachePoint,
    Citation,
    CompactionPart,
    DocumentUrl,
    FilePart,
    ImageUrl,
    InstructionDeltaPart,
    InstructionId,
    ModelRequest,
    ModelResponse,
    NativeToolCallPart,
    NativeToolReturnPart,
    RetryFeedbackPart,
    RetryInfo,
    SpeechPart,
    StructuredContent,
    SystemPromptPart,
    TextContent,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UploadedFile,
    UserPromptPart,
    VideoUrl,
    WebCitationSource,
)
from pydantic_ai.usage import RequestUsage

from memwrap.adapters import pydantic_ai as adapter

NOBODY_KNOWS = datetime(1970, 1, 1, tzinfo=UTC)
START = datetime(2026, 11, 27, 9, 30, 0, 123456, tzinfo=UTC)

# All bytes, so that both alphabets of base64 are needed.
BYTES = bytes(range(256))
PNG = BinaryContent(BYTES, media_type="image/png")
IMAGE = BinaryContent.narrow_type(PNG)
WAV = BinaryContent(b"RIFF" + BYTES, media_type="audio/wav")
PDF = BinaryContent(b"%PDF" + BYTES, media_type="application/pdf")

USAGE = RequestUsage(input_tokens=12, output_tokens=3, details={"thinking": 2})
RUN = {"run_id": "run-1", "conversation_id": "talk-1"}


def at(minute):
    return START + timedelta(minutes=minute)


def asked(*content, **fields):
    said = content[0] if [*map(type, content)] == [str] else list(content)
    return ModelRequest([UserPromptPart(said, timestamp=at(0))], **fields)


def answered(*parts, **fields):
    return ModelResponse(list(parts), timestamp=at(1), **fields)


def returned(*parts, **fields):
    return ModelRequest(list(parts), timestamp=at(2), **fields)


def output(content, call_id="call_1", **fields):
    return ToolReturnPart("tide", content, call_id, timestamp=at(2), **fields)


def thought(**fields):
    return ThinkingPart("The moon pulls.", **fields)


CALL = ToolCallPart("tide", {"port": "Kiel", "day": 3}, "call_1")

MESSAGES = {
    "question": asked("When is high water?"),
    "question with all fields": asked(
        "When?", timestamp=at(0), instructions="Be kind.", metadata={"a": None, "b": [1]}, **RUN
    ),
    "first question": ModelRequest(
        [
            SystemPromptPart("Be kind.", timestamp=at(0), dynamic_ref="now", metadata={"a": 1}),
            SystemPromptPart("It is noon.", timestamp=at(0), scope="request"),
            UserPromptPart("Hi.", timestamp=at(0)),
        ]
    ),
    "empty question": asked(""),
    "two questions": ModelRequest([UserPromptPart("a"), UserPromptPart("b")]),
    "several texts": asked("one", "two"),
    "tagged text": asked(TextContent("tagged", metadata={"who": None}), CachePoint()),
    "structured": asked(StructuredContent({"open": ["a"]}, tag="ui_state", description="The app")),
    "only a cache point": asked(CachePoint(), CachePoint(ttl="1h")),
    "image": asked("Look:", PNG, IMAGE),
    "image with fields": asked(
        BinaryContent(BYTES, media_type="image/jpeg", vendor_metadata={"detail": "low"}),
        BinaryContent(BYTES, media_type="image/gif", identifier="mine"),
    ),
    "image elsewhere": asked(
        ImageUrl("https://a.example/b.png", vendor_metadata={"detail": "high"}),
        ImageUrl("https://a.example/c", media_type="image/png", force_download=True),
    ),
    "image as text": asked(ImageUrl("data:image/png;base64,AAAA")),
    "files elsewhere": asked(
        AudioUrl("https://a.example/a.mp3"),
        VideoUrl("https://a.example/v.mp4"),
        DocumentUrl("https://a.example/d.pdf"),
        DocumentUrl("https://a.example/odd"),
    ),
    "files": asked(WAV, PDF, BinaryContent(BYTES, media_type="video/mp4")),
    "uploaded": asked(
        UploadedFile("file-1", provider_name="openai"),
        UploadedFile("file_2", provider_name="anthropic", media_type="application/pdf"),
    ),
    "answer": answered(TextPart("At six.")),
    "answer with all fields": answered(
        TextPart(
            "At six.",
            id="msg_1",
            provider_name="openai",
            provider_details={"logprobs": [0.5, None]},
            citations=[Citation([WebCitationSource("https://a.example", title="Tides")])],
        ),
        usage=USAGE,
        model_name="m",
        model_id="openai:m",
        provider_name="openai",
        provider_url="https://api.example",
        provider_details={"finish_reason": "stop"},
        provider_response_id="resp_1",
        finish_reason="stop",
        metadata={"a": None},
        history_digest="d1gest",
        **RUN,
    ),
    "empty answer": answered(TextPart("")),
    "no answer": answered(),
    "no request": ModelRequest([]),
    "cut answer": answered(TextPart("At s"), state="interrupted"),
    "two texts": answered(TextPart("At"), TextPart(" six.")),
    "thought": answered(thought()),
    "thought of Anthropic": answered(
        thought(signature="s1g", provider_name="anthropic"),
        TextPart("Six."),
        provider_name="anthropic",
        model_name="claude",
    ),
    "hidden thought": answered(
        ThinkingPart("", id="redacted_thinking", signature="s1g", provider_name="anthropic"), CALL
    ),
    "thought of OpenAI": answered(
        thought(id="rs_1", signature="enc", provider_name="openai"),
        ThinkingPart("More.", id="rs_1", provider_name="openai"),
        ThinkingPart("", id="rs_2", signature="enc2", provider_name="openai"),
        CALL,
        provider_name="openai",
    ),
    "call": answered(CALL),
    "call of text": answered(ToolCallPart("tide", '{"port": "Kiel"}', "call_1")),
    "call of nothing": answered(ToolCallPart("tide", None, "call_1"), ToolCallPart("t", "", "c")),
    "call of no JSON": answered(ToolCallPart("tide", '{"port": ', "call_1")),
    "call with fields": answered(
        ToolCallPart(
            "tide",
            {"é": "😀"},
            "functions.tide:0 /ä" * 9,
            id="fc_1",
            provider_name="google",
            provider_details={"thought_signature": "AAE="},
        )
    ),
    "calls and texts": answered(TextPart("I look."), CALL, TextPart("And"), CALL),
    "output": returned(output("06:12")),
    "output of an object": returned(output({"time": "06:12", "heights": [1, 2.5, None]})),
    "output of a list": returned(output(["06:12", {"é": None}])),
    "output of nothing": returned(output(None), output("", "call_2")),
    "output of a number": returned(output(6), output(True, "call_2")),
    "output of JSON": returned(output('{"time": "06:12"}')),
    "output of a file": returned(output(PNG), output(["See", WAV, {"a": [1]}, IMAGE], "call_2")),
    "failed output": returned(output("No such port.", outcome="failed", metadata={"a": b"b"})),
    "denied output": returned(output("Not today.", outcome="denied")),
    "retried output": returned(
        output(
            [{"type": "missing", "loc": ["port"], "msg": "Field required", "input": {}}],
            outcome="retried",
            retry=RetryInfo(cause="validation_error", attempt=1, max_retries=2),
        )
    ),
    "outputs and a question": returned(
        output("a"), output("b", "call_2"), UserPromptPart("And?", timestamp=at(3)), **RUN
    ),
    "feedback": returned(
        RetryFeedbackPart("Say it shorter.", retry=RetryInfo(cause="model_retry"), timestamp=at(2))
    ),
    "structured output": answered(ToolCallPart("final_result", '{"city":"Kiel"}', "call_9")),
    "native tools": answered(
        NativeToolCallPart("web_search", {"query": "tide"}, "ws_1", provider_name="openai"),
        NativeToolReturnPart("web_search", {"found": [1]}, "ws_1", provider_name="openai"),
        TextPart("Six."),
    ),
    "drawn": answered(FilePart(IMAGE, id="ig_1", provider_name="openai")),
    "compacted": answered(CompactionPart("All of it.", provider_name="anthropic")),
    "heard": ModelRequest([SpeechPart(speaker="user", transcript="Hello.", audio=WAV)]),
    "spoken": answered(
        SpeechPart(speaker="assistant", transcript="Ahoy.", interrupted_at_ms=5),
        SpeechPart(speaker="assistant", audio=WAV),
    ),
    "changed instructions": ModelRequest(
        [
            InstructionDeltaPart(id=InstructionId(AgentInstructionSource()), content="Be brief."),
            UserPromptPart("Hi."),
        ]
    ),
}


def turn(number, *, calls=1, call_id="call_{}_{}"):
    ids = [call_id.format(number, place) for place in range(calls)]
    return [
        asked(f"Question {number}: when is high water?"),
        answered(
            thought(signature=f"s{number}", provider_name="anthropic"),
            *(ToolCallPart("tide", {"day": number}, one) for one in ids),
        ),
        returned(*(output(f"06:{number:02}", one) for one in ids)),
        answered(TextPart(f"Answer {number}: at six."), usage=USAGE, **RUN),
    ]


CONVERSATIONS = {
    "all": [*MESSAGES.values()],
    "backwards": [*MESSAGES.values()][::-1],
    "every third": [*MESSAGES.values()][::3],
    "requests": [one for one in MESSAGES.values() if isinstance(one, ModelRequest)],
    "responses": [one for one in MESSAGES.values() if isinstance(one, ModelResponse)],
    "empty": [],
    "turns": [message for number in range(4) for message in turn(number, calls=2)],
    "one id for all": [message for number in range(3) for message in turn(number, call_id="call")],
    "outputs apart": [
        answered(CALL, ToolCallPart("tide", {}, "call_2")),
        returned(output("b", "call_2")),
        returned(output("a")),
    ],
    "cut short": turn(1, calls=2)[:2],
    "orphan": turn(1)[2:],
}


def request(*parts):
    return ModelRequest(list(parts))


def response(*parts):
    return ModelResponse(list(parts), timestamp=NOBODY_KNOWS)


def prompt(text):
    return UserPromptPart(text, timestamp=NOBODY_KNOWS)


def result(name, text, call_id):
    return ToolReturnPart(name, text, call_id, timestamp=NOBODY_KNOWS)


CORPUS = Corpus(
    adapter,
    text=[
        request(SystemPromptPart("Be kind.", timestamp=NOBODY_KNOWS)),
        request(prompt("Hello, é😀.")),
        response(TextPart("Hi.")),
        request(prompt("What is up?")),
        response(TextPart("Not much.")),
    ],
    tools=[
        request(prompt("Weather?")),
        response(
            ToolCallPart("weather", '{"city": "Rome"}', "call_1"),
            ToolCallPart("time", "{}", "call_2"),
        ),
        request(result("weather", "sunny", "call_1"), result("time", "noon", "call_2")),
        response(TextPart("Sunny.")),
    ],
    rich=[
        asked(f"It is {EDITED}.", timestamp=at(0), metadata={"pin": EDITED}),
        answered(
            TextPart(f"So it is {EDITED}.", provider_details={"raw": EDITED}, provider_name="x"),
            usage=USAGE,
            **RUN,
        ),
    ],
    malformed=[
        {"kind": "request", "parts": [SECRET]},
        {"kind": "response", "parts": [{"part_kind": "text", "content": [SECRET]}]},
        {"content": SECRET},
        [asked("Hi."), object()],
    ],
    sends_to_provider=False,
)
