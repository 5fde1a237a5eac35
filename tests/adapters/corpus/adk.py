"""ADK's events: those of other dialects, plausible and odd ones, and a scripted model."""

from typing import Any

from corpus import genai
from corpus.contract import EDITED, SECRET, TEXT, TOOLS, Corpus
from google.adk.events import Event, EventActions
from google.adk.models import BaseLlm, LlmResponse
from google.genai import types

from memwrap.adapters import adk
from memwrap.hidden.comparison import digest


def foreign(content, *items):
    """Return the event of items of another dialect."""
    return Event(author="user", content=content, id=f"memwrap-{digest(items)}", timestamp=0.0)


def event(content=None, author="pilot", **fields):
    """Return an event as an agent makes it."""
    known = {"id": "e-1", "invocation_id": "i-1", "timestamp": 1795745400.25}
    return Event(**{"author": author, "content": content, **known, **fields})


EVENTS = {
    **{name: event(content) for name, content in genai.CONTENTS.items()},
    "state": event(actions=EventActions(state_delta={"at": "Kiel", "n": [1, None], "b": b"\xff"})),
    "nothing": event(),
    "error": event(error_code="SAFETY", error_message="Blocked."),
    "user": event(genai.user("When?"), author="user"),
    "usage": event(
        genai.model("Six."),
        usage_metadata=types.GenerateContentResponseUsageMetadata(prompt_token_count=3),
        finish_reason=types.FinishReason.STOP,
        turn_complete=True,
        model_version="gemini",
    ),
    "long running": event(
        genai.model(genai.call(id="adk-1", port="Kiel")), long_running_tool_ids={"adk-1", "adk-2"}
    ),
    "transfer": event(
        genai.user(genai.response("transfer", "adk-1", {"result": None})),
        actions=EventActions(transfer_to_agent="cook", artifact_delta={"a.png": 1}),
        branch="pilot.cook",
        node_info={"path": "pilot/cook", "output_for": ["a"]},
        custom_metadata={"a": {"b": 1.0}},
        output={"any": "thing"},
    ),
}
"""Events, by what is particular about them."""


class Scripted(BaseLlm):
    """Answers with each of its answers once: text, parts or an error; notes what it was shown."""

    answers: list[Any]
    shown: list[Any] = []
    told: list[Any] = []

    async def generate_content_async(self, llm_request, stream=False):
        self.shown.append(list(llm_request.contents))
        self.told.append(llm_request.config.system_instruction)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        parts = [types.Part(text=answer)] if isinstance(answer, str) else answer
        if stream:
            for part in parts:
                for piece in filter(None, (part.text or "").partition(" ")):
                    said = types.Part(text=piece, thought=part.thought)
                    yield LlmResponse(content=genai.model(said), partial=True)
        yield LlmResponse(content=types.Content(role="model", parts=parts))


def said(contents):
    """Return what a model was shown: who said what, called what, and was told what."""
    told = []
    for content in contents:
        for part in content.parts:
            if part.function_call:
                told.append((content.role, part.function_call.name, part.function_call.args))
            elif part.function_response:
                told.append((content.role, part.function_response.response))
            else:
                told.append((content.role, part.text))
    return told


CORPUS = Corpus(
    adk,
    text=[foreign(one, item) for one, item in zip(genai.CORPUS.text, TEXT, strict=True)],
    tools=[
        foreign(genai.CORPUS.tools[0], TOOLS[0]),
        foreign(genai.CORPUS.tools[1], *TOOLS[1:3]),
        foreign(genai.CORPUS.tools[2], *TOOLS[3:5]),
        foreign(genai.CORPUS.tools[3], TOOLS[5]),
    ],
    rich=[
        event(genai.CORPUS.rich[0], author="user"),
        event(genai.CORPUS.rich[1], custom_metadata={"of": f"So it is {EDITED}."}),
    ],
    malformed=[
        {"content": SECRET},
        {"role": "model", "parts": [SECRET]},
        [event(), {"text": [SECRET]}],
    ],
    sends_to_provider=False,
)
