"""What Gemini's SDK gives, added up to contents: chunks, responses, parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from google.genai import types

from memwrap.adapters.genai.partial import PartialCall, is_partial

__all__ = ["Chunks"]

_TEXT = {"text", "thought"}


class Chunks:
    """Adds chunks up to contents; responses give their content, parts in a row are one content.

    Contents and items pass. Of several candidates the first is taken.

    Args:
        role: Who speaks in a part that does not tell.
    """

    def __init__(self, role: str) -> None:
        self._role = "model" if role == "assistant" else "user"
        self._speaker: str | None = None  # of what is under way
        self._parts: list[types.Part] = []
        self._texts: list[str] = []  # of the last part: joined at once, or it takes the square
        self._call: PartialCall | None = None
        self._id: str | None = None  # of the response under way
        self._has_ended = False
        self._tools = 0  # parts of functions since a user spoke

    def add(self, event: Any) -> Iterable[Any]:
        """Take a response, a chunk of one, a part, a content or an item."""
        if isinstance(event, types.GenerateContentResponse):
            return list(self._add_response(event))
        if isinstance(event, types.Candidate):
            return [*self.rest(), *self._passed(event.content)]
        if isinstance(event, types.Part):
            return list(self._add_part(event))
        return [*self.rest(), *self._passed(event)]

    def rest(self) -> list[Any]:
        """Return the content under way, if it has said anything."""
        self._join()
        speaker, parts = self._speaker, self._parts
        self._speaker, self._parts, self._id, self._has_ended = None, [], None, False
        self._call = None  # it has not ended: nobody can answer it
        return list(self._passed(types.Content(role=speaker, parts=parts))) if parts else []

    def _passed(self, value: Any) -> Iterator[Any]:
        if isinstance(value, types.Content):
            tools = _tools_in(value)
            self._tools = self._tools + tools if tools or value.role == "model" else 0
        if value is not None:
            yield value

    def _add_response(self, response: types.GenerateContentResponse) -> Iterator[Any]:
        found = response.candidates or []
        candidate = next((one for one in found if not one.index), None)
        if self._begins_another(response):
            yield from self.rest()
        if history := response.automatic_function_calling_history:
            yield from self._called(history)
        if candidate is None:
            return
        content = candidate.content
        if content is not None:
            if self._speaker is None:
                self._speaker = content.role or "model"
            for part in content.parts or ():
                self._put(part)
        self._id = response.response_id or self._id
        self._has_ended = self._has_ended or candidate.finish_reason is not None

    def _begins_another(self, response: types.GenerateContentResponse) -> bool:
        if self._id and response.response_id:
            return self._id != response.response_id
        return self._has_ended or self._speaker == "user"

    def _called(self, history: list[types.Content]) -> Iterator[Any]:
        """Yield the calls that the SDK has made itself, and what they gave: those not yet seen."""
        begin = max((n + 1 for n, one in enumerate(history) if _is_asking(one)), default=0)
        called = [one for one in history[begin:] if _tools_in(one)]
        self._join()
        seen = self._tools + sum(map(_is_tool, self._parts))
        for content in called:
            seen -= _tools_in(content)
            if seen < 0:
                yield from self.rest()
                yield from self._passed(content)

    def _add_part(self, part: types.Part) -> Iterator[Any]:
        speaker = "model" if part.function_call else self._role
        if part.function_response:
            speaker = "user"
        if self._speaker not in (None, speaker):
            yield from self.rest()
        self._speaker = speaker
        self._join()
        self._parts.append(part)

    def _put(self, part: types.Part) -> None:
        """Add a part of a chunk; texts that go on with each other are one."""
        if self._call is not None and part.function_call is not None:
            self._call.add(part)
        elif is_partial(part):
            self._join()
            self._call = PartialCall(part)
        else:
            self._put_whole(part)
        if self._call is not None and self._call.has_ended:
            self._parts.append(self._call.whole())
            self._call = None

    def _put_whole(self, part: types.Part) -> None:
        says = {name for name, value in part if value is not None}
        if says == {"text"} and not part.text:
            return
        last = self._parts[-1] if self._parts else None
        if last is not None and says <= _TEXT and part.text and _goes_on(last, part):
            self._texts.append(part.text)
            return
        self._join()
        self._parts.append(part)

    def _join(self) -> None:
        if self._texts:
            last = self._parts[-1]
            text = "".join([last.text or "", *self._texts])
            self._parts[-1] = last.model_copy(update={"text": text})
            self._texts = []


def _goes_on(last: types.Part, part: types.Part) -> bool:
    """Tell whether a text goes on with the part before it; one with a signature has ended."""
    says = {name for name, value in last if value is not None}
    return says <= _TEXT and last.text is not None and bool(last.thought) == bool(part.thought)


def _is_tool(part: types.Part) -> bool:
    return part.function_call is not None or part.function_response is not None


def _tools_in(content: types.Content) -> int:
    return sum(map(_is_tool, content.parts or ()))


def _is_asking(content: types.Content) -> bool:
    """Tell whether a user speaks, and no function."""
    return content.role != "model" and not _tools_in(content)
