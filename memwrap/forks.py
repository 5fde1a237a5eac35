"""Forked processes: a child forgets the locks, threads and connections that only its parent has."""

from __future__ import annotations

import os
from collections.abc import Callable

__all__ = ["in_child"]


def in_child(forget: Callable[[], None]) -> Callable[[], None]:
    """Call *forget* in each forked child before it goes on, on systems that fork."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=forget)
    return forget
