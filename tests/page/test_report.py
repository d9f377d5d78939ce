"""Facts about whole pages in a browser, as `rollsignal report` makes them of what a run left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.pages import Open
from tests.support.shell import ROOT, command

if TYPE_CHECKING:
    from playwright.sync_api import Page

SAID = "window.said = () => alert('said')"
HOSTILE = ("<script>said()</script>", '"><img src=x onerror=said()>', "</script>", "=1+1")
SMALLEST_TEXT = 11
FAILED = ("timestamp,close\n2024-01-01,1\n2024-01-02,oops\n", "")


def bars(closes: list[str], names: tuple[str, ...] = ("",)) -> str:
    """Return daily bars of every symbol; without a symbol the table has no such column."""
    first = np.datetime64("2020-01-01")
    has_symbols = names != ("",)
    lines = ["timestamp,symbol,close" if has_symbols else "timestamp,close"]
    for day, close in enumerate(closes):
        for name in names:
            quoted = '"' + name.replace('"', '""') + '",' if has_symbols else ""
            lines.append(f"{first + day},{quoted}{close}")
    return "\n".join([*lines, ""])


def walk(days: int, step: int = 9) -> list[str]:
    rng = np.random.Generator(np.random.PCG64(7))
    ticks = 20_000 + np.cumsum(rng.integers(-step, step + 1, days))
    return [f"{tick / 100:.2f}" for tick in ticks.tolist()]


def with_gaps() -> list[str]:
    return ["" if day in (0, 40, 41, 199) else close for day, close in enumerate(walk(200))]


# The bars of a run, and its settings beside a window of 5.
CASES = {
    "one series": (bars(walk(900)), ""),
    "a panel": (bars(walk(90), tuple(f"S{at:03}" for at in range(60))), ""),
    "hostile names": (bars(walk(60), HOSTILE), ""),
    "no ones": (bars([f"{close}" for close in range(90, 0, -1)]), ""),
    "one bar": (bars(["42.5"]), "window: 1\n"),
    "missing closes": (bars(with_gaps()), "missing: gap\n"),
    "flat": (bars(["7"] * 50), ""),
    "many digits": (bars([f"{close}0123456789012345" for close in walk(80)]), ""),
    "no times": ("close\n" + "\n".join(walk(300)) + "\n", ""),
}


def page_of_run(folder: Path, text: str, more: str = "", name: str = "bars.csv") -> str:
    """Run, report, and return the page."""
    window = "" if "window" in more else "window: 5\n"
    (folder / "config.yaml").write_text(f"seed: 1\nversion: v\n{window}{more}")
    (folder / name).write_text(text, encoding="utf-8")
    paths = {"input": name, "config": "config.yaml", "output": "m.json", "log-file": "run.log"}
    paths |= {"record": "r.json", "signals": "s.parquet"}
    command("run", *(f"--{flag}={folder / path}" for flag, path in paths.items()))
    page = folder / "report.html"
    flags = ["--audit", "--windows=2,5,10"] if "timestamp" in text else []
    assert command("report", str(folder / "r.json"), f"--output={page}", *flags) == 0
    return page.read_text("utf-8")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {
        case: page_of_run(tmp_path_factory.mktemp("run"), *given) for case, given in CASES.items()
    }


def headings(page: Page) -> list[str]:
    return [heading.inner_text() for heading in page.locator("h2").all()]


@pytest.mark.parametrize("width", [320, 1280, 2000])
@pytest.mark.parametrize("case", CASES)
def test_no_page_scrolls_sideways_or_says_anything(
    opened: Open, pages: dict[str, str], case: str, width: int
) -> None:
    page = opened(pages[case], before=SAID, viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in page.locator("#chart-symbol option").all_inner_texts()[:4]:
        page.select_option("#chart-symbol", label=name)
    assert page.locator("img, iframe, object, embed").count() == 0


@pytest.mark.parametrize("case", CASES)
def test_without_scripts_all_sections_but_the_chart_are_there(
    opened: Open, pages: dict[str, str], case: str
) -> None:
    with_scripts = headings(opened(pages[case]))
    page = opened(pages[case], state="", java_script_enabled=False)
    assert headings(page) == with_scripts
    assert "needs JavaScript" in page.inner_text("#signal")
    assert page.locator("svg[role=img]").count() > 0 or case == "one bar"


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("case", CASES)
def test_every_picture_has_a_title_and_a_size(
    opened: Open, pages: dict[str, str], case: str, width: int
) -> None:
    page = opened(pages[case], viewport={"width": width, "height": 900})
    for picture in page.locator("svg[role=img]:visible").all():
        box = picture.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 60
        assert picture.locator("title").first.text_content()
        assert picture.locator("desc").first.text_content()


SIZES = """() => {
  const sizes = [];
  for (const each of document.querySelectorAll('body *')) {
    const own = [...each.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());
    if (!own.length || !each.checkVisibility() || each.closest('script, style')) continue;
    const scale = each.ownerSVGElement ? each.getScreenCTM().a : 1;
    sizes.push([parseFloat(getComputedStyle(each).fontSize) * scale, own[0].data.trim()]);
  }
  return sizes;
}"""


@pytest.mark.parametrize("case", ["one series", "a panel"])
def test_no_text_is_too_small_on_a_phone(opened: Open, pages: dict[str, str], case: str) -> None:
    page = opened(pages[case], viewport={"width": 390, "height": 844})
    sizes = page.evaluate(SIZES)
    assert len(sizes) > 50
    assert [text for size, text in sizes if size < SMALLEST_TEXT - 0.05] == []


def test_a_name_in_the_table_opens_its_bars(opened: Open, pages: dict[str, str]) -> None:
    page = opened(pages["a panel"])
    page.click("#symbol-pages >> text=next")
    link = page.locator("#symbol-table tbody a").nth(3)
    name = link.inner_text()
    link.click()
    chosen = page.evaluate("document.querySelector('#chart-symbol').selectedOptions[0].text")
    assert chosen == name


def test_rows_drawn_by_the_browser_are_the_static_ones(opened: Open, pages: dict[str, str]) -> None:
    rows = "#symbol-table tbody tr"
    page = opened(pages["a panel"], state="", java_script_enabled=False)
    static = [row.inner_text() for row in page.locator(rows).all()]
    drawn = [row.inner_text() for row in opened(pages["a panel"]).locator(rows).all()]
    assert drawn == static
    assert len(static) == 25


def test_names_of_files_and_columns_are_text(opened: Open, tmp_path: Path) -> None:
    name = '"><img src=x onerror=said()><script>said()<!--'
    text = bars(walk(40)).replace(",close", ",<script>said()")
    more = 'columns: {close: "<script>said()"}\n'
    page = opened(page_of_run(tmp_path, text, more, f"{name}.csv"), before=SAID)
    assert name in page.inner_text("body")
    assert page.locator("img").count() == 0
    assert page.evaluate("document.scripts.length") == page.content().count("</script>")


def test_the_page_of_a_failed_run_says_so(opened: Open, tmp_path: Path) -> None:
    page = opened(page_of_run(tmp_path, *FAILED), state="")
    assert page.locator("#chart").count() == 0
    assert "oops" in page.inner_text("body")


def test_the_page_of_the_sample_is_small(tmp_path: Path) -> None:
    text = (ROOT / "data.csv").read_text()
    assert len(page_of_run(tmp_path, text).encode()) <= 250_000
