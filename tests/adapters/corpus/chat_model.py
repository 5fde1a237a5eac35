"""A chat model for tests, which says what it was told to and streams it in pieces."""

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult


class ScriptedModel(BaseChatModel):
    """Answers with each of its messages once, under ids of its own, and notes what it was shown."""

    answers: list[Any]
    shown: list[Any] = []

    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **options):
        return self

    def _next(self, messages):
        self.shown.append(messages)
        answer = self.answers[len(self.shown) - 1]
        if isinstance(answer, Exception):
            raise answer
        answer = AIMessage(answer) if isinstance(answer, str) else answer
        return answer.model_copy(update={"id": f"answer-{len(self.shown)}"})

    def _generate(self, messages, stop=None, run_manager=None, **options):
        return ChatResult(generations=[ChatGeneration(message=self._next(messages))])

    def _stream(self, messages, stop=None, run_manager=None, **options):
        answer = self._next(messages)
        for piece in filter(None, answer.text.partition(" ")):
            yield ChatGenerationChunk(message=AIMessageChunk(piece, id=answer.id))
        for call in answer.tool_calls:
            name, arguments = call["name"], str(call["args"]).replace("'", '"')
            for part in ({"name": name, "args": arguments[:4]}, {"args": arguments[4:]}):
                chunk = {"id": call["id"], "name": None, "index": 0, "type": "tool_call_chunk"}
                yield ChatGenerationChunk(
                    message=AIMessageChunk("", id=answer.id, tool_call_chunks=[chunk | part])
                )


def calling(call_id="call_1", name="weather", **args):
    """Return an answer that calls a tool."""
    return AIMessage(
        "", tool_calls=[{"name": name, "args": args, "id": call_id, "type": "tool_call"}]
    )
