"""A chat in the browser: FastAPI, answers as they are written, any number of workers.

    pip install "memwrap[openai]" fastapi uvicorn
    uvicorn app:app --workers 2        # in this folder; then open http://127.0.0.1:8000

Without OPENAI_API_KEY a stand-in answers, and no network is needed.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel, Field

from memwrap import (
    ConfigurationError,
    MemwrapError,
    SessionBusy,
    TurnIdReused,
    store_from_url,
    with_session,
)
from memwrap.formats import to_ui
from memwrap.middleware import Memory

HERE = Path(__file__).parent
store = store_from_url(os.environ.get("CHAT_STORE", "sqlite:///chats.db"))
app = FastAPI()


# What had been written is kept when the stop button is pressed or the page is closed.
@with_session(store=store, middleware=[Memory(on_stop="keep_delivered", busy_timeout=5)])
async def agent(items) -> AsyncIterator[str]:
    """Write an answer, word by word."""
    if "OPENAI_API_KEY" in os.environ:
        from openai import AsyncOpenAI

        client = AsyncOpenAI()
        stream = await client.responses.create(model="gpt-5-mini", input=items, stream=True)
        async for event in stream:
            if event.type == "response.output_text.delta":
                yield event.delta
        return
    said = [item["content"] for item in items if item.get("role") == "user"]
    for word in f"You have said {len(said)} thing(s), and now: {said[-1]}".split(" "):
        yield word + " "
        await asyncio.sleep(0.03)


class Message(BaseModel):
    """What the page sends: the id makes a repeated request harmless."""

    id: str = Field(min_length=1, max_length=100)
    text: str = Field(min_length=1, max_length=10_000)


class Edit(Message):
    """A message in place of an earlier one, in a conversation of its own."""

    turn: int = Field(ge=1)
    chat: str = Field(min_length=1, max_length=100)


@app.get("/")
async def page():
    return FileResponse(HERE / "chat.html")


@app.get("/chat.js")
async def script():
    return FileResponse(HERE / "chat.js")


@app.get("/chats")
async def chats(after: str | None = None):
    found = await store.sessions(limit=20, after=after)
    return [{"id": info.session_id, "title": info.title} for info in found]


@app.get("/chats/{chat}")
async def messages(chat: str):
    return {"messages": to_ui(await store.get_items(chat, limit=200))}


@app.post("/chats/{chat}/messages")
async def say(chat: str, message: Message):
    return await answered(chat, message)


@app.post("/chats/{chat}/edits")
async def edit(chat: str, change: Edit):
    """Begin a conversation that is the old one up to a turn, with other words from there on."""
    if change.turn > 1:
        try:
            await store.fork(chat, change.chat, at=change.turn - 1)
        except ConfigurationError:
            raise HTTPException(404, "there is no such chat or turn") from None
    return await answered(change.chat, change)


async def answered(chat: str, message: Message):
    """Answer with the stream, or with an error as long as nothing has been sent."""
    stream = agent(message.text, session=chat, turn_id=message.id)
    try:
        first = await anext(stream, "")
    except SessionBusy:
        raise HTTPException(409, "an answer is being written in this chat") from None
    except TurnIdReused:
        raise HTTPException(422, "this id was used for another message") from None
    except MemwrapError:
        raise HTTPException(503, "the chat cannot be stored now") from None
    return StreamingResponse(events(stream, first), media_type="text/event-stream")


async def events(stream, first):
    """Yield the answer as server-sent events; whoever leaves early stops the agent."""
    try:
        yield event({"text": first})
        async for text in stream:
            yield event({"text": text})
        yield event({"done": True})
    except MemwrapError:
        yield event({"error": "the answer could not be stored"})
    finally:
        await stream.aclose()


def event(data):
    return f"data: {json.dumps(data)}\n\n"
