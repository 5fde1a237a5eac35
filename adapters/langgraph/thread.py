"""The thread that a turn has in a graph's checkpointer, so that nothing is remembered twice.

The conversation is in the session. The checkpointer holds the state of one run, and keeps it only
while the run waits for a person: the turn that answers goes on with that thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

from langchain_core.runnables import ensure_config
from langchain_core.runnables.config import merge_configs
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command

from memwrap.adapters.langchain.runnables import config_of
from memwrap.adapters.langgraph.state import MESSAGES
from memwrap.adapters.pauses import note_pause, pause_before
from memwrap.adapters.second_memory import refuse_second_memory
from memwrap.context import current_turn
from memwrap.exceptions import ConfigurationError
from memwrap.turn import Turn

__all__ = ["OwnThread", "messages_with", "own_thread", "resumes"]

_NAME = "langgraph"
_THREAD = "thread_id"
_STORED = "stored"
_INSIDE = "__pregel_"  # how keys of the config begin that a graph hands to its nodes


def resumes(input: Any) -> bool:
    """Tell whether an input goes on with a run, and begins none."""
    return input is None or isinstance(input, Command)


def messages_with(input: Any) -> Any:
    """Return the messages that a Command adds to the state of its run, or None."""
    update = getattr(input, "update", None)
    return update.get(MESSAGES) if isinstance(update, Mapping) else None


def own_thread(graph: Any, input: Any, config: Any) -> OwnThread | None:
    """Return the thread of a turn; None without a session, or for a graph without a checkpointer.

    Raises:
        ConfigurationError: The checkpointer would remember a second time, or the input goes on
            with a run, and none waits at the end of the session.
    """
    turn = current_turn()
    if turn is None or turn.session is None:
        return None
    waiting = pause_before(turn, _NAME)
    if resumes(input) and (waiting is None or not graph.checkpointer):
        raise ConfigurationError(
            "a Command, or None, goes on with a run that waits for a person, and there is none at"
            f" the end of session {turn.session_id!r}: the graph needs a checkpointer, and nobody"
            " may add to the session in between; with session=None the checkpointer remembers alone"
        )
    if not graph.checkpointer:
        return None
    _refuse_other_thread(graph, turn, config)
    if not isinstance(graph.checkpointer, BaseCheckpointSaver):
        return None
    thread = OwnThread(graph.checkpointer, turn, config, waiting, goes_on=resumes(input))
    if messages_with(input) is not None:  # they are of the turn's input, and in the session too
        thread.stored = None
    return thread


def _refuse_other_thread(graph: Any, turn: Turn, config: Any) -> None:
    """Refuse a thread of the caller's; one of the session's own name is the session."""
    named = config_of(graph, config).get(_THREAD)
    around = ensure_config().get("configurable", {})
    is_inside = any(key.startswith(_INSIDE) for key in around)
    if named is None or (named == turn.session_id and not is_inside):
        return
    way = (
        "leave the thread_id out, and each turn has a thread of its own; or compile the graph"
        " without one, or call it without with_session"
    )
    refuse_second_memory({"a checkpointer with a thread_id": way})


class OwnThread:
    """The thread of one turn.

    Args:
        saver: The checkpointer.
        turn: The turn.
        config: The caller's config.
        waiting: What was noted of the run that waits at the end of the session.
        goes_on: Whether the turn goes on with that run.

    Attributes:
        config: What the graph is called with.
        stored: How many messages of the thread are in the session; None of a new thread.
    """

    def __init__(
        self,
        saver: BaseCheckpointSaver[Any],
        turn: Turn,
        config: Any,
        waiting: Mapping[str, Any] | None,
        *,
        goes_on: bool,
    ) -> None:
        self._saver = saver
        self._turn = turn
        self._waiting = waiting[_THREAD] if waiting else None
        self._goes_on = goes_on
        self._id = self._waiting if goes_on and self._waiting else uuid4().hex
        self.stored = waiting[_STORED] if goes_on and waiting else None
        self.config = merge_configs(config, {"configurable": {_THREAD: self._id}})

    async def afind(self) -> None:
        """Find the run that the turn goes on with.

        Raises:
            ConfigurationError: The checkpointer has it no more.
        """
        if self._goes_on and await self._saver.aget_tuple(self.config) is None:
            raise self._lost()

    def find(self) -> None:
        """Find the run that the turn goes on with; see `afind`."""
        if self._goes_on and self._saver.get_tuple(self.config) is None:
            raise self._lost()

    async def aleave(self, *, has_ended: bool, waits_behind: int | None) -> None:
        """Leave the thread: to a run that waits, or to nobody.

        Args:
            has_ended: Whether the run has ended well.
            waits_behind: Behind how many messages it waits for a person; None if it does not.
        """
        with suppress(NotImplementedError):  # a saver that cannot delete
            for thread in self._left(has_ended=has_ended, waits_behind=waits_behind):
                await self._saver.adelete_thread(thread)

    def leave(self, *, has_ended: bool, waits_behind: int | None) -> None:
        """Leave the thread; see `aleave`."""
        with suppress(NotImplementedError):
            for thread in self._left(has_ended=has_ended, waits_behind=waits_behind):
                self._saver.delete_thread(thread)

    def _left(self, *, has_ended: bool, waits_behind: int | None) -> set[str]:
        """Return the threads that nobody needs any more; note the one that waits."""
        if not has_ended:  # the run that waited can be gone on with again
            return {self._id} - {self._waiting}
        threads = {self._id, *([self._waiting] if self._waiting else [])}
        if waits_behind is None:
            return threads
        note_pause(self._turn, _NAME, {_THREAD: self._id, _STORED: waits_behind})
        return threads - {self._id}

    def _lost(self) -> ConfigurationError:
        return ConfigurationError(
            f"the run that waits at the end of session {self._turn.session_id!r} is not in the"
            " graph's checkpointer; use one that lasts, and the same in all processes"
        )
