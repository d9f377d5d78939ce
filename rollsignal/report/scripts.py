"""This module reads what a page needs in the browser: scripts and styles, as they stand here.

The scripts of `browser/` become one, in which nothing is seen from outside. uPlot is vendored
unchanged.
"""

from importlib.resources import files

BROWSER = ("bars", "texts", "labels", "drawing", "gestures", "chart", "table", "start")
_REPORT_ROOM = "rollsignal.report"


def scripts() -> list[str]:
    """Return the scripts of a page, in the order in which they run."""
    parts = "\n".join(_page_file(f"browser/{name}.js") for name in BROWSER)
    return [_page_file("uplot/uPlot.iife.min.js"), f'"use strict";\n(() => {{\n{parts}}})();\n']


def styles() -> list[str]:
    """Return the styles of the chart, which follow those of the page."""
    return [_page_file("uplot/uPlot.min.css"), _page_file("chart.css")]


def uplot_licence() -> str:
    """Return the licence of uPlot, of which every page is a copy."""
    return _page_file("uplot/LICENSE")


def _page_file(name: str) -> str:
    return files(_REPORT_ROOM).joinpath(name).read_text("utf-8")
