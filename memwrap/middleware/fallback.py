"""Call another agent when one has failed."""

from __future__ import annotations

from typing import Any

from memwrap.checks import check_errors
from memwrap.exceptions import ConfigurationError
from memwrap.middleware.retry import Errors, knows
from memwrap.middleware.stand_in import StandIn
from memwrap.turn import Event, Handler, Send, Turn

__all__ = ["Fallback"]


class Fallback:
    """Call other agents, one after the other, when the agent fails before its first event.

    What a failed agent recorded is gone. All of it is one turn with one lease, and one commit.
    When all have failed, the caller gets the last error. Layers inside run again for each agent.

    An agent is a function, or an object of a framework that memwrap knows; it may be of another
    dialect than the first one. It gets history and input, and the caller's other arguments.

    Args:
        *agents: The other agents, without memory of their own.
        on: Which errors make the next agent try.

    Raises:
        ConfigurationError: There is no other agent, one cannot be called or remembers itself, or
            ``on`` knows no errors.
    """

    within_memory = True

    def __init__(self, *agents: Any, on: Errors = Exception) -> None:
        check_errors("Fallback", on)
        if not agents:
            raise ConfigurationError("Fallback needs an agent, as in Fallback(small_model)")
        self.on = on
        self._agents = [StandIn(agent) for agent in agents]

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn with the first agent that answers.

        Raises:
            ConfigurationError: Another agent cannot stand in for the first one.
        """
        has_left = False

        async def forward(event: Event) -> None:
            nonlocal has_left
            has_left = True
            await send(event)

        run = turn.run
        others = iter(self._agents)
        first = run.agent, run.adapter, run.put_back
        while True:
            try:
                await handler(turn, forward)
            except Exception as exc:
                other = None if has_left or not knows(self.on, exc) else next(others, None)
                if other is None:
                    run.agent, run.adapter, run.put_back = first  # for a layer that tries again
                    raise
                run.agent, run.adapter, run.put_back = other.instead_of(turn, *first)
            else:
                return
