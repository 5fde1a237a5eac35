"""Items as a reader can take them; the store keeps what happened."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PORTABLE", "SAME", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    restores: bool = True


SAME = Target("same")
PORTABLE = Target("portable", restores=False)
