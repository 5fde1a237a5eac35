"""What LangChain's own chat models send of a remembered, trimmed history is what providers take."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest
from corpus.exactness import seen, strings
from corpus.langchain import CONVERSATIONS, ITEM_CONVERSATIONS, turns
from corpus.langchain_blocks import DOT64, DOT_URL, PAGE_URL, WEB
from corpus.langchain_bodies import check, of_anthropic, of_chat, of_responses
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI

from memwrap import InMemorySession, with_session
from memwrap.adapters import langchain
from memwrap.adapters.langchain import portable
from memwrap.middleware import Trim

TEXT = {"type": "output_text", "text": "Done.", "annotations": []}
SAID = {"type": "message", "id": "msg_z", "role": "assistant", "status": "completed"}
USAGE = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
RESPONSE = {
    "id": "resp_z",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "output": [SAID | {"content": [TEXT]}],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "status": "completed",
}
CHOICE = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Done."}}
COMPLETION = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
COMPLETION |= {"choices": [CHOICE]}
MESSAGE = {"id": "msg_z", "type": "message", "role": "assistant", "model": "m", "usage": USAGE}
MESSAGE |= {"content": [{"type": "text", "text": "Done."}], "stop_reason": "end_turn"}


@pytest.fixture
def openai_model():
    """Make a ChatOpenAI whose requests go nowhere, and the list of their bodies."""
    clients = []

    def make(**options):
        bodies = []

        def reply(request):
            bodies.append(json.loads(request.content))
            is_chat = request.url.path.endswith("/chat/completions")
            return httpx2.Response(200, json=COMPLETION if is_chat else RESPONSE)

        clients.append(httpx2.Client(transport=httpx2.MockTransport(reply)))
        return ChatOpenAI(model="gpt-5", api_key="key", http_client=clients[-1], **options), bodies

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def anthropic_model():
    """Make a ChatAnthropic that talks to this machine only, and the list of its bodies."""
    bodies = []

    class Stub(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            answer = json.dumps(MESSAGE).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()  # of HTTP/1.0: the connection is closed behind the answer
            self.wfile.write(answer)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Stub) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield ChatAnthropic(model="claude-test", api_key="key", base_url=url, max_tokens=9), bodies
        server.shutdown()
        thread.join()


def texts(items):
    """Return the longer texts that items say, which are all different in these conversations."""
    marks = ("Question", "Output", "Answer", "Ahoy", "Six")
    return [one for item in items for one in strings(seen([item])) if one.startswith(marks)]


def turn(model, bodies, items, limit=None, adapter=langchain):
    """Run a turn with a history; return the body of its request and what it has to say."""
    session = InMemorySession("s")
    asyncio.run(session.add_items(items))
    shown = []

    async def spy(turn, send, handler):
        shown.extend(turn.history)
        await handler(turn, send)

    layers = [limit, spy] if limit else [spy]
    agent = with_session(model, adapter=adapter, session=session, middleware=layers)
    assert agent.invoke("And tomorrow?").text == "Done."
    return bodies.pop(), texts(shown)


def limits(items):
    yield None
    yield from (Trim(max_items=n) for n in range(len(items) + 1))
    yield from (Trim(max_turns=n) for n in range(6))


LONG = {
    "tools": turns(4, calls=2),
    "thoughtful tools": turns(4, calls=2, thoughtful=True),
    "odd ids": turns(3, call_id="functions.tide:{0}-{1}"),
    "cut short": turns(3, thoughtful=True)[:-2],
    "small talk": [SystemMessage("Be kind."), HumanMessage("Question"), AIMessage("Answer")],
}
LONG_ITEMS = {name: langchain.to_items(messages) for name, messages in LONG.items()}


def loop(number):
    """Return what the Responses API says in a turn that calls two tools, one after the other."""
    said = {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed"}
    text = {"type": "output_text", "text": f"Answer {number}.", "annotations": []}
    items = [{"role": "user", "content": f"Question {number}?"}]
    for call_id in (f"call_{number}_1", f"call_{number}_2"):
        call = {"type": "function_call", "id": f"fc_{call_id}", "call_id": call_id, "name": "tide"}
        items += [
            {"type": "reasoning", "id": f"rs_{call_id}", "summary": [], "encrypted_content": "gA"},
            call | {"arguments": '{"port":"Kiel"}', "status": "completed"},
            {"type": "function_call_output", "call_id": call_id, "output": f"Output {call_id}"},
        ]
    return [*items, said | {"content": [text]}]


LONG_ITEMS["loops"] = [item for number in range(4) for item in loop(number)]
LONG_ITEMS["parallel loops"] = [
    item
    for number in range(3)
    for item in [loop(number)[place] for place in (0, 1, 2, 4, 5, 3, 6, 7)]
]
each_history = pytest.mark.parametrize("name", LONG_ITEMS)


@each_history
def test_bodies_for_the_responses_api(name, openai_model):
    """Each cut of a history is sent to the Responses API whole: calls, outputs and reasoning."""
    model, bodies = openai_model(use_responses_api=True, output_version="responses/v1")
    for limit in limits(LONG_ITEMS[name]):
        body, said = turn(model, bodies, LONG_ITEMS[name], limit)
        check(body, of_responses(body), said)


@each_history
def test_bodies_for_chat_completions(name, openai_model):
    """Each cut of a history is sent to Chat Completions with its calls and outputs together."""
    model, bodies = openai_model(use_responses_api=False)
    for limit in limits(LONG_ITEMS[name]):
        body, said = turn(model, bodies, LONG_ITEMS[name], limit, portable)
        check(body, of_chat(body), said)
        for before, after in zip(body["messages"], body["messages"][1:], strict=False):
            if before.get("tool_calls"):
                assert after["role"] == "tool"


@each_history
def test_bodies_for_anthropic(name, anthropic_model):
    """Each cut of a history is sent to Anthropic with each call answered in the next message."""
    model, bodies = anthropic_model
    for limit in limits(LONG_ITEMS[name]):
        body, said = turn(model, bodies, LONG_ITEMS[name], limit, portable)
        check(body, of_anthropic(body), said)
        assert "thinking" not in json.dumps(body)


def test_texts_of_the_histories():
    """The histories of the tests before say many different texts."""
    for items in LONG_ITEMS.values():
        said = texts(items)
        assert len(set(said)) == len(said) >= 2


@pytest.mark.parametrize(
    "name", ["patch", "approval", "custom", "screen", "search", "tools added", "compacted"]
)
def test_hosted_items_reach_the_responses_api(name, openai_model):
    """What the Responses API said comes to it again as it was, in the order that it was in."""
    model, bodies = openai_model(use_responses_api=True)
    items = ITEM_CONVERSATIONS[name]
    body, _ = turn(model, bodies, items)
    check(body, of_responses(body), [])
    sent = body["input"][:-1]
    assert [item.get("type", "message") for item in sent] == [
        item.get("type", "message") for item in items
    ]
    for item, one in zip(items, sent, strict=True):
        if item.get("type", "message") != "message":
            assert one == {key: item[key] for key in one}


CONTENT = [
    {"type": "input_text", "text": "Which?"},
    {"type": "input_image", "image_url": DOT_URL, "detail": "auto"},
    {"type": "input_image", "image_url": WEB, "detail": "low"},
    {"type": "input_file", "file_data": PAGE_URL, "filename": "tides.pdf"},
]
PICTURED = [
    {"role": "user", "content": CONTENT},
    {"type": "function_call", "call_id": "c", "name": "tide", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": CONTENT},
]


def test_pictures_reach_openai(openai_model):
    """Pictures and files of items are sent to OpenAI's APIs, with the detail that was asked for."""
    model, bodies = openai_model(use_responses_api=True)
    body, _ = turn(model, bodies, PICTURED)
    for content in (body["input"][0]["content"], body["input"][2]["output"]):
        assert [part | {"detail": "auto"} for part in content[1:2]] == CONTENT[1:2]
        assert [content[0], *content[2:]] == [CONTENT[0], *CONTENT[2:]]
    model, bodies = openai_model(use_responses_api=False)
    body, _ = turn(model, bodies, PICTURED, adapter=portable)
    for message in (body["messages"][0], body["messages"][2]):
        _, dot, low, page = message["content"]
        assert dot["image_url"]["url"] == DOT_URL
        assert low["image_url"] == {"url": WEB, "detail": "low"}
        assert page["file"] == {"file_data": PAGE_URL, "filename": "tides.pdf"}


