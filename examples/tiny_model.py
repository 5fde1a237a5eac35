"""A stand-in for a language model: it knows only what is in the messages that it is shown."""

import re
from collections.abc import Iterable


def answer(said: Iterable[str]) -> str:
    """Answer the last thing the user said from all that the user said."""
    facts: dict[str, str] = {}
    last = ""
    for last in said:
        for fact, value in re.findall(r"my (\w+) is (\w+)", last, re.IGNORECASE):
            facts[fact.lower()] = value
    asked = re.search(r"what(?:'s| is) my (\w+)", last, re.IGNORECASE)
    if not asked:
        return f"Noted. I know {len(facts)} thing{'s' * (len(facts) != 1)} about you."
    fact = asked[1].lower()
    if fact in facts:
        return f"Your {fact} is {facts[fact]}."
    return f"You have not told me your {fact}."
