"""Sessions, and the stores they live in."""

from memwrap.sessions.base import Promises, Session, Store
from memwrap.sessions.checks import SessionSettings
from memwrap.sessions.copying import CopyReport, copy
from memwrap.sessions.in_memory import InMemorySession, InMemoryStore
from memwrap.sessions.info import ItemPage, Receipt, SearchHit, SessionInfo, TurnInfo
from memwrap.sessions.sqlite import SQLiteSession, SQLiteStore
from memwrap.sessions.urls import store_from_url

__all__ = [
    "CopyReport",
    "InMemorySession",
    "InMemoryStore",
    "ItemPage",
    "Promises",
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
]
