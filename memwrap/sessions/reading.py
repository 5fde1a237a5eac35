"""A back end on a server that is read, and in no way changed."""

from __future__ import annotations

from typing import Any, NoReturn

from memwrap.exceptions import StoreError
from memwrap.sessions.steady import SteadyBackend

__all__ = ["ReadOnlyBackend"]


class ReadOnlyBackend(SteadyBackend):
    """A back end whose reads are tried again, and by which nothing is written.

    Args:
        inside: The back end.
    """

    async def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse what would write.

        Raises:
            StoreError: Always.
        """
        raise StoreError("the store was opened with read_only=True; nothing was changed")

    add = pop = clear = begin = renew = release = commit = _refuse
    cut = update = fork = erase = insert = _refuse

    async def purge(self, older_than: float | None, limit: int, *, count_only: bool = False) -> int:
        """Count sessions that have expired; remove none."""
        if not count_only:
            await self._refuse()
        return await super().purge(older_than, limit, count_only=True)
