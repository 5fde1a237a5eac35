"""Graphs whose model may be of any provider: an adapter to pass to `memwrap.with_session`.

As `memwrap.adapters.langgraph`, with the messages of `memwrap.adapters.langchain.portable`.
"""

from functools import partial
from typing import Any

from memwrap.adapters.langgraph import graphs, state
from memwrap.adapters.langgraph.state import answer, to_items
from memwrap.dialects import Methods

__all__ = ["answer", "from_items", "methods", "to_items"]

from_items = partial(state.from_items, style="portable")


def methods(agent: Any) -> Methods | None:
    """Return how a graph is run; None for other objects."""
    return graphs.methods(agent, from_items=from_items)
