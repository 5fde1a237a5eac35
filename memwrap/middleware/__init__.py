"""Layers around a turn; the first of a list is the outermost."""

from memwrap.memory.layer import Memory
from memwrap.middleware.clear import Clear
from memwrap.middleware.log import Log
from memwrap.middleware.redact import Redact
from memwrap.middleware.trim import Trim

__all__ = ["Clear", "Log", "Memory", "Redact", "Trim"]
