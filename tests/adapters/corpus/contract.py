"""What each adapter contributes to the tests that all adapters pass."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

TEXT = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hello, é😀."},
    {"role": "assistant", "content": "Hi."},
    {"role": "user", "content": "What is up?"},
    {"role": "assistant", "content": "Not much."},
]
"""A conversation of text and nothing else."""

TOOLS = [
    {"role": "user", "content": "Weather?"},
    {
        "type": "function_call",
        "call_id": "call_1",
        "name": "weather",
        "arguments": '{"city": "Rome"}',
    },
    {"type": "function_call", "call_id": "call_2", "name": "time", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
    {"type": "function_call_output", "call_id": "call_2", "output": "noon"},
    {"role": "assistant", "content": "Sunny."},
]
"""A conversation with tools, two of them called at once."""

SECRET = "hush"
"""What malformed messages hold, and errors do not say."""

EDITED = "4711"
"""What rich messages say, and an edit takes out."""


@dataclass(frozen=True)
class Corpus:
    """An adapter and messages in its dialect.

    Attributes:
        adapter: The module.
        text: `TEXT` in the dialect.
        tools: `TOOLS` in the dialect.
        rich: Messages that say `EDITED`, with as much as the dialect hides in items.
        malformed: Messages that hold `SECRET` and that nobody can read.
        sends_to_provider: Whether what `from_items` returns reaches a provider as it is.
        keeps_theirs: Whether provider data of others stays on the way back.
        opening: What comes in front of an assistant that would be the first to speak.
        instructs_as: The role under which instructions of other dialects are shown.
    """

    adapter: ModuleType
    text: Any
    tools: Any
    rich: Any
    malformed: Sequence[Any] = field(default=())
    sends_to_provider: bool = True
    keeps_theirs: bool = False
    opening: str = ""
    instructs_as: str = "system"

    @property
    def name(self):
        """The adapter's name, under which it hides data."""
        return self.adapter.__name__.rpartition(".")[2]


class Unknown:
    """An object of no framework, whose repr tells what is in it."""

    def __repr__(self):
        return f"<unknown: {SECRET}>"
