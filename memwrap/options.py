"""The options of `with_session`, as type checkers see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from memwrap.dialects import Adapter
from memwrap.sessions.base import SessionLike, StoreLike
from memwrap.turn import Middleware

__all__ = ["Options"]


class Options(TypedDict, total=False):
    """The options of `with_session`."""

    session: SessionLike
    store: StoreLike | None
    key: str | None
    adapter: Adapter | None
    middleware: Sequence[Middleware]
