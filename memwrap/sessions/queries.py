"""What a caller wants listed or found, checked, as back ends are asked for it."""

from __future__ import annotations

from memwrap.exceptions import ConfigurationError
from memwrap.sessions.checks import check_count, check_id, check_limit
from memwrap.sessions.info import SessionInfo
from memwrap.sessions.records import SearchQuery, SessionQuery
from memwrap.sessions.words import searched_terms

__all__ = ["search_query", "session_query"]

_MOST_HITS = 1000


def session_query(
    prefix: str,
    limit: int | None,
    after: str | SessionInfo | None,
    owner: str | None,
    tag: str | None,
) -> SessionQuery:
    """Return the query of a list of sessions.

    Raises:
        ConfigurationError: One of the arguments can be none.
    """
    query = SessionQuery(
        prefix=_prefix(prefix),
        owner=None if owner is None else check_id(owner, "an owner"),
        tag=None if tag is None else check_id(tag, "a tag"),
        limit=check_limit(limit),
    )
    if isinstance(after, SessionInfo):
        return query._replace(after=(after.session_id, after.cursor))
    return query if after is None else query._replace(after=(check_id(after, "after"), ""))


def search_query(text: str, prefix: str, owner: str | None, limit: int) -> SearchQuery:
    """Return the query of a search; without terms if the text has no words.

    Raises:
        ConfigurationError: One of the arguments can be none.
    """
    if not isinstance(text, str):
        raise ConfigurationError(f"search() takes a string, not {type(text).__name__}")
    return SearchQuery(
        searched_terms(text),
        _prefix(prefix),
        None if owner is None else check_id(owner, "an owner"),
        min(check_count(limit, "limit"), _MOST_HITS),
    )


def _prefix(prefix: str) -> str:
    return check_id(prefix, "a prefix") if prefix != "" else ""
