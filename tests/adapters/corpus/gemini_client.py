"""The official client of Gemini over a transport that answers from a list."""

import json

import httpx
from google import genai as google
from google.genai import types


def answer(*parts, finish="STOP", **fields):
    """Return the body of a response with parts as the API writes them."""
    content = {"role": "model", "parts": [{"text": p} if isinstance(p, str) else p for p in parts]}
    candidate = {"index": 0, "content": content} | ({"finishReason": finish} if finish else {})
    return {"candidates": [candidate], **fields}


def called(name, args, **fields):
    """Return the part of a call as the API writes it."""
    return {"functionCall": {"name": name, "args": args} | fields}


class Gemini:
    """A client that gets these replies in their order; lists are streamed.

    Attributes:
        client: The client.
        bodies: What it has requested.
    """

    def __init__(self, *replies):
        self.bodies = []
        self._left = iter(replies)
        transport = httpx.MockTransport(self._reply)
        options = types.HttpOptions(async_client_args={"transport": transport})
        self.client = google.Client(api_key="key", http_options=options)

    def _reply(self, request):
        self.bodies.append(json.loads(request.content))
        reply = next(self._left, answer("Done."))
        if not isinstance(reply, list):
            return httpx.Response(200, json=reply)
        text = "".join(f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in reply)
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=text)

    async def generate(self, contents, **config):
        """Return the response to contents."""
        return await self.client.aio.models.generate_content(
            model="gemini-test", contents=contents, config=config or None
        )

    async def stream(self, contents, **config):
        """Yield the chunks of the response to contents."""
        chunks = await self.client.aio.models.generate_content_stream(
            model="gemini-test", contents=contents, config=config or None
        )
        async for chunk in chunks:
            yield chunk
