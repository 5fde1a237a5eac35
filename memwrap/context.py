"""What surrounds a call: the ambient session, and the turn that is running.

Both live in one context variable, because they change together: a turn masks the ambient session
of its caller, so that an agent called from a tool neither joins the outer conversation nor waits
for its end.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from enum import Enum
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from memwrap.codec import copy_items
from memwrap.exceptions import ConfigurationError, TurnError
from memwrap.sessions.base import Session, SessionLike
from memwrap.turn import Recorded, Turn

__all__ = ["current_session", "current_turn", "record", "use_session"]


class Unset(Enum):
    """The value of an argument that was left out, where None may be passed."""

    UNSET = "unset"
    MASKED = "masked"

    def __repr__(self) -> str:
        return self.name


UNSET: Final = Unset.UNSET
MASKED: Final = Unset.MASKED  # there is a session, of a turn around, and not for this call
MaybeSession: TypeAlias = "SessionLike | Literal[Unset.UNSET]"


class Scope(NamedTuple):
    """The running turn and the ambient session."""

    turn: Turn | None
    session: MaybeSession


_NOWHERE = Scope(None, UNSET)

scope: ContextVar[Scope] = ContextVar("memwrap_scope", default=_NOWHERE)


_ELSEWHERE = (
    "use_session() was left in another context than it was entered in, and nobody saw its session."
    " Enter and leave it in one task: write a web framework's dependency as `async def`, since a"
    " plain `def` with yield runs in threads; or pass session= to the agent"
)


class use_session:  # noqa: N801  (a verb for a block, as contextlib's are)
    """Give every agent called in a ``with`` block this session, unless the call names another.

    Args:
        session: A session, an id in the called agent's store, or None for no memory.

    The block reaches into tasks started in it, and not into the turns of the agents called: an
    agent that calls another shares its session openly, with ``session=current_session()``.

    Raises:
        ConfigurationError: The block was left in another context than it was entered in, so that
            nobody saw the session.
    """

    def __init__(self, session: SessionLike) -> None:
        self.session = session
        self._tokens: list[Token[Scope]] = []

    def __enter__(self) -> SessionLike:
        self._tokens.append(scope.set(Scope(scope.get().turn, self.session)))
        return self.session

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            scope.reset(self._tokens.pop())
        except ValueError:
            if exc is None:  # or the error of the block would be lost
                raise ConfigurationError(_ELSEWHERE) from None


def current_turn() -> Turn | None:
    """Return the running turn, or None outside of one."""
    return scope.get().turn


def current_session() -> Session | None:
    """Return the session of the surrounding `use_session`, else of the running turn, else None.

    Raises:
        ConfigurationError: The block names its session by an id, which means nothing without
            the store of an agent.
    """
    turn, ambient = scope.get()
    if ambient is UNSET:
        return turn.session if turn is not None else None
    if isinstance(ambient, str):
        raise ConfigurationError(
            "the surrounding use_session() holds an id; current_session() needs the session:"
            " use_session(store.session(id))"
        )
    return ambient


def record(messages: Any) -> None:
    """Add messages to the turn that the agent's result does not show, such as tool calls.

    Args:
        messages: Items, or messages in the agent's own dialect, in the order they happened.
            They are stored before everything that the agent returns or sends later.

    Raises:
        ConfigurationError: No turn is running here.
        TurnError: The turn has ended, so that nothing of it can be stored any more.
        ConversionError: The agent's adapter does not know them, or no store can keep them.
    """
    turn = current_turn()
    if turn is None:
        raise ConfigurationError("record() works inside an agent wrapped by with_session only")
    if turn.run.is_over:
        raise TurnError(
            f"record() came after the end of its turn ({turn.session_id!r}), and would be lost:"
            " await the task that records before the agent returns"
        )
    items = turn.run.items_of([messages])
    turn.run.events.append(Recorded(copy_items(items)))  # the agent may change its list later
