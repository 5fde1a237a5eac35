"""What the tests of adapters share."""

import asyncio
import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import openai
import pytest
from corpus.server_sent import server_sent

import memwrap

ROOT = str(Path(memwrap.__file__).parents[1])


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


@pytest.fixture
def unchanged():
    """Convert values and see that the converter left them as they were."""

    def convert(function, values, **options):
        before = copy.deepcopy(values)
        result = function(values, **options)
        assert values == before
        return result

    return convert


@pytest.fixture
def thread_loop():
    """The loop that `Runner.run_sync` takes, which it would make itself and leave open."""
    with asyncio.Runner() as runner:
        yield runner.get_loop()


@pytest.fixture
def script(tmp_path):
    """Run code in an interpreter of its own, in an empty folder; return what it printed."""

    def run(code):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            env={**os.environ, "PYTHONPATH": ROOT},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.stderr, done.returncode) == ("", 0)
        return done.stdout

    return run
