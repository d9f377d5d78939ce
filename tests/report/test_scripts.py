"""Facts about the scripts of a page: vendored unchanged, self-contained, and quiet."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest

from rollsignal.report.scripts import BROWSER, scripts, styles, uplot_licence
from tests.support.shell import ROOT

ROOM = ROOT / "rollsignal/report"
# uPlot 1.6.32, as npm has it.
VENDORED = {
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}
NEVER = (
    *(
        "eval",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "Function(",
        "srcdoc",
    ),
    *("fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon", "import(", "new Worker"),
    *("localStorage", "sessionStorage", "indexedDB", "cookie", "serviceWorker", "Math.random"),
)


@pytest.mark.parametrize("name", VENDORED)
def test_uplot_is_vendored_unchanged(name: str) -> None:
    assert sha256((ROOM / "uplot" / name).read_bytes()).hexdigest() == VENDORED[name]


def test_all_that_is_vendored_is_known() -> None:
    assert {path.name for path in (ROOM / "uplot").iterdir()} == set(VENDORED)


def test_every_script_is_in_the_page() -> None:
    assert {path.stem for path in (ROOM / "browser").iterdir()} == set(BROWSER)
    uplot, page = scripts()
    assert uplot == (ROOM / "uplot/uPlot.iife.min.js").read_text("utf-8")
    for name in BROWSER:
        assert (ROOM / f"browser/{name}.js").read_text("utf-8") in page


def test_no_script_reaches_out_of_the_page_or_makes_code_of_data() -> None:
    page = scripts()[1]
    assert [word for word in NEVER if word in page] == []
    assert re.findall(r"\w+://[^\"]*", page) == ["http://www.w3.org/2000/svg"]


def test_no_script_or_style_ends_its_element_or_loads_anything() -> None:
    for text in (*scripts(), *styles()):
        assert not re.search(r"</(script|style)|<!--", text, re.IGNORECASE)
    for text in styles():
        assert "url(" not in text
        assert "@import" not in text


def test_the_scripts_are_small_files_of_plain_text() -> None:
    for path in (ROOM / "browser").iterdir():
        lines = path.read_text("utf-8").splitlines()
        assert len(lines) < 300
        assert max(map(len, lines)) <= 100
        assert all(line.isascii() for line in lines)


def test_the_licence_of_uplot_names_who_wrote_it() -> None:
    assert "Copyright (c) 2022 Leon Sorokin" in uplot_licence()
