"""What it takes to say that two messages or lists of items are the same, to the type."""

import json


def written(value):
    """Return a value as a text that tells 1 from 1.0 and true, whatever the order of keys."""
    if isinstance(value, dict):
        return sorted((repr(key), written(member)) for key, member in value.items())
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(written, value)]
    if isinstance(value, (set, frozenset)):
        return [type(value).__name__, *sorted(map(written, value))]
    return [type(value).__name__, repr(value)]


def whole(message):
    """Return all that a message is."""
    fields = {**message.__dict__, **(message.model_extra or {})}
    return type(message).__name__, written(fields)


def stored(items):
    """Return items as a store gives them back."""
    return json.loads(json.dumps(items))


def seen(items):
    """Return items without what is hidden in them."""
    return [{key: item[key] for key in item if key != "provider_data"} for item in items]


def hidden(items):
    """Return what is hidden in items."""
    return [item["provider_data"] for item in items if "provider_data" in item]


def strings(value):
    """Yield the strings of a value, those in JSON too."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for member in value:
            yield from strings(member)
    elif isinstance(value, str):
        yield value
        if value[:1] in ("{", "["):
            try:
                yield from strings(json.loads(value))
            except ValueError:
                pass
