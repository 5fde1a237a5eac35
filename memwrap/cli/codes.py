"""How a command ends: what its exit code says."""

from __future__ import annotations

__all__ = ["BUSY", "DAMAGED", "INTERRUPTED", "NOTHING", "UNOPENED", "USAGE"]

NOTHING = 1
"""Nothing was found."""

USAGE = 2
"""The command was used wrongly, or a file cannot be read or written."""

DAMAGED = 3
"""Something is damaged, or a format cannot hold all."""

UNOPENED = 4
"""The store cannot be opened, or has failed."""

BUSY = 5
"""Another program has the store or the conversation."""

INTERRUPTED = 130
"""Somebody stopped the command."""