def test_pictures_reach_anthropic(anthropic_model):
    """Pictures and files of items are sent to Anthropic, those in a tool's output too."""
    model, bodies = anthropic_model
    body, _ = turn(model, bodies, PICTURED, adapter=portable)
    for content in (body["messages"][0]["content"], body["messages"][2]["content"][0]["content"]):
        _, dot, web, page = (block.get("source") for block in content)
        assert dot == {"type": "base64", "media_type": "image/png", "data": DOT64}
        assert web == {"type": "url", "url": WEB}
        assert (page["type"], page["media_type"]) == ("base64", "application/pdf")


def test_failed_tools_stay_failed(anthropic_model):
    """Anthropic is told that a tool failed, also after an edit of its output."""
    model, bodies = anthropic_model
    calling = AIMessage("", tool_calls=[{"name": "tide", "args": {}, "id": "c"}])
    failed = ToolMessage("No port 4711.", tool_call_id="c", status="error")
    for adapter in (langchain, portable):
        items = langchain.to_items([HumanMessage("Question"), calling, failed])
        items[-1] |= {"output": "No port."}
        body, _ = turn(model, bodies, items, adapter=adapter)
        (block, *_) = body["messages"][2]["content"]
        assert (block["is_error"], block["content"]) == (True, "No port.")


@pytest.mark.parametrize("adapter", [langchain, portable])
def test_other_providers_messages(adapter, openai_model, anthropic_model):
    """A conversation with turns of several providers goes on with each of them."""
    history = [SystemMessage("Be kind."), *CONVERSATIONS["mixed providers"]]
    items = langchain.to_items(history)
    if adapter is portable:
        model, bodies = anthropic_model
        check((body := turn(model, bodies, items, adapter=adapter)[0]), of_anthropic(body), [])
        model, bodies = openai_model(use_responses_api=False)
        check((body := turn(model, bodies, items, adapter=adapter)[0]), of_chat(body), [])
    model, bodies = openai_model(use_responses_api=True)
    body, _ = turn(model, bodies, items, adapter=adapter)
    assert "memwrap" not in json.dumps(body)
