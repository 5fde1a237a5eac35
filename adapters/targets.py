"""The readers of items: what each of them can take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from memwrap.shapes import CALLS, OUTPUTS

__all__ = [
    "ADK",
    "AGENTS",
    "AGENT_FRAMEWORK",
    "ANTHROPIC",
    "CHAT",
    "GENAI",
    "LLAMA_INDEX",
    "OPENING",
    "PORTABLE",
    "PYDANTIC_AI",
    "RESPONSES",
    "SAME",
    "STRANDS",
    "Target",
]


OPENING = "(The conversation began earlier.)"
"""What a user says in front of an assistant that would speak first, where an API wants a user."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a reader of items can take.

    Attributes:
        name: The dialect; reasoning under another dialect's name is another model's.
        restores: Whether messages of the dialect are restored from their sidecars.
        id_length: How many characters a call id may have; None for any id at all.
        items: The types of items besides messages; None for all.
        parts: By speaker, the parts that content may have besides text, and where their data may
            be; None for all. Outputs of tools are spoken by ``"tool"``.
        is_api: Whether the reader is the Responses API, which refuses keys it does not know.
        hides_data: Whether the reader has hidden data of its own, in its reasoning too.
    """

    name: str
    restores: bool = True
    id_length: int | None = None
    items: frozenset[str] | None = None
    parts: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None
    is_api: bool = False
    hides_data: bool = False


SAME = Target("same")
"""A framework's own messages, all of them, exactly."""

PORTABLE = Target("portable", restores=False, id_length=40)
"""A framework's messages for a model of any provider."""

RESPONSES = Target("plain", id_length=64, is_api=True)
"""The Responses API."""

AGENTS = Target("openai_agents", id_length=40, is_api=True, hides_data=True)
"""The OpenAI Agents SDK, which has models of its own for other APIs."""

_CALLS = CALLS | OUTPUTS

AGENT_FRAMEWORK = Target("agent_framework", id_length=40, items=_CALLS | {"reasoning"})
"""Microsoft Agent Framework, which has clients of its own for many providers."""

LLAMA_INDEX = Target("llama_index", id_length=40, items=_CALLS | {"reasoning"})
"""LlamaIndex, which has models of its own for many providers."""

STRANDS = Target("strands", id_length=40, items=_CALLS | {"reasoning"})
"""Strands Agents, which has models of its own for many providers."""

ANTHROPIC = Target("anthropic", id_length=64, items=_CALLS | {"reasoning"})
"""Anthropic's Messages API."""

PYDANTIC_AI = Target("pydantic_ai", id_length=40)
"""Agents of Pydantic AI, whose models hand on ids of calls to any provider as they are."""

GENAI = Target("genai", id_length=64, items=_CALLS | {"reasoning"})
"""The Gemini API."""


ADK = Target("adk", id_length=40, items=_CALLS | {"reasoning"})
"""Google's ADK, which has models of its own for many providers."""

CHAT = Target(
    "chat",
    id_length=40,
    items=_CALLS,
    parts={
        "user": {
            "input_image": ("image_url",),
            "input_file": ("file_data", "file_id"),
            "input_audio": ("input_audio",),
        },
        "assistant": {"refusal": ("refusal",)},
    },
)
"""The Chat Completions API."""
