"""Converters between memwrap's items and other dialects of messages.

Each adapter is a module with the same names, and its docstring is its mapping table:

    to_items(messages, *, role="user")   one message or many, a result, the events of a stream
    from_items(items)                    what an agent of that dialect takes
    methods(agent)                       how an agent object of that dialect is run

No framework is imported until one of its objects is met.
"""

from memwrap.adapters.openai_objects import looks_like_chat as _looks_like_chat
from memwrap.adapters.openai_objects import looks_like_response as _looks_like_response
from memwrap.dialects import adapter_for

__all__ = ["DIALECTS", "LIKE", "NAMES", "SETTINGS", "adapter_for"]

DIALECTS = {
    "agent_framework": ("agent_framework", "HistoryProvider"),
    "agents": ("openai_agents", "RunResult"),
    "anthropic": ("anthropic", "AsyncAnthropic"),
    "google.adk": ("adk", "Runner"),
    "google.genai.types": ("genai", "Content"),
    "langchain": ("langchain", ""),
    "langchain_core": ("langchain", ""),
    "langgraph": ("langgraph", ""),
    "llama_index": ("llama_index", "core"),
    "openai.types.chat": ("chat", ""),
    "openai.types.responses": ("plain", ""),
    "strands": ("strands", "Agent"),
    "pydantic_ai": ("pydantic_ai", "Agent"),
    "workflows.events": ("llama_index", "HumanResponseEvent"),
    "workflows.handler": ("llama_index", "WorkflowHandler"),
}
"""The module that defines a type, and the adapter for its objects: the adapter's name, and a name
that the module has if it is the framework's and no namesake."""

LIKE = {"chat": _looks_like_chat, "plain": _looks_like_response}
"""Adapters for objects of any other module, and what tells that an object is one of theirs."""

NAMES = frozenset({"plain", *(name for name, _ in DIALECTS.values())})
"""The adapters, and so the names under which memwrap hides data in items."""

SETTINGS = "agents.memory.SessionSettings"
"""The class of settings that runners take from a session, where it has been imported."""
