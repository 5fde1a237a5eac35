"""The page over a store: what it shows, to whom, and what it refuses."""

import asyncio
import json
import re
import subprocess
import sys
from html import unescape
from urllib.parse import quote, urlencode

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from support import CALL, OUTPUT, REASONING, query

from memwrap import ConfigurationError, InMemoryStore, SQLiteStore, store_from_url, with_session
from memwrap.formats import FORMATS
from memwrap.items import assistant, user
from memwrap.testing import ScriptedAgent
from memwrap.web import app, bundle
from memwrap.web.views import MOST_ITEMS

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) \"'>"
ODD = ["a/b", "q?a=1&b#c", "ä ö", "..", "%2F", '"><script>', "\u202eright"]
SAME = {"sec-fetch-site": "same-origin"}


async def fill(store, session_id="s", turns=2):
    agent = with_session(ScriptedAgent(*[f"answer {n}" for n in range(turns)]), store=store)
    for number in range(turns):
        await agent(f"question {number}", session=session_id, turn_id=f"t{number}")


def at(session_id, path="/session", **more):
    return f"{path}?{urlencode({'id': session_id, **more})}"


@pytest.fixture(params=["memory", "sqlite", "postgres", "redis"])
def store(request, tmp_path):
    """A store of each kind."""
    if request.param == "memory":
        return InMemoryStore(search=True)
    if request.param == "sqlite":
        return SQLiteStore(tmp_path / "a.db", search=True)
    return store_from_url(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def memory():
    return InMemoryStore(search=True)


@pytest.fixture
async def client(memory):
    async with client_of(memory) as client:
        yield client


def client_of(store, **options):
    transport = httpx.ASGITransport(app(store, **options))
    return httpx.AsyncClient(transport=transport, base_url="http://page")


async def test_every_kind_of_store_is_shown(store):
    """List, transcript, newest part, search and exports are there for every kind of store."""
    async with store:
        await fill(store, "late")
        await store.update("late", title="Late order", owner="ann", tags=["vip"])
        await store.fork("late", "late/2", at=1)
        async with client_of(store, read_only=False) as client:
            listed = (await client.get("/?owner=ann")).text
            assert listed.count("Late order") == 2
            shown = (await client.get(at("late"))).text
            assert [shown.index(f"question {n}") for n in (0, 1)] == sorted(
                shown.index(f"question {n}") for n in (0, 1)
            )
            assert 'id="turn-2"' in shown
            assert "Forked from" in (await client.get(at("late/2"))).text
            for name in FORMATS:
                found = await client.get(at("late", "/export", format=name))
                assert "question 1" in found.text
                assert found.headers["content-disposition"].startswith("attachment")
            await client.post(
                at("late", "/change"), data={"what": "rename", "title": "New"}, headers=SAME
            )
            assert (await store.info("late")).title == "New"
            await client.post(at("late", "/change"), data={"what": "undo"}, headers=SAME)
            assert len(await store.turns("late")) == 1
            await client.post(at("late", "/change"), data={"what": "delete"}, headers=SAME)
            assert await store.info("late") is None
            assert (await client.get(at("late"))).status_code == 404


async def test_an_empty_store_says_so(client):
    """A store without conversations has a page that tells what will be there."""
    assert "No conversations yet" in (await client.get("/")).text


@pytest.mark.parametrize("session_id", ODD)
async def test_any_id_has_an_address(client, memory, session_id):
    """Ids of any characters are listed, linked to, exported and escaped."""
    await fill(memory, session_id)
    page = (await client.get("/")).text
    (link,) = [unescape(one) for one in re.findall(r'href="(/session[^"]*)"', page)]
    shown = await client.get(link)
    assert (shown.status_code, "answer 1" in shown.text) == (200, True)
    assert "<script>" not in page + shown.text
    exported = await client.get(at(session_id, "/export", format="jsonl"))
    assert json.loads(exported.text.splitlines()[0])["session"] == session_id
    assert quote(session_id, safe="") in exported.headers["content-disposition"]


async def test_content_is_text(client, memory):
    """Nothing that somebody said becomes markup, a script, or a request to elsewhere."""
    call = {**CALL, "name": EVIL, "arguments": json.dumps(EVIL)}
    picture = {
        "role": "user",
        "content": [
            {"type": "input_image", "image_url": "https://elsewhere/x.png", "detail": "auto"},
            {"type": "input_image", "image_url": 'data:image/png;base64,A"><b>', "detail": "auto"},
        ],
    }
    thought = {**REASONING, "summary": [{"type": "summary_text", "text": EVIL}]}
    items = [user(EVIL), thought, call, {**OUTPUT, "output": EVIL}, assistant(EVIL), picture]
    await memory.session("s").add_items(items)
    await memory.update("s", title=EVIL, owner=EVIL, tags=[EVIL])
    for path in ("/", at("s"), "/search?q=alert", at("s", "/newest", after=0)):
        text = (await client.get(path)).text
        assert "<script>alert" not in text and "<img src=x" not in text
        assert 'href="javascript:' not in text
        assert 'src="https://' not in text and "<b>" not in text


async def test_long_conversations_are_shown_in_pages(client, memory):
    """The newest turns come first, older ones page by page; each turn once, in whole turns."""
    count = 2 * MOST_ITEMS
    await fill(memory, turns=count)
    link, pages = at("s"), []
    while link:
        text = (await client.get(link)).text
        pages.append([int(number) for number in re.findall(r'id="turn-(\d+)"', text)])
        assert text.count("question ") == len(pages[-1])
        links = re.findall(r'href="(/session[^"]*before[^"]*)"', text)
        link = unescape(links[0]) if links else None
    assert len(pages) > 3
    assert [number for page in reversed(pages) for number in page] == [*range(1, count + 1)]


async def test_turns_show_up_as_they_are_stored(client, memory):
    """An open page asks for what is new, and gets it once."""
    await fill(memory)
    shown = (await client.get(at("s"))).text
    (link,) = [unescape(one) for one in re.findall(r'hx-get="([^"]*)"', shown)]
    nothing = (await client.get(link)).text
    assert "<article" not in nothing and 'hx-trigger="every 2s"' in nothing
    await with_session(ScriptedAgent("news"), store=memory)("more", session="s")
    more = (await client.get(link)).text
    assert "news" in more and "question" not in more
    (link,) = [unescape(one) for one in re.findall(r'hx-get="([^"]*)"', more)]
    assert "<article" not in (await client.get(link)).text
    await fill(memory, turns=2 * MOST_ITEMS)
    assert (await client.get(link)).headers["hx-refresh"] == "true"


async def test_lists_go_on(client, memory):
    """More conversations than fit a page are on the next, none twice."""
    for number in range(120):
        await memory.session(f"s{number}").add_items([user("x")])
    link, found = "/", []
    while link:
        text = (await client.get(link)).text
        found += re.findall(r">(s\d+)</a>", text)
        links = re.findall(r'href="(/\?[^"]*after[^"]*)"', text)
        link = unescape(links[0]) if links else None
    assert sorted(found) == sorted(f"s{number}" for number in range(120))


async def test_damaged_rows_are_told(tmp_path):
    """A page with damaged rows shows the rest, and says how many are left out."""
    path = tmp_path / "a.db"
    async with SQLiteStore(path) as store:
        await fill(store)
    query(path, "UPDATE agent_messages SET message_data = 'no' WHERE id = 2")
    async with SQLiteStore(path) as store, client_of(store) as client:
        text = (await client.get(at("s"))).text
    assert "1 damaged row" in text and "answer 1" in text and "answer 0" not in text


async def test_a_store_that_is_away_is_told(tmp_path):
    """A store that cannot be read is a page with the reason, and no traceback."""
    path = tmp_path / "a.db"
    path.write_text("no database" * 100)
    async with SQLiteStore(path) as store, client_of(store) as client:
        answer = await client.get("/")
    assert answer.status_code == 503
    assert "store cannot be read" in answer.text and "Traceback" not in answer.text


async def test_wrong_addresses(client, memory):
    """Unknown conversations, formats and changes are 404, and wrong numbers 400."""
    await fill(memory)
    for path, code in (
        (at("x"), 404),
        ("/session", 404),
        (at("s", "/export", format="word"), 404),
        (at("s", before="x"), 400),
        ("/?after=nobody", 400),
        ("/nothing", 404),
    ):
        assert (await client.get(path)).status_code == code, path


async def test_read_only_changes_nothing(client, memory):
    """Without being told otherwise the page changes nothing, and offers no change."""
    await fill(memory)
    assert "delete" not in (await client.get(at("s"))).text
    answer = await client.post(at("s", "/change"), data={"what": "delete"}, headers=SAME)
    assert answer.status_code == 404
    assert await memory.info("s") is not None


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 403),
        ({"origin": "http://elsewhere"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://page"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://page"}, 303),
        (SAME, 303),
    ],
)
async def test_only_the_page_itself_changes(memory, headers, code):
    """A form of another page changes nothing."""
    await fill(memory)
    async with client_of(memory, read_only=False) as client:
        data = {"what": "undo"}
        answer = await client.post(at("s", "/change"), data=data, headers=headers)
    assert answer.status_code == code
    assert len(await memory.turns("s")) == (1 if code == 303 else 2)


