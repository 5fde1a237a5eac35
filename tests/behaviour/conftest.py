"""What the tests of behaviour share."""

import json

import pytest


@pytest.fixture
async def api():
    """A client of the openai package, and the list of the bodies of its requests."""
    import httpx2  # here, since other tests run without these packages
    import openai
    from corpus.readers import COMPLETION, MESSAGE, RESPONSE

    bodies = []

    def reply(request):
        bodies.append(json.loads(request.content))
        if "messages" in bodies[-1]:
            return httpx2.Response(200, json=COMPLETION)
        message = MESSAGE | {"id": f"msg_{len(bodies)}"}
        return httpx2.Response(200, json=RESPONSE | {"output": [message]})

    transport = httpx2.MockTransport(reply)
    async with httpx2.AsyncClient(transport=transport) as http:
        yield openai.AsyncOpenAI(api_key="key", http_client=http), bodies
