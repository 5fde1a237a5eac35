"""Keep secrets out of the store, or from the agent, or both."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from memwrap.exceptions import ConfigurationError, TurnError
from memwrap.items import PROVIDER_DATA
from memwrap.turn import Turn
from memwrap.types import Handler, Item, Send

__all__ = ["Redact"]

# What makes an item an item, and a part of its content a part.
_STRUCTURE = frozenset({"call_id", "id", "role", "status", "type"})
_PART_STRUCTURE = frozenset({"type"})
_PARTS = frozenset({"content", "output", "summary"})

# What the adapter for LangChain puts into provider data to find its way.
_SIDECAR = frozenset({"at", "class", "items", "of"})

_JSON_STARTS = frozenset('{["')

# Names of the Responses API; other keys are somebody's data.
_FIELDS = _STRUCTURE | {
    *("action", "annotations", "approval_request_id", "approve", "arguments", "code", "content"),
    *("detail", "encrypted_content", "file_data", "file_id", "file_url", "filename", "image_url"),
    *("input", "logprobs", "name", "output", "phase", "provider_data", "queries", "reason"),
    *("refusal", "results", "server_label", "summary", "text", "title", "url"),
}


class Redact:
    """Replace what must not be stored, or not be seen by the agent, in every string of the items.

    Nested values, numbers and the keys of objects are covered, and JSON in a string (as tool
    arguments are) is looked into. What makes an item an item stays: its type, role, status, ids
    and the names of its fields. The store gets whole items, so that a value split over the chunks
    of a stream is found too. If the function raises, nothing is stored and the turn fails.

    Args:
        patterns: Regular expressions (strings or compiled) whose matches are replaced, or a
            function that returns the redacted form of a string.
        replacement: What stands for a match; patterns only.
        stored: Redact what is stored.
        agent: Redact the history and input that the agent sees.

    Raises:
        ConfigurationError: There is nothing to look for, a pattern is none, or neither
            ``stored`` nor ``agent`` is set.
    """

    def __init__(
        self,
        patterns: str | re.Pattern[str] | Iterable[str | re.Pattern[str]] | Callable[[str], str],
        *,
        replacement: str = "[REDACTED]",
        stored: bool = True,
        agent: bool = True,
    ) -> None:
        if not (stored or agent):
            raise ConfigurationError("Redact(stored=False, agent=False) redacts nothing")
        if callable(patterns):
            self._function = patterns
        else:
            self._function = _replacer(patterns, replacement)
        self.stored = stored
        self.agent = agent

    def __repr__(self) -> str:
        return f"Redact(stored={self.stored}, agent={self.agent})"

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn with its items redacted.

        Raises:
            TurnError: The function failed on a string.
        """
        if self.agent:
            turn.before_agent.append(self._redact)
        if self.stored:
            turn.before_save.append(self._redact)
        await handler(turn, send)

    def _redact(self, items: list[Item]) -> list[Item]:
        return [self._item(item) for item in items]

    def _item(self, item: Item) -> Item:
        redacted = self._object(item, _STRUCTURE)
        data = item.get(PROVIDER_DATA)
        sidecar = data.get("langchain") if isinstance(data, dict) else None
        if isinstance(sidecar, dict):
            # It finds its way by what nobody wrote, which a pattern may match by chance.
            kept = {key: sidecar[key] for key in sidecar.keys() & _SIDECAR}
            redacted[PROVIDER_DATA]["langchain"] = self._template(sidecar) | kept
        return redacted

    def _template(self, value: Any) -> Any:
        """Redact a template: all but its references, which lead to what is redacted itself."""
        if _is_reference(value):
            return value
        if isinstance(value, dict):
            return {self._key(key): self._template(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self._template(member) for member in value]
        return self._value(value)

    def _object(self, value: dict[str, Any], kept: frozenset[str]) -> dict[str, Any]:
        redacted: dict[str, Any] = {}
        for key, member in value.items():
            name = self._key(key)
            while name in redacted:  # two secrets became one: both values stay
                name += "'"
            redacted[name] = member if key in kept else self._value(member, part=key in _PARTS)
        return redacted

    def _key(self, key: str) -> str:
        return key if key in _FIELDS else self._text(key)

    def _value(self, value: Any, *, part: bool = False) -> Any:
        if isinstance(value, str):
            return self._text(self._json(value))
        if isinstance(value, dict):
            return self._object(value, _PART_STRUCTURE if part else frozenset())
        if isinstance(value, (list, tuple)):
            return [self._value(member, part=part) for member in value]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            redacted = self._text(str(value))
            return value if redacted == str(value) else redacted
        return value

    def _json(self, text: str) -> str:
        """Redact inside the values of JSON; escapes and numbers would hide them from a pattern."""
        if text.lstrip()[:1] not in _JSON_STARTS:
            return text
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        redacted = self._value(value)
        return text if redacted == value else json.dumps(redacted, ensure_ascii=False)

    def _text(self, text: str) -> str:
        redacted: object
        try:
            redacted = self._function(text)
        except Exception as exc:  # noqa: BLE001  (anything it raises means: not redacted)
            problem = f"failed ({type(exc).__name__})"  # it may quote the string, so it is dropped
        else:
            if isinstance(redacted, str):
                return redacted
            problem = f"returned a {type(redacted).__name__}, not a string"
        raise TurnError(f"the redacting function {problem}; nothing was stored")


def _is_reference(value: Any) -> bool:
    """Tell whether a value of a template leads to an item's text, or to a call's arguments."""
    if not isinstance(value, dict) or not value.keys() <= {"$", "$from", "$args"}:
        return False
    path = value.get("$", [])
    numbers = (value.get("$args", 0), value.get("$from", 0))
    return isinstance(path, list) and all(
        isinstance(step, int) or _is_name(step) for step in (*numbers, *path)
    )


def _is_name(step: Any) -> bool:
    return isinstance(step, str) and step in _FIELDS


def _replacer(
    patterns: str | re.Pattern[str] | Iterable[str | re.Pattern[str]], replacement: str
) -> Callable[[str], str]:
    if isinstance(patterns, (str, re.Pattern)):
        patterns = [patterns]
    try:
        compiled = [re.compile(pattern) for pattern in patterns]
    except (re.error, TypeError) as exc:
        raise ConfigurationError(f"Redact: a pattern is no regular expression: {exc}") from exc
    if not all(isinstance(pattern.pattern, str) for pattern in compiled):
        raise ConfigurationError("Redact: a regular expression for bytes finds nothing in text")
    if not isinstance(replacement, str):
        raise ConfigurationError(
            f"Redact: the replacement is a string, not {type(replacement).__name__}"
        )
    if not compiled:
        raise ConfigurationError("Redact needs a pattern, as in Redact(r'sk-[A-Za-z0-9]+')")

    def replace(text: str) -> str:
        for pattern in compiled:
            text = pattern.sub(lambda _: replacement, text)
        return text

    return replace
