"""Every error memwrap raises on its own account.

This is the tree::

    MemwrapError
    ├── ConfigurationError      wrong use: the message names the fix       (also a ValueError)
    ├── ConversionError         a value that cannot become an item         (also a ValueError)
    ├── SessionError
    │   ├── StoreError          the back end failed, or holds what it should not
    │   │   └── Lost            nobody knows whether it was done: the answer got lost
    │   └── SessionBusy         another turn kept the session too long     (also a TimeoutError)
    ├── TurnRefused             a layer did not let the turn happen
    │   ├── BudgetExceeded      the tokens or the money for it are spent
    │   ├── GuardViolation      its input or its answer is not allowed
    │   └── RateLimited         there were too many turns before it
    ├── TurnTimeout             the agent took too long                    (also a TimeoutError)
    └── TurnError               a layer broke the rules of a turn
        ├── TurnIdReused        the turn's id has been used for another input
        └── TurnNotSaved        the agent answered, the store did not take it
            ├── LeaseLost       another process took the session over in between
            └── HistoryChanged  somebody else wrote to the session in between

What the agent itself raises passes through unchanged, and so does cancellation. No message holds
the content of a conversation: they name types, places (``$[3].content[0]``) and session ids.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from memwrap.items import Item

__all__ = [
    "BudgetExceeded",
    "ConfigurationError",
    "ConversionError",
    "GuardViolation",
    "HistoryChanged",
    "LeaseLost",
    "Lost",
    "MemwrapError",
    "RateLimited",
    "SessionBusy",
    "SessionError",
    "StoreError",
    "TurnError",
    "TurnIdReused",
    "TurnNotSaved",
    "TurnRefused",
    "TurnTimeout",
]


class MemwrapError(Exception):
    """The root of all errors of this library.

    Attributes:
        result: What the agent had answered, if it had when the error came: what a call returned,
            or the list of the events of a stream, as layers see them. Otherwise None.
        items: What should have been stored: the input and the new items, as far as they are known.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.result: Any = None
        self.items: list[Item] = []


class ConfigurationError(MemwrapError, ValueError):
    """Something was used or put together wrongly; the message names the fix."""


class ConversionError(MemwrapError, ValueError):
    """A value is no item and cannot become one.

    Attributes:
        path: Where the value sits, counted from what was passed, as in ``$[3].content[0]``.
    """

    def __init__(self, message: str, *, path: str = "$") -> None:
        super().__init__(message)
        self.path = path

    def __str__(self) -> str:
        return f"{self.args[0]} @ {self.path}"


class SessionError(MemwrapError):
    """A session or its back end failed, or was busy for too long."""


class StoreError(SessionError):
    """The back end failed; the ``__cause__`` tells the driver's error, without anybody's text."""


class Lost(StoreError):
    """The answer of the server got lost, so what was asked for may have been done, or may not."""


class SessionBusy(SessionError, TimeoutError):
    """Another turn on the same session did not end within the time a turn may wait."""


class TurnRefused(MemwrapError):
    """A layer did not let the turn happen, or its answer out."""


class BudgetExceeded(TurnRefused):
    """The tokens or the money of a budget are spent; the agent was not called."""


class GuardViolation(TurnRefused):
    """The input or the answer of a turn is not allowed.

    Attributes:
        reason: What the check said, or an empty text; it may quote what was said.
    """

    def __init__(self, *args: object, reason: str = "") -> None:
        super().__init__(*args)
        self.reason = reason


class RateLimited(TurnRefused):
    """There were too many turns before this one; the agent was not called.

    Attributes:
        retry_after: Seconds after which there may be room for a turn.
    """

    def __init__(self, *args: object, retry_after: float = 0.0) -> None:
        super().__init__(*args)
        self.retry_after = retry_after


class TurnTimeout(MemwrapError, TimeoutError):
    """The agent took longer than a layer allows; nothing was stored."""


class TurnError(MemwrapError):
    """The rules of a turn were broken, such as by a second event of a call or a late one."""


class TurnIdReused(TurnError):
    """The id of the turn belongs to a stored turn with another input; the agent was not called."""


class TurnNotSaved(TurnError):
    """The agent answered, but the store refused the turn; `result` holds the answer."""

    def __init__(
        self,
        message: str,
        *,
        result: Any,
        items: Sequence[Item],
        retry: Callable[[], Awaitable[None]] | None,
    ) -> None:
        super().__init__(message)
        self.result = result
        self.items = list(items)
        self._retry = retry

    def __reduce__(self) -> Any:
        # The turn cannot be stored from another process.
        return _restored, (type(self), self.args, {**vars(self), "_retry": None})

    def __copy__(self) -> Self:
        return _restored(type(self), self.args, vars(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        state = {**deepcopy({**vars(self), "_retry": None}, memo), "_retry": self._retry}
        return _restored(type(self), self.args, state)

    async def retry(self) -> None:
        """Store the turn now, unless it has been stored meanwhile.

        May be called again; the turn is stored once at most.

        Raises:
            TurnNotSaved: The turn still cannot be stored. After `LeaseLost` and `HistoryChanged`
                it never can: the session's history is no longer the one that the agent saw.
            ConfigurationError: The error has been pickled; only the one that was raised can store.
        """
        if self._retry is None:
            raise ConfigurationError(
                "this error was pickled, and cannot store the turn; call retry() on the error that"
                " was raised, in its process, or add .items to the session"
            )
        await self._retry()


E = TypeVar("E", bound=MemwrapError)


def _restored(kind: type[E], args: tuple[Any, ...], state: dict[str, Any]) -> E:
    """Return an error of that class, whatever its constructor takes."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class LeaseLost(TurnNotSaved):
    """The agent took longer than the lease allows, and another process took the session over."""


class HistoryChanged(TurnNotSaved):
    """The session has other items than when the turn began; nothing of the turn was stored."""
