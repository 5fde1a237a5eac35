"""Sessions, and the stores they live in."""

from memwrap.sessions.base import Promises, Session, Store
from memwrap.sessions.checks import SessionSettings
from memwrap.sessions.in_memory import InMemorySession, InMemoryStore
from memwrap.sessions.info import SessionInfo
from memwrap.sessions.sqlite import SQLiteSession, SQLiteStore

__all__ = [
    "InMemorySession",
    "InMemoryStore",
    "Promises",
    "SQLiteSession",
    "SQLiteStore",
    "Session",
    "SessionInfo",
    "SessionSettings",
    "Store",
]
