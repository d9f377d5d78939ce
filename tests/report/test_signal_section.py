"""Facts about the section of the chart: its markup, and what it says of the bars in the page."""

from __future__ import annotations

from html.parser import HTMLParser

from rollsignal.report.bars import packed_bars
from rollsignal.report.signal_section import chart_caption, signal_section
from tests.support.pages import run_of, series_of


class Elements(HTMLParser):
    """All elements of a page, and their attributes."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def section(*symbols: str) -> list[tuple[str, dict[str, str | None]]]:
    run = run_of(*(series_of([1, 2], 1, symbol=symbol) for symbol in symbols), window=1)
    return Elements(signal_section(packed_bars(run))).found


def test_every_button_has_a_name_and_does_one_thing() -> None:
    buttons = [attributes for tag, attributes in section("") if tag == "button"]
    assert len({each["data-do"] for each in buttons}) == len(buttons) == 9
    assert all(each["aria-label"] and each["type"] == "button" for each in buttons)


def test_the_chart_takes_the_focus_and_what_is_read_out_is_live() -> None:
    by_id = {each.get("id"): each for _, each in section("")}
    assert by_id["chart-plot"]["tabindex"] == "0"
    described = str(by_id["chart-plot"]["aria-describedby"]).split()
    assert all(each in by_id for each in described)
    assert by_id["chart-line"]["aria-live"] == "polite"


def test_only_a_panel_has_a_choice_of_symbols() -> None:
    assert "select" not in {tag for tag, _ in section("BTC")}
    assert "select" in {tag for tag, _ in section("BTC", "ETH")}


def test_the_chart_is_hidden_until_a_script_draws_it() -> None:
    by_id = {each.get("id"): each for _, each in section("")}
    assert "hidden" in by_id["chart"]
    assert "noscript" in {tag for tag, _ in section("")}


def test_no_name_of_a_symbol_is_in_the_markup() -> None:
    run = run_of(*(series_of([1], 1, symbol=name) for name in ("</script>", "b")), window=1)
    assert "</script>" not in signal_section(packed_bars(run))


def test_the_caption_of_a_panel_says_which_bars_are_in_the_page() -> None:
    run = run_of(*(series_of([1, 2, 3], 1, symbol=symbol) for symbol in "abc"), window=1)
    assert chart_caption(packed_bars(run)) == "This page holds all bars of all 3 symbols."
    assert chart_caption(packed_bars(run, 6)) == (
        "This page holds the last 2 bars of each of 3 symbols: 6 of 9 bars."
    )
    run = run_of(series_of([1], 1, symbol="a"), series_of([1, 2, 3], 1, symbol="b"), window=1)
    assert chart_caption(packed_bars(run, 3)) == (
        "This page holds at most the last 2 bars of each of 2 symbols: 3 of 4 bars."
    )
