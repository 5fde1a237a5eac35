"""The page as people serve it, and a conversation to show, for tests in a browser."""

import asyncio
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from memwrap import store_from_url, with_session
from memwrap.testing import ScriptedAgent

CALL = {"type": "function_call", "call_id": "c", "name": "orders", "arguments": '{"order": 81}'}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": '{"state": "sent"}'}
THOUGHT = {
    "type": "reasoning",
    "id": "r",
    "summary": [{"type": "summary_text", "text": "It may be late."}],
}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwAD"
    "hgGAWjR9awAAAABJRU5ErkJggg=="
)


def run(coroutine):
    """Run a coroutine in a thread of its own: the browser has an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


async def turn(url, *answer, said="Where is my order?", session="late"):
    async with store_from_url(url) as store:
        agent = with_session(ScriptedAgent(list(answer)), store=store)
        await agent(said, session=session)


CODE = """
import sys
from memwrap import store_from_url
from memwrap.web import serve

serve(store_from_url(sys.argv[1], search=True), port=0, read_only=sys.argv[2] == "read")
"""


@contextmanager
def served(url, mode="read"):
    """Serve a store in a process of its own; give the address."""
    command = [sys.executable, "-c", CODE, url, mode]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            yield re.search(r"http://\S+", server.stderr.readline())[0]
        finally:
            server.terminate()
