"""Facts about the table of symbols in a browser: sorted, searched, 25 rows a page, its links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollsignal.report.markup import Markup, element, script_json
from tests.support.pages import Open, page_of, run_of, series_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAMES = [f"S{number:02}" for number in range(59)] + ["<b>&amp;</b>"]
DIGITS = {"symbol": None, "signal": 0, "last bar": None, "net, %": 1}
COLUMNS = [{"name": name, "digits": digits} for name, digits in DIGITS.items()]


def net(at: int) -> float | None:
    """Return a value with a tie between two roundings; every tenth symbol has no answer."""
    return None if at % 10 == 0 else (at * 37 % 60) * 1000 - 9000.25


def rows() -> list[list[Any]]:
    """Return a row for each symbol, as the page has it."""
    return [[at, name, at % 2, "2024-01-31", net(at), at % 7 == 0] for at, name in enumerate(NAMES)]


def table() -> list[Markup]:
    heads = [element("th", name) for name in (*DIGITS, "last 250 bars")]
    static = [
        element(
            "tr",
            element("td", element("a", name, href="#signal")),
            *(element("td", str(value)) for value in values),
            element("td"),
            data_symbol=at,
        )
        for at, name, *values, _ in rows()[:25]
    ]
    body = element("tbody", *static)
    whole = element("table", element("thead", element("tr", *heads)), body)
    document = script_json({"columns": COLUMNS, "rows": rows()})
    return [
        element("div", id="symbol-find"),
        element("div", whole, id="symbol-table"),
        element("div", id="symbol-pages"),
        element("script", document, type="application/json", id="symbol-rows"),
    ]


def opened_table(opened: Open, **more: Any) -> Page:
    series = [series_of([1, at + 2, 3], 1, symbol=name) for at, name in enumerate(NAMES)]
    page = opened(page_of(run_of(*series, window=1), *table()), **more)
    page.wait_for_selector("#symbol-pages button")
    return page


def column(page: Page, place: int) -> list[str]:
    cells = page.locator(f"#symbol-table tbody td:nth-child({place})")
    return [cell.inner_text() for cell in cells.all()]


def test_there_are_25_rows_a_page(opened: Open) -> None:
    page = opened_table(opened)
    assert column(page, 1) == NAMES[:25]
    assert page.inner_text("#symbol-pages span") == "1\u201325 of 60"
    assert page.is_disabled("text=back")
    page.click("text=next")
    page.click("text=next")
    assert column(page, 1) == NAMES[50:]
    assert page.inner_text("#symbol-pages span") == "51\u201360 of 60"
    assert page.is_disabled("text=next")
    page.click("text=back")
    assert column(page, 1) == NAMES[25:50]


def test_numbers_are_sorted_as_numbers_and_no_answer_is_the_last(opened: Open) -> None:
    page = opened_table(opened)
    values = sorted(value for at in range(60) if (value := net(at)) is not None)
    for order, direction in ((reversed(values), "descending"), (iter(values), "ascending")):
        page.click("th button >> text=net")
        assert page.get_attribute("th:nth-child(4)", "aria-sort") == direction
        told = column(page, 4)
        page.click("text=next")
        told += column(page, 4)
        page.click("text=next")
        told += column(page, 4)
        shown = [f"{value:,.1f}".replace("-", "\u2212") for value in order]
        assert told == [*shown, *["\u2013"] * 6]


def test_signals_of_one_and_late_symbols_are_marked_in_every_row(opened: Open) -> None:
    page = opened_table(opened)
    page.click("text=next")
    for name, place, marked in (
        ("one", 2, [at % 2 == 1 for at in range(25, 50)]),
        ("late", 3, [at % 7 == 0 for at in range(25, 50)]),
    ):
        cells = page.locator(f"#symbol-table tbody td:nth-child({place})").all()
        assert [name in (cell.get_attribute("class") or "") for cell in cells] == marked


def test_text_is_searched_in_names_as_it_stands_there(opened: Open) -> None:
    page = opened_table(opened)
    page.fill("#symbol-find input", "s1")
    assert column(page, 1) == NAMES[10:20]
    page.fill("#symbol-find input", "<b>&")
    assert column(page, 1) == ["<b>&amp;</b>"]
    assert page.locator("#symbol-table b").count() == 0
    page.fill("#symbol-find input", "zzz")
    assert column(page, 1) == []
    assert page.inner_text("#symbol-pages span") == "no symbol has this in its name"
    page.fill("#symbol-find input", "")
    assert len(column(page, 1)) == 25


def test_a_name_opens_its_bars_in_the_chart(opened: Open) -> None:
    page = opened_table(opened)
    page.click("text=next")
    page.click("#symbol-table >> text=S33")
    assert page.input_value("#chart-symbol") == "33"
    assert page.evaluate("document.activeElement.id") == "chart-plot"


def test_every_row_has_a_line_of_its_last_closes(opened: Open) -> None:
    page = opened_table(opened)
    assert page.locator("#symbol-table svg.spark path").count() == 25


def test_without_bars_the_table_still_works(opened: Open) -> None:
    page = opened_table(opened, state="", before="delete window.DecompressionStream")
    page.click("text=next")
    assert column(page, 1) == NAMES[25:50]


def test_without_scripts_the_first_rows_are_there(opened: Open) -> None:
    series = [series_of([1], 1, symbol=name) for name in NAMES]
    page = opened(page_of(run_of(*series, window=1), *table()), state="", java_script_enabled=False)
    assert column(page, 1) == NAMES[:25]
