"""Sessions on a Redis or Valkey server."""

from memwrap.sessions.redis.session import RedisSession, RedisStore

__all__ = ["RedisSession", "RedisStore"]
