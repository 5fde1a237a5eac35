"""The layers that come with memwrap."""

from memwrap.middleware.log import Log
from memwrap.middleware.memory import Memory
from memwrap.middleware.redact import Redact
from memwrap.middleware.trim import Trim

__all__ = ["Log", "Memory", "Redact", "Trim"]
