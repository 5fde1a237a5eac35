"""Session memory for any agent: one decorator and a chain of ASGI-style middleware."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memwrap.context import current_session, current_turn, record, use_session
    from memwrap.decorator import with_session
    from memwrap.dialects import Adapter
    from memwrap.exceptions import (
        BudgetExceeded,
        ConfigurationError,
        ConversionError,
        GuardViolation,
        HistoryChanged,
        LeaseLost,
        MemwrapError,
        RateLimited,
        SessionBusy,
        SessionError,
        StoreError,
        TurnError,
        TurnIdReused,
        TurnNotSaved,
        TurnRefused,
        TurnTimeout,
    )
    from memwrap.items import Input, Item
    from memwrap.memory.repeats import is_replay
    from memwrap.memory.undo import undo
    from memwrap.running import run, run_sync
    from memwrap.sessions import (
        CopyReport,
        InMemorySession,
        InMemoryStore,
        ItemPage,
        Receipt,
        SearchHit,
        Session,
        SessionInfo,
        SessionSettings,
        SQLiteSession,
        SQLiteStore,
        Store,
        TurnInfo,
        copy,
        store_from_url,
    )
    from memwrap.sessions.postgres import PostgresSession, PostgresStore
    from memwrap.sessions.redis import RedisSession, RedisStore
    from memwrap.synchronous import sync
    from memwrap.trust import replayed
    from memwrap.turn import Event, Handler, Kept, Middleware, Send, Turn, View

__version__ = "0.1.0"

__all__ = [
    "Adapter",
    "BudgetExceeded",
    "ConfigurationError",
    "ConversionError",
    "CopyReport",
    "Event",
    "GuardViolation",
    "Handler",
    "HistoryChanged",
    "InMemorySession",
    "InMemoryStore",
    "Input",
    "Item",
    "ItemPage",
    "Kept",
    "LeaseLost",
    "MemwrapError",
    "Middleware",
    "PostgresSession",
    "PostgresStore",
    "RateLimited",
    "Receipt",
    "RedisSession",
    "RedisStore",
    "SQLiteSession",
    "SQLiteStore",
    "SearchHit",
    "Send",
    "Session",
    "SessionBusy",
    "SessionError",
    "SessionInfo",
    "SessionSettings",
    "Store",
    "StoreError",
    "Turn",
    "TurnError",
    "TurnIdReused",
    "TurnInfo",
    "TurnNotSaved",
    "TurnRefused",
    "TurnTimeout",
    "View",
    "copy",
    "current_session",
    "current_turn",
    "is_replay",
    "record",
    "replayed",
    "run",
    "run_sync",
    "store_from_url",
    "sync",
    "undo",
    "use_session",
    "with_session",
]

# asyncio, wrapt and SQLite take a tenth of a second to import: each is loaded with the first name
# that needs it, so that a program which only mentions memwrap does not wait for them.
_HOMES = {
    "memwrap.context": (
        "current_session",
        "current_turn",
        "record",
        "use_session",
    ),
    "memwrap.decorator": ("with_session",),
    "memwrap.dialects": ("Adapter",),
    "memwrap.exceptions": (
        "BudgetExceeded",
        "ConfigurationError",
        "ConversionError",
        "GuardViolation",
        "HistoryChanged",
        "LeaseLost",
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
    ),
    "memwrap.items": (
        "Input",
        "Item",
    ),
    "memwrap.memory.repeats": ("is_replay",),
    "memwrap.memory.undo": ("undo",),
    "memwrap.running": (
        "run",
        "run_sync",
    ),
    "memwrap.sessions": (
        "CopyReport",
        "InMemorySession",
        "InMemoryStore",
        "ItemPage",
        "Receipt",
        "SQLiteSession",
        "SQLiteStore",
        "SearchHit",
        "Session",
        "SessionInfo",
        "SessionSettings",
        "Store",
        "TurnInfo",
        "copy",
        "store_from_url",
    ),
    "memwrap.sessions.postgres": (
        "PostgresSession",
        "PostgresStore",
    ),
    "memwrap.sessions.redis": (
        "RedisSession",
        "RedisStore",
    ),
    "memwrap.synchronous": ("sync",),
    "memwrap.trust": ("replayed",),
    "memwrap.turn": (
        "Event",
        "Handler",
        "Kept",
        "Middleware",
        "Send",
        "Turn",
        "View",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:  # to a checker, a module that has __getattr__ has every name

    def __getattr__(name: str) -> Any:
        if name not in _HOME_OF:
            raise AttributeError(f"module 'memwrap' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
        return value


def __dir__() -> list[str]:
    return __all__
