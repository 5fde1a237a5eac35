"""Events as the API of OpenAI streams them."""

import json


def server_sent(events):
    """Return events as the API streams them; those of Chat Completions have no name."""
    lines = [
        (f"event: {event['type']}\n" if "type" in event else "") + f"data: {json.dumps(event)}\n\n"
        for event in events
    ]
    return "".join([*lines, "data: [DONE]\n\n"])
