import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
RUNNER = Path(__file__).with_name("run_examples.py")
NAMES = sorted(path.name for path in EXAMPLES.glob("*.py") if path.stem != "tiny_model")

# What shows that the example did what it is about.
SHOWS = {
    "agent_framework_agent.py": "Your name is Ada.",
    "adk_agent.py": "Your name is Ada.",
    "agents_sdk.py": "Your name is Ada.",
    "deep_agent.py": "You told me: My name is Ada.",
    "demo.py": "Your name is Ada.  (Agents SDK agent)",
    "gemini.py": "function_call_output",
    "import_langchain.py": "Your name is Ada.",
    "langchain_runnable.py": "Your city is Turin.",
    "langgraph_agent.py": "function_call_output",
    "layer_budget.py": "260 of Budget(max_tokens=250) is spent",
    "layer_guard.py": "4 items are stored",
    "layer_rate_limit.py": "too many turns",
    "layer_redact.py": "card **** **** **** 1111",
    "layer_fallback.py": "the small model answers, having seen 3 items",
    "layer_retry.py": "assistant - the third attempt answers",
    "layer_usage.py": "in all: 200 in, 60 out",
    "layer_summarize.py": "12 items are stored",
    "layer_timeout.py": "the agent sent nothing for Timeout(between_events=0.1)",
    "layer_trace.py": "invoke_agent agent ada",
    "litellm_function.py": "'I have read 3 message(s).'",
    "llama_index_agent.py": "Your name is Ada.",
    "middleware.py": "My pin is [REDACTED].",
    "one_conversation.py": "Your city is Turin.",
    "pydantic_ai_agent.py": "Your city is Turin.",
    "quickstart.py": "Your name is Ada.",
    "real_model.py": "Set OPENAI_API_KEY",
    "anthropic_function.py": "Your name is Ada.",
    "strands_agent.py": "Your name is Ada.",
    "streaming.py": "stored: 4 items",
}


class Run(NamedTuple):
    """What came of a run of an example."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Each example was run once, the demo twice, and the real model also with a server.

    All ran in one interpreter, whose end is a run too.
    """
    home = tmp_path_factory.mktemp("examples")
    plan = {name: (name, {}) for name in NAMES}
    with chat_server() as (url, requests):
        plan["demo again"] = "demo.py", {}
        server = {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": url}
        plan["a real model"] = "real_model.py", server
        for title, (name, _) in plan.items():
            (home / folder_of(title, name)).mkdir(exist_ok=True)
        told = [
            {"name": name, "folder": str(home / folder_of(title, name)), "environment": more}
            for title, (name, more) in plan.items()
        ]
        report = home / "report.json"
        ended = subprocess.run(
            [sys.executable, "-W", "error", RUNNER, report],
            input=json.dumps(told),
            env={key: value for key, value in os.environ.items() if "OPENAI" not in key},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert report.exists(), ended.stderr
    found = [Run(**one) for one in json.loads(report.read_text())]
    found = dict(zip(plan, found, strict=True))
    return found | {"the end": Run(ended.returncode, ended.stdout, ended.stderr)}, requests


def folder_of(title, name):
    return "demo" if name == "demo.py" else title.replace(" ", "_")


@pytest.mark.parametrize("name", NAMES)
def test_example_runs(name, runs):
    """Each example runs offline, ends well, warns of nothing and shows its point."""
    done = runs[0][name]
    assert (done.code, done.err) == (0, "")
    assert SHOWS.get(name, "") in done.out


def test_examples_leave_nothing_behind(runs):
    """The interpreter that ran them all ends well, and warns of nothing."""
    assert runs[0]["the end"] == (0, "", "")


@pytest.mark.parametrize("name", [name for name in NAMES if name in SHOWS])
def test_example_is_short(name):
    """An example is one idea on one page."""
    most = 80 if name == "demo.py" else 50
    assert len((EXAMPLES / name).read_text().splitlines()) <= most


def test_quickstart_in_an_interpreter_of_its_own(tmp_path):
    """An example is a script: it finds its modules, and prints, when Python is told to run it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / "quickstart.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert SHOWS["quickstart.py"] in done.stdout


def test_demo_remembers_when_run_again(runs):
    """The second run of the demo answers from what was said in the first."""
    first, second = runs[0]["demo.py"], runs[0]["demo again"]
    assert "Ada" not in second.out.split("Your name is")[0]
    assert "My name" in first.out or "my name is Ada" in first.out
    for answer in ("Your name is Ada.", "Your city is Turin.", "Your pet is Minou."):
        assert answer in second.out


@contextmanager
def chat_server():
    """A server of the Chat Completions API that says how many messages it was sent."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append(body["messages"])
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for text in ("I see ", f"{len(body['messages'])} messages."):
                chunk = {
                    "id": "c",
                    "object": "chat.completion.chunk",
                    "created": 0,
                    "model": body["model"],
                    "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
                }
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_real_model_remembers(runs):
    """With a key and a server the real client gets the history and its stream is remembered."""
    found, requests = runs
    done = found["a real model"]
    assert done.code == 0, done.err
    assert "I see 3 messages." in done.out
    assert [message["role"] for message in requests[1]] == ["user", "assistant", "user"]
    assert requests[1][1]["content"] == "I see 1 messages."
