"""Sessions in a PostgreSQL database."""

from memwrap.sessions.postgres.session import PostgresSession, PostgresStore

__all__ = ["PostgresSession", "PostgresStore"]
