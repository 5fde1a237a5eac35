"""The states of the page, in a real browser."""

import sqlite3
from contextlib import closing

import pytest
from served_page import CALL, OUTPUT, PIXEL, THOUGHT, run, served, turn

from memwrap import SQLiteStore, store_from_url
from memwrap.items import assistant, user


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/chats.db"


@pytest.fixture
def filled(url):
    run(turn(url, THOUGHT, CALL, OUTPUT, assistant("It was **sent**.")))
    return url


def test_an_empty_store(page, url):
    """An empty store says what will be there."""
    with served(url) as address:
        page.goto(address)
        assert "No conversations yet" in page.inner_text("main")
        assert "token" not in page.url


def test_a_transcript(page, filled):
    """Calls and reasoning are folded, and open by a click; Markdown is shown as such."""
    with served(filled) as address:
        page.goto(address)
        page.click("text=late")
        assert page.inner_text("strong") == "sent"
        call = page.locator("details.call")
        assert not call.locator("pre").first.is_visible()
        call.locator("summary").click()
        assert '"order": 81' in call.locator("pre").first.inner_text()
        page.click("text=Turn 1")
        assert page.url.endswith("#turn-1")


def test_live(page, filled):
    """A turn shows up in an open page when it is stored."""
    with served(filled) as address:
        page.goto(address)
        page.click("text=late")
        run(turn(filled, assistant("It has arrived."), said="And now?"))
        page.wait_for_selector("text=It has arrived.", timeout=10_000)
        assert page.locator("article").count() == 2
        assert page.locator("li.newest").count() == 1


def test_ten_thousand_turns(page, url):
    """A long conversation opens at once, and older turns are a click away."""

    async def fill():
        async with SQLiteStore(url.removeprefix("sqlite:///")) as store:
            session = store.session("long")
            items = [item for n in range(10_000) for item in (user(f"q{n}"), assistant(f"a{n}"))]
            await session.add_items(items)

    run(fill())
    with served(url) as address:
        page.goto(address)
        page.click("text=long")
        assert "a9999" in page.inner_text("main")
        assert page.locator("article").count() <= 200
        page.click("text=Older turns")
        assert "a9999" not in page.inner_text("main")
        page.click("text=Newest turns")
        assert "a9999" in page.inner_text("main")


def test_a_damaged_row(page, filled):
    """A damaged row is told, and the rest is shown."""
    with closing(sqlite3.connect(filled.removeprefix("sqlite:///"))) as connection:
        connection.execute("UPDATE agent_messages SET message_data = 'no' WHERE id = 1")
        connection.commit()
    with served(filled) as address:
        page.goto(address)
        page.click("text=late")
        assert "1 damaged row" in page.inner_text("[role=alert]")
        assert "sent" in page.inner_text("main")


def test_a_phone(browser, filled):
    """Nothing is wider than a phone, however long a word is."""
    long = "x" * 500
    run(turn(filled, {**CALL, "name": long}, assistant(long), said=long))
    context = browser.new_context(viewport={"width": 360, "height": 700})
    page = context.new_page()
    with served(filled) as address:
        for path in ("", "&x"):
            page.goto(address)
            if path:
                page.click("text=late")
            page.wait_for_load_state()
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= 360
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours(browser, filled, scheme):
    """Text stands out from what is behind it, by day and by night."""
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    with served(filled) as address:
        page.goto(address)
        page.click("text=late")
        page.wait_for_load_state()
        colours = page.evaluate(
            "() => { const style = getComputedStyle(document.body);"
            " return [style.color, style.backgroundColor] }"
        )
    light = [sum(map(int, colour[4:-1].split(","))) for colour in colours]
    assert (light[0] > light[1]) is (scheme == "dark")
    assert abs(light[0] - light[1]) > 400
    context.close()


def test_by_keyboard(page, filled):
    """All is reached by the keyboard: the skip link first, folded calls too."""
    with served(filled) as address:
        page.goto(address)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.click("text=late")
        seen = set()
        for _ in range(40):
            page.keyboard.press("Tab")
            seen.add(page.evaluate("document.activeElement.tagName"))
            if page.evaluate("document.activeElement.parentElement?.className") == "call":
                page.keyboard.press("Enter")
                break
        assert page.locator("details.call").get_attribute("open") is not None
        assert {"A", "SUMMARY"} <= seen


def test_right_to_left(page, filled):
    """Text of a script that runs to the left does so, in a page that does not."""
    run(turn(filled, assistant("שלום"), said="مرحبا"))
    with served(filled) as address:
        page.goto(address)
        page.click("text=late")
        found = page.locator(".text", has_text="مرحبا")
        assert found.evaluate("one => getComputedStyle(one).direction") == "rtl"


def test_attacks(page, filled):
    """What somebody said runs nothing, and asks no other server."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    evil = "<script>window.hit = 1</script><img src=http://127.0.0.1:1/x onerror='window.hit = 1'>"
    picture = {
        "role": "user",
        "content": [
            {"type": "input_image", "image_url": PIXEL, "detail": "auto"},
            {"type": "input_image", "image_url": "http://127.0.0.1:1/y.png", "detail": "auto"},
        ],
    }

    async def add():
        async with store_from_url(filled) as store:
            await store.session("late").add_items([user(evil), assistant(evil), picture])

    run(add())
    with served(filled) as address:
        page.goto(address)
        page.click("text=late")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.hit") is None
        assert page.locator("img").evaluate("one => one.naturalWidth") == 1
        assert all(":1/" not in url for url in asked)


def test_search(page, filled):
    """A search leads to the turn."""
    with served(filled) as address:
        page.goto(address)
        page.fill("#q", "order")
        page.keyboard.press("Enter")
        page.click("text=late, turn 1")
        assert page.url.endswith("#turn-1")


def test_changes(page, filled):
    """Rename, undo and delete ask first, and then do it."""
    with served(filled, "write") as address:
        page.goto(address)
        page.click("text=late")
        page.click("text=rename")
        page.fill("#title", "A late order")
        page.click("button:has-text('Rename')")
        assert page.inner_text("h1") == "A late order"
        page.click("text=delete")
        page.click("button:has-text('Delete the conversation')")
        assert "No conversations yet" in page.inner_text("main")
