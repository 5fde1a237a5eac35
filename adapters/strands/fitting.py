"""Conversations as providers behind Strands take them: a user begins, and speakers alternate."""

from __future__ import annotations

from collections.abc import Sequence

from memwrap.adapters.strands.shape import Message
from memwrap.adapters.targets import OPENING

__all__ = ["alternating", "fitting"]


def fitting(messages: Sequence[Message]) -> list[Message]:
    """Return the messages of a conversation, from its beginning on."""
    taken = alternating(messages)
    if taken and taken[0]["role"] != "user":
        taken.insert(0, {"role": "user", "content": [{"text": OPENING}]})
    return taken


def alternating(messages: Sequence[Message]) -> list[Message]:
    """Return the messages with those of one speaker in a row as one."""
    merged: list[Message] = []
    for message in messages:
        if merged and merged[-1]["role"] == message["role"]:
            content = [*merged[-1]["content"], *message["content"]]
            merged[-1] = merged[-1] | {"content": content}
        else:
            merged.append(message)
    return merged
