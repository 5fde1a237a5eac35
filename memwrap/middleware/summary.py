"""A summary: how it is made of items, checked against them, and shown in their place."""

from __future__ import annotations

import hmac
import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from memwrap.dialects import adapter_for, default_adapter
from memwrap.exceptions import ConfigurationError, ConversionError
from memwrap.foreign import converted
from memwrap.instructions import is_instruction
from memwrap.items import Item, assistant, text_of, user
from memwrap.marks import Summary
from memwrap.running import run
from memwrap.turn import Kept, Turn, View
from memwrap.view import all_applied
from memwrap.window import PastCut

__all__ = ["Sources", "digest_of", "key_of", "shown_with", "summary_item", "text_from"]

_INTRODUCTION = "Summary of the conversation so far:\n\n"
_REQUEST = (
    "Summarize the conversation above in a few paragraphs, for somebody who goes on with it: keep"
    " names, numbers, decisions and open questions. Reply with the summary alone."
)

_encode = msgspec.json.Encoder().encode


async def text_from(turn: Turn, summarizer: Any, items: list[Item]) -> str:
    """Return what a summarizer makes of items, as layers around redact what agents see and stores.

    Raises:
        ConversionError: It has made no text.
    """
    view = all_applied(View(items, []), turn, "before_agent")
    if callable(summarizer):
        result = summarizer(view.history)
        if inspect.isawaitable(result):
            result = await result
    else:
        result = await run(summarizer, [*view.history, user(_REQUEST)], session=None)
    kept = all_applied(Kept([], [assistant(_said(result).strip())]), turn, "before_save")
    text = "\n".join(map(text_of, kept.new_items))
    if not text.strip():
        raise ConversionError("the summarizer said nothing")
    return text


def _said(result: Any) -> str:
    if isinstance(result, str):
        return result
    adapter = adapter_for(result) or default_adapter()
    return "\n".join(
        filter(None, map(text_of, converted(adapter.to_items, result, role="assistant")))
    )


async def key_of(session: object) -> bytes:
    """Return the secret of a session's store.

    Raises:
        ConfigurationError: It has none.
    """
    turn_key = getattr(session, "turn_key", None)
    key: bytes = b"" if turn_key is None else await turn_key()
    if not key:
        raise ConfigurationError(
            f"Summarize: a session of type {type(session).__name__} keeps no secret, by which a"
            " summary is checked against what it is of; use one of a store of memwrap's"
        )
    return key


def digest_of(items: Sequence[Item], key: bytes) -> str:
    """Return a digest of items that nobody can make without the key."""
    digest = hmac.new(key, b"summary", "sha256")
    for item in items:
        data = _encode(item)
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()


class Sources(NamedTuple):
    """What summaries are of.

    Attributes:
        history: The items of a session.
        cut: Tells their rows.
        key: The secret of the session's store.
    """

    history: list[Item]
    cut: PastCut
    key: bytes

    def end_of(self, summary: Summary | None) -> int:
        """Return how many items a summary is of; 0 if they are not what they were."""
        if summary is None:
            return 0
        rows = (self.cut.number_of(item) or 0 for item in self.history)
        end = sum(1 for row in rows if 0 < row <= summary.last)
        if end != summary.count:
            return 0
        same = hmac.compare_digest(digest_of(self.history[:end], self.key), summary.digest)
        return end if same else 0

    def summary(self, text: str, end: int) -> Summary | None:
        """Return a summary of the first items; None if some of them are in no store."""
        rows = [self.cut.number_of(item) for item in self.history[:end]]
        if not rows or None in rows:
            return None
        return Summary(text, rows[-1] or 0, end, digest_of(self.history[:end], self.key))


def summary_item(text: str) -> Item:
    """Return the message that shows a summary: the user's, as what it is of is no instruction."""
    return user(f"{_INTRODUCTION}{text}")


def shown_with(summary: Summary | None, history: list[Item], end: int) -> list[Item]:
    """Return the history with a summary in place of its first items, save instructions."""
    if summary is None:
        return history
    kept = [item for item in history[:end] if is_instruction(item)]
    return [*kept, summary_item(summary.text), *history[end:]]
