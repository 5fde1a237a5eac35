"""Takes the pictures of docs/images: python tests/browser/screenshots.py."""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
from served_page import CALL, OUTPUT, THOUGHT, run, served, turn

from memwrap import store_from_url
from memwrap.items import assistant

IMAGES = Path(__file__).parents[2] / "docs" / "images"


async def fill(url):
    await turn(url, THOUGHT, CALL, OUTPUT, assistant("It was **sent** on Monday, by train."))
    await turn(url, assistant("- Turin\n- Genoa\n- Rome"), said="By which way?")
    await turn(url, assistant("With pleasure."), said="A trip, please", session="trip")
    async with store_from_url(url) as store:
        await store.update("late", title="Late order", owner="ann", tags=["vip"])
        await store.update("trip", title="Trip to Turin", owner="bob")


def main():
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        url = f"sqlite:///{folder}/chats.db"
        run(fill(url))
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        with served(url) as address:
            for name, width, scheme in (
                ("list", 900, "light"),
                ("transcript", 900, "light"),
                ("dark", 900, "dark"),
                ("phone", 360, "light"),
            ):
                size = {"width": width, "height": 640}
                page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
                page.goto(address)
                if name != "list":
                    page.click("text=Late order")
                    page.click("details.call summary")
                page.screenshot(path=str(IMAGES / f"{name}.png"))
        browser.close()


if __name__ == "__main__":
    main()
