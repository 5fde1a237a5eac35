"""A function around Gemini's client remembers, its calls of tools too; here without a network."""

import asyncio
import json

import httpx
from google import genai as google
from google.genai import types
from tiny_model import answer

from memwrap import InMemoryStore, record, with_session
from memwrap.adapters import genai


def reply(request):  # stands for Gemini
    contents = json.loads(request.content)["contents"]
    parts = [part for one in contents if one["role"] == "user" for part in one["parts"]]
    part = {"text": answer(part["text"] for part in parts if "text" in part)}
    if "time" in parts[-1].get("text", ""):
        part = {"functionCall": {"name": "clock", "args": {}}}
    content = {"role": "model", "parts": [part]}
    return httpx.Response(200, json={"candidates": [{"content": content}]})


transport = {"transport": httpx.MockTransport(reply)}
client = google.Client(api_key="key", http_options=types.HttpOptions(async_client_args=transport))
store = InMemoryStore()


@with_session(store=store, adapter=genai)
async def agent(contents):
    while True:
        response = await client.aio.models.generate_content(model="gemini", contents=contents)
        if not response.function_calls:
            return response
        told = types.Part.from_function_response(name="clock", response={"result": "12:00"})
        added = [response.candidates[0].content, types.Content(role="user", parts=[told])]
        record(added)
        contents = contents + added


async def main():
    await agent("My name is Ada. What time is it?", session="user_123")
    print((await agent("What is my name?", session="user_123")).text)
    print([item.get("type") for item in await store.session("user_123").get_items()])


asyncio.run(main())
