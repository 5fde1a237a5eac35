"""Converters between memwrap's items and other dialects of messages.

Each adapter is a module with the same three names, and its docstring is its mapping table:

    to_items(messages, *, role="user")   one message or many, a result, the events of a stream
    from_items(items)                    what an agent of that dialect takes
    methods(agent)                       which methods of an agent object remember

No framework is imported until one of its objects is met.
"""

from memwrap.adapters.choose import adapter_for

__all__ = ["adapter_for"]
