"""The session tables that memwrap shares with another library.

A file written by either library opens in the other. memwrap adds four tables: one of versions,
one of secrets, one of what is known of sessions, and one of turns, with a row for each stored turn,
and one, whose ``last_id`` is 0, for the turn that runs with a lease. Stores that search add an
index of words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from memwrap.exceptions import ConfigurationError
from memwrap.sessions.sqlite.statements import statements

__all__ = ["Tables"]

_SCHEMA = "memwrap_schema"
_KEYS = "memwrap_keys"
# Views of the connection.
_TEMPORARY = (
    *("memwrap_clear", "memwrap_commit", "memwrap_cut", "memwrap_update", "memwrap_fork"),
    "memwrap_bring",
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")

# What SQL takes for no name. memwrap quotes its names, other readers of the file may not.
_RESERVED = frozenset(
    """add all alter and as autoincrement between case cast check collate commit constraint create
    current_date current_time current_timestamp default deferrable delete distinct drop else
    escape except exists foreign from group having if in index insert intersect into is isnull
    join limit not nothing notnull null on or order primary raise references returning select
    set table then to transaction union unique update using values when where""".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Tables:
    """A pair of tables, how it is used, and the statements on it.

    Attributes:
        sessions: The table of sessions.
        messages: The table of items.
        ttl: Seconds for which sessions live that are written to; None for ever.
        search: Whether their items are searched.

    Raises:
        ConfigurationError: A name is no plain identifier; names become part of statements.
    """

    sessions: str = "agent_sessions"
    messages: str = "agent_messages"
    ttl: float | None = None
    search: bool = False
    _sql: dict[str, str] = field(init=False, repr=False, compare=False, hash=False)
    _hash: int = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        for name in (self.sessions, self.messages):
            if not isinstance(name, str) or not _NAME.match(name):
                raise ConfigurationError(
                    f"a table's name is a letter or _ and then up to 62 letters, digits and _,"
                    f" not {name!r}"
                )
            if name.lower() in _RESERVED or name.lower().startswith("sqlite_"):
                raise ConfigurationError(
                    f"{name!r} is a word of SQL's own or a name of SQLite's own; choose another"
                    " name for the table"
                )
        names = [name.lower() for _, name in self._names()]
        if self.sessions.lower() == self.messages.lower():
            raise ConfigurationError(f"both tables are named {self.messages!r}")
        for name in (self.sessions, self.messages):
            if names.count(name.lower()) > 1 or name.lower() in _TEMPORARY:
                raise ConfigurationError(f"{name!r} is memwrap's own table; choose another name")
        values = self.sessions, self.messages, self.ttl, self.search
        object.__setattr__(self, "_hash", hash(values))
        object.__setattr__(self, "_sql", statements(self._names(), self.ttl))

    def __hash__(self) -> int:
        return self._hash  # looked up in each operation

    def __reduce__(self) -> Any:  # strings have other hashes in another process
        return type(self), (self.sessions, self.messages, self.ttl, self.search)

    def __getitem__(self, statement: str) -> str:
        return self._sql[statement]

    def windows(self, count: int) -> str:
        """Return the statement that reads so many windows: of each the session and the size."""
        return self._sql[f"windows {count}"]

    def _names(self) -> tuple[tuple[str, str], ...]:
        """Return the names of tables and indexes, by what statements call them."""
        return (
            ("sessions", self.sessions),
            ("messages", self.messages),
            ("turns", self.turns),
            ("schema", self.schema),
            ("keys", self.keys),
            ("about", self.about),
            ("words", self.words),
            ("messages_index", f"idx_{self.messages}_session_id"),
            ("turns_index", f"idx_{self.turns}_turn_id"),
            ("about_owners", f"idx_{self.about}_owner"),
            ("about_expiries", f"idx_{self.about}_expires"),
        )

    @property
    def pair(self) -> tuple[str, str]:
        """The names of the tables, however they are used."""
        return self.sessions, self.messages

    @property
    def about(self) -> str:
        """The table of what is known of sessions."""
        return f"{self.messages}_about"

    @property
    def words(self) -> str:
        """The index of words, where there is one."""
        return f"{self.messages}_words"

    @property
    def turns(self) -> str:
        """The table of turns."""
        return f"{self.messages}_turns"

    @property
    def schema(self) -> str:
        """The table of versions, one for all pairs in the file."""
        return _SCHEMA

    @property
    def keys(self) -> str:
        """The table of secrets, one for all pairs in the file."""
        return _KEYS

    @property
    def entries(self) -> tuple[tuple[str, str, str], ...]:
        """What SQLite lists of them: kind, name, and the table it belongs to."""
        return (
            ("table", self.sessions, self.sessions),
            ("table", self.messages, self.messages),
            ("table", self.turns, self.turns),
            ("table", self.schema, self.schema),
            ("table", self.keys, self.keys),
            ("table", self.about, self.about),
            ("index", f"idx_{self.about}_owner", self.about),
            ("index", f"idx_{self.about}_expires", self.about),
            ("index", f"idx_{self.messages}_session_id", self.messages),
            ("index", f"idx_{self.turns}_turn_id", self.turns),
        )

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The columns that each table must have, those apart that later versions added."""
        return {
            self.sessions: ("session_id", "created_at", "updated_at"),
            self.messages: ("id", "session_id", "message_data", "created_at"),
            self.turns: (
                *("session_id", "last_id", "first_id", "token", "expires"),
                *("turn_id", "fingerprint", "shape", "inputs"),
            ),
            self.schema: ("messages", "version"),
            self.keys: ("messages", "secret"),
            self.about: (
                *("session_id", "owner", "tags", "title", "metadata", "usage", "parent"),
                *("parent_turn", "expires"),
            ),
        }
