"""The chat in the browser, as two workers serve it: streams, repeats, stops, edits, lists."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from support import ROOT

FOLDER = Path(ROOT) / "examples" / "chat"


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of the example, served by two workers over one file."""
    port = free_port()
    path = tmp_path_factory.mktemp("chat") / "chats.db"
    environ = {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
    environ |= {"CHAT_STORE": f"sqlite:///{path}"}
    command = [sys.executable, "-m", "uvicorn", "app:app", "--workers", "2", "--port", str(port)]
    server = subprocess.Popen(command, cwd=FOLDER, env=environ, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/chats")
                break
            except httpx.TransportError:
                assert server.poll() is None
                asyncio.run(asyncio.sleep(0.1))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture
async def client(address):
    async with httpx.AsyncClient(base_url=address, timeout=20) as client:
        yield client


async def answer(client, path, **message):
    """Post a message and return what is streamed, as one text."""
    response = await client.post(path, json=message)
    assert response.status_code == 200, response.text
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line]
    assert events[-1] == {"done": True}
    return "".join(event.get("text", "") for event in events).strip()


async def texts(client, chat):
    found = (await client.get(f"/chats/{chat}")).json()["messages"]
    return ["".join(part.get("text", "") for part in one["parts"]).strip() for one in found]


async def test_a_chat_is_remembered_by_both_workers(client):
    """Each answer knows all that was said, whichever worker writes it; the chat is listed."""
    for count in range(1, 5):
        said = await answer(client, "/chats/one/messages", id=f"m{count}", text=f"word {count}")
        assert said == f"You have said {count} thing(s), and now: word {count}"
    assert len(await texts(client, "one")) == 8
    assert "one" in [chat["id"] for chat in (await client.get("/chats")).json()]


async def test_a_repeated_message_is_answered_once(client):
    """The same id again, at once or later, gets the same answer, and is stored once."""
    message = {"id": "same", "text": "hello"}
    first, second = await asyncio.gather(
        answer(client, "/chats/two/messages", **message),
        answer(client, "/chats/two/messages", **message),
    )
    assert first == second == "You have said 1 thing(s), and now: hello"
    assert len(await texts(client, "two")) == 2
    response = await client.post("/chats/two/messages", json={"id": "same", "text": "other"})
    assert response.status_code == 422


async def test_stopping_keeps_what_was_written(client):
    """Who leaves early stops the agent; what had been written is in the chat."""
    text = "a b c d e f g h i j k l m n o p q r s t u v w x y z " * 3
    async with client.stream(
        "POST", "/chats/three/messages", json={"id": "m", "text": text}
    ) as response:
        async for line in response.aiter_lines():
            if "said" in line:
                break
    for _ in range(100):
        found = await texts(client, "three")
        if found:
            break
        await asyncio.sleep(0.05)
    assert found[0] == text.strip()
    assert found[1].startswith("You have") and not found[1].endswith("z")
    assert "2 thing(s)" in await answer(client, "/chats/three/messages", id="n", text="go on")


async def test_editing_begins_another_chat(client):
    """An edited message goes on from where it stood, in a chat of its own; the old one stays."""
    for count in (1, 2, 3):
        await answer(client, "/chats/four/messages", id=f"m{count}", text=f"word {count}")
    edit = {"id": "e", "text": "else", "turn": 2, "chat": "four-b"}
    assert await answer(client, "/chats/four/edits", **edit) == (
        "You have said 2 thing(s), and now: else"
    )
    assert [text for text in await texts(client, "four-b") if "word" in text][:1] == ["word 1"]
    assert len(await texts(client, "four-b")) == 4
    assert len(await texts(client, "four")) == 6
    first = {"id": "f", "text": "anew", "turn": 1, "chat": "four-c"}
    assert "1 thing(s)" in await answer(client, "/chats/four/edits", **first)
    missing = {"id": "g", "text": "x", "turn": 9, "chat": "four-d"}
    assert (await client.post("/chats/four/edits", json=missing)).status_code == 404


async def test_errors_come_before_the_first_byte(client):
    """What is wrong with a request is a status, and no broken stream."""
    assert (await client.post("/chats/x/messages", json={"text": "x"})).status_code == 422
    assert (await client.get("/")).headers["content-type"].startswith("text/html")
    assert "textContent" in (await client.get("/chat.js")).text
