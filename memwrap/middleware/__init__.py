"""Layers around a turn; the first of a list is the outermost."""

from memwrap.memory.layer import Memory
from memwrap.middleware.budget import Budget
from memwrap.middleware.clear import Clear
from memwrap.middleware.fallback import Fallback
from memwrap.middleware.guard import Guard
from memwrap.middleware.log import Log
from memwrap.middleware.rate_limit import RateLimit
from memwrap.middleware.redact import Redact
from memwrap.middleware.retry import Retry
from memwrap.middleware.summarize import Summarize
from memwrap.middleware.timeout import Timeout
from memwrap.middleware.trace import Trace
from memwrap.middleware.trim import Trim
from memwrap.middleware.usage import Usage

__all__ = [
    "Budget",
    "Clear",
    "Fallback",
    "Guard",
    "Log",
    "Memory",
    "RateLimit",
    "Redact",
    "Retry",
    "Summarize",
    "Timeout",
    "Trace",
    "Trim",
    "Usage",
]
