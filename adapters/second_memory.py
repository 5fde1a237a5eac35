"""The one refusal of agents that would remember a conversation a second time."""

from __future__ import annotations

from collections.abc import Mapping

from memwrap.exceptions import ConfigurationError

__all__ = ["refuse_second_memory"]


def refuse_second_memory(found: Mapping[str, str]) -> None:
    """Raise if anything besides the session would remember the conversation.

    Args:
        found: What is switched on, and how to switch it off.

    Raises:
        ConfigurationError: There is such a thing; the message names all and the ways out.
    """
    if not found:
        return
    ways = "; ".join(f"{name}: {way}" for name, way in found.items())
    raise ConfigurationError(
        f"the agent would remember the conversation a second time, beside its session ({ways})"
    )
