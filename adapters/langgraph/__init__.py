"""LangGraph's compiled graphs with a ``messages`` key, agents of ``create_agent`` among them.

| message                                  | items                                            |
|------------------------------------------|--------------------------------------------------|
| ``{"messages": ...}`` as input           | its messages; the state's other keys are passed  |
|                                          | on to the graph, and not stored                  |
| messages, ``str``, items                 | as in `memwrap.adapters.langchain`               |
| what a run returns, or streams           | the messages that it added, as they were when a  |
|                                          | step had ended: tool traffic is among them, and  |
|                                          | those that a later step summarised away          |

Not stored are a run's changes of the history and input that it was given (a redaction of it by
LangChain's middleware is one), messages that it put before its input, and summaries
(``lc_source``): the store keeps what was said. A message of the run, or of its input, that a
``RemoveMessage`` takes back by its id was not said. A run that is left early may keep what it had
added by then, and the text of the message that was under way.

The way back is ``{"messages": [...]}``; a ``RemoveMessage`` has been applied to it, and of two
messages with one id the second has none, or the graph would replace the first. A turn has a thread
of its own in a graph's checkpointer (`memwrap.adapters.langgraph.thread`); any other would remember
a second time, and is refused. For models of another provider
than the one that a history came from there is `memwrap.adapters.langgraph.portable`.
"""

from memwrap.adapters.extras import need as _need

_need("langgraph.pregel", "langgraph")

from memwrap.adapters.langgraph.graphs import methods  # noqa: E402
from memwrap.adapters.langgraph.state import (  # noqa: E402
    GraphState,
    answer,
    from_items,
    to_items,
    usages_in,
)

__all__ = ["GraphState", "answer", "from_items", "methods", "to_items", "usages_in"]
