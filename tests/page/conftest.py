"""Tests in a browser, which only run where playwright is installed: `make check-page`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.pages import Open, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

collect_ignore_glob = [] if find_spec("playwright") else ["*"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the browser of this computer; playwright's own ones are not needed."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("there is no Chromium here")
    # A browser of root has no sandbox.
    flags = ["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens a page; it must be quiet until the end of the test.

    Nothing may be written to the console, and nothing may be requested but the file itself.
    """
    said: list[str] = []
    requested: list[str] = []
    pages = []

    def opens(text: str, *, state: str = "ready", before: str = "", **context: Any) -> Page:
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        page = browser.new_page(**({"viewport": {"width": 1280, "height": 800}} | context))
        pages.append(page)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda request: requested.append(request.url))
        if before:
            page.add_init_script(before)
        page.goto(file.as_uri())
        if state == "ready":
            page.wait_for_selector("#chart[data-state=ready]")
            wait_until(page, "true")
        assert requested[len(pages) - 1 :] == [file.as_uri()]
        return page

    yield opens
    for page in pages:
        page.close()
    assert said == []
    assert len(requested) == len(pages)
