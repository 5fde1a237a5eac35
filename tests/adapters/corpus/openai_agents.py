"""Items as the Agents SDK's runner takes and gives them."""

from corpus.contract import EDITED, SECRET, TEXT, TOOLS, Corpus

from memwrap.adapters import openai_agents

CORPUS = Corpus(
    openai_agents,
    text=TEXT,
    tools=TOOLS,
    rich=[{"role": "user", "content": f"It is {EDITED}.", "provider_data": {"theirs": {"a": 1}}}],
    malformed=[{"content": SECRET}, {"object": "response", "output": [SECRET]}],
    keeps_theirs=True,
)
