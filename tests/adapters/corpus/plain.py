"""Items as they are."""

from corpus.contract import EDITED, SECRET, TEXT, TOOLS, Corpus

from memwrap.adapters import plain

MALFORMED = [
    {"content": SECRET},
    {"object": "response", "output": [SECRET]},
    {"type": "response.completed", "response": {"output": [SECRET]}},
    {"type": "response.output_text.delta", "delta": [SECRET]},
]

CORPUS = Corpus(
    plain,
    text=TEXT,
    tools=TOOLS,
    rich=[{"role": "user", "content": f"It is {EDITED}.", "provider_data": {"theirs": {"a": 1}}}],
    malformed=MALFORMED,
)
