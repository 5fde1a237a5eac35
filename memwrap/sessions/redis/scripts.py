"""Scripts that the server runs: each operation is one of them, and so happens whole or not at all.

A session has six keys and its place in an index, all of one slot of a cluster: ``i``, the list of
its rows, each behind its number; ``m``, what is known of it; ``t``, its turns by number; ``n``,
the numbers of turns by their ids; ``o``, the tokens of its newest appends; ``l``, its lease, and
the life that a turn has begun with which found no rows. Times are microseconds of the server's
clock.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import NamedTuple

from memwrap.sessions.redis.about_scripts import ABOUT, LISTS
from memwrap.sessions.redis.row_scripts import ROWS
from memwrap.sessions.redis.script_parts import PARTS

__all__ = ["NAMES", "Script", "script"]

NAMES = (*ROWS, *ABOUT, *LISTS)
"""The names of all scripts."""


class Script(NamedTuple):
    """A script.

    Attributes:
        text: Its text.
        sha: By what the server knows it when it has seen it.
    """

    text: str
    sha: str


# What changes nothing runs on replicas and beside a full memory; what removes makes room.
_READS = frozenset(
    {"get", "page", "find", "newest", "ranges", "turns", "export", "fork_read", "list"}
)
_REMOVES = frozenset({"pop", "cut", "clear", "release", "erase", "purge"})


@cache
def script(name: str) -> Script:
    """Return the script of that name."""
    flags = " flags=no-writes" if name in _READS else " flags=allow-oom" if name in _REMOVES else ""
    body = LISTS[name] if name in LISTS else PARTS + {**ROWS, **ABOUT}[name]
    text = f"#!lua{flags}\n{body}"
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
