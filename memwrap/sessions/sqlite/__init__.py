"""Sessions in a SQLite file."""

from memwrap.sessions.sqlite.session import SQLiteSession, SQLiteStore

__all__ = ["SQLiteSession", "SQLiteStore"]