async def test_the_token_opens_the_page(memory):
    """Without the token nothing is shown; with it a cookie is set, and the address loses it."""
    await fill(memory)
    async with client_of(memory, token="secret") as client:
        for path in ("/", "/?token=wrong", "/static/style.css", at("s")):
            assert (await client.get(path)).status_code == 403
        entered = await client.get(at("s", token="secret"))
        assert (entered.status_code, entered.headers["location"]) == (303, at("s"))
        cookie = entered.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie
        assert (await client.get(at("s"))).status_code == 200


async def test_other_hosts_are_refused(memory):
    """A name that somebody points at this machine does not open the page."""
    async with client_of(memory, hosts={"127.0.0.1:1"}) as client:
        assert (await client.get("/")).status_code == 403
        assert (await client.get("/", headers={"host": "127.0.0.1:1"})).status_code == 200


async def test_headers_of_every_answer(client, memory):
    """Pages load nothing from elsewhere, and nothing keeps them."""
    await fill(memory)
    for path in ("/", at("s"), "/nothing", "/static/htmx.min.js"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    text = (await client.get(at("s"))).text
    assert not re.search(r"<script(?! src=)|\son\w+=|style=", text)


def test_mounted_in_another_application():
    """Below a path of another application all links stay below it."""
    store = InMemoryStore()
    asyncio.run(fill(store))
    outer = Starlette(routes=[Mount("/admin/chats", app(store))])
    with TestClient(outer) as client:
        page = client.get("/admin/chats/").text
        links = re.findall(r'(?:href|src|action|hx-get)="(?!data:)([^"#][^"]*)"', page)
        assert links and all(link.startswith("/admin/chats/") for link in links)
        for link in links:
            assert client.get(unescape(link)).status_code == 200, link


def test_wrong_use():
    """The page shows a store of memwrap, and says so otherwise."""
    with pytest.raises(ConfigurationError, match="store of memwrap"):
        app(object())


def test_without_the_packages():
    """Without the extra the error has the line that installs it."""
    code = (
        "import sys\n"
        "for name in ('starlette', 'uvicorn', 'jinja2'): sys.modules[name] = None\n"
        "import memwrap.web\n"
        "for name in ('app', 'serve', 'bundle'):\n"
        "    try: getattr(memwrap.web, name)(None)\n"
        "    except Exception as exc: print(type(exc).__name__, exc)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.count('pip install "memwrap[web]"') >= 2, done.stdout + done.stderr


async def test_a_bundle_needs_no_server(memory, tmp_path):
    """A folder of files has every conversation, and its links lead to them."""
    for session_id in [*ODD, "A", "a"]:
        await fill(memory, session_id)
    assert await bundle(memory, tmp_path / "out") == len(ODD) + 2
    index = (tmp_path / "out" / "index.html").read_text()
    links = re.findall(r'href="(s/[^"]+)"', index)
    assert len({link.lower() for link in links}) == len(ODD) + 2
    for link in links:
        text = (tmp_path / "out" / unescape(link)).read_text()
        assert "answer 1" in text and "<script" not in text
