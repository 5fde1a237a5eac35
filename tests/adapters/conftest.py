"""What the tests of adapters share."""

import json

import httpx2
import openai
import pytest
from corpus.server_sent import server_sent


@pytest.fixture
async def client():
    """Make a client of the openai package that gets these replies; lists are streamed.

    The bodies of the requests it makes are in its attribute ``bodies``.
    """
    made = []

    def make(*replies):
        left = iter(replies)
        bodies = []

        def reply(request):
            bodies.append(json.loads(request.content))
            answer = next(left)
            if isinstance(answer, list):
                headers = {"content-type": "text/event-stream"}
                return httpx2.Response(200, headers=headers, text=server_sent(answer))
            return httpx2.Response(200, json=answer)

        transport = httpx2.MockTransport(reply)
        http_client = httpx2.AsyncClient(transport=transport)
        made.append(openai.AsyncOpenAI(api_key="key", http_client=http_client))
        made[-1].bodies = bodies
        return made[-1]

    yield make
    for one in made:
        await one.close()
