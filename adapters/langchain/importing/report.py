"""What an import of stored conversations tells about them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ImportReport"]

_SHOWN = 10  # ids in a line of a printed report
_LONG = 64  # characters of each

_WORDS = {
    "conflicts": "sessions that hold something else, left as they are",
    "refused": "session ids that the store refuses",
    "unreadable": "messages that cannot be read, left out",
    "orphan_outputs": "tool outputs whose calls were not stored",
    "open_calls": "tool calls that never got an output",
    "reduced": "messages stored without id, name, calls and usage",
    "unknown_types": "messages of unknown types, kept with the type as role",
    "chunks": "chunks of streams, kept as chunks",
}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, and what had been lost before it; ``str()`` of it is for people.

    Attributes:
        sessions: How many conversations the source has.
        messages: How many messages it has of them.
        items_added: How many items were stored.
        items_present: How many were there already.
        conflicts: The ids of sessions that hold something else, and were left as they are.
        refused: The ids that the store does not take, or the names of their types.
        unreadable: The messages left out: the session's id, the place among its messages, from 0
            on, and why.
        orphan_outputs: How many tool outputs have no call, which their history did not keep.
        open_calls: How many tool calls never got an output.
        reduced: How many messages langchain-redis kept without id, name, calls and usage.
        unknown_types: How many are of no type of LangChain's: they are a ``ChatMessage`` with the
            type as role.
        chunks: How many are chunks of a stream. They are kept as such.
    """

    sessions: int
    messages: int
    items_added: int
    items_present: int
    conflicts: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    unreadable: tuple[tuple[str, int, str], ...] = ()
    orphan_outputs: int = 0
    open_calls: int = 0
    reduced: int = 0
    unknown_types: int = 0
    chunks: int = 0

    def __str__(self) -> str:
        read = f"sessions: {self.sessions}, messages: {self.messages}"
        lines = [f"{read}, items added: {self.items_added}, already there: {self.items_present}"]
        for name, words in _WORDS.items():
            found = getattr(self, name)
            if isinstance(found, int):
                lines += [f"{words}: {found}"] if found else []
            elif found:
                more = ", ..." if len(found) > _SHOWN else ""
                lines.append(
                    f"{words}: {len(found)} ({', '.join(map(_shown, found[:_SHOWN]))}{more})"
                )
        return "\n".join(lines)


def _shown(one: str | tuple[str, int, str]) -> str:
    if isinstance(one, tuple):
        return f"{_shown(one[0])} message {one[1]}: {one[2]}"
    return repr(one if len(one) <= _LONG else f"{one[:_LONG]}...")
