"""This module puts a page together: one file that needs no other, and sends nothing."""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple

from rollsignal.report.good_section import good_section
from rollsignal.report.made_section import made_section
from rollsignal.report.markup import Markup, element, together
from rollsignal.report.model import Page, page_above, page_below
from rollsignal.report.other_sections import changed_section, floats_section
from rollsignal.report.symbols_section import symbols_section
from rollsignal.report.trust_section import trust_section
from rollsignal.report.verdict_cards import page_verdicts, verdict_cards
from rollsignal.report.window_section import window_section

NEW_LINE = Markup("\n")


class Chart(NamedTuple):
    """What a browser draws: a section, the bars as JSON, scripts and styles, and a licence."""

    section: Markup
    bars: Markup
    scripts: Sequence[str]
    styles: str
    licence: str


def page_html(page: Page, chart: Chart | None) -> str:
    """Return the page. chart: None where there are no bars to draw."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        _policy(chart),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="generator", content=f"rollsignal {page.version}"),
        element("title", f"{page.name}: signals of rollsignal"),
        element("style", Markup(_styles(chart))),
    )
    body = element(
        "body", _skip_link(), _page_header(page), _page_main(page, chart), _page_footer(page, chart)
    )
    scripts = [element("script", Markup(text)) for text in (chart.scripts if chart else ())]
    html = element("html", head, NEW_LINE, body, NEW_LINE, *scripts, lang="en")
    return f"<!doctype html>\n{html}\n"


def resource(name: str) -> str:
    """Read a file that is part of the program."""
    return files("rollsignal.report").joinpath(name).read_text("utf-8")


def _policy(chart: Chart | None) -> Markup:
    """Forbid everything but the scripts of this page, by their hash, and its styles."""
    hashes = " ".join(f"'sha256-{_sha256(text)}'" for text in (chart.scripts if chart else ()))
    scripts = f"script-src {hashes}; " if hashes else ""
    style = f"style-src 'sha256-{_sha256(_styles(chart))}'; "
    rules = f"default-src 'none'; {scripts}{style}base-uri 'none'; form-action 'none'"
    return element("meta", http_equiv="Content-Security-Policy", content=Markup(rules))


def _styles(chart: Chart | None) -> str:
    return resource("page.css") + (chart.styles if chart else "")


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _skip_link() -> Markup:
    return element("a", "Skip to the verdicts", href="#verdicts", class_="skip")


def _page_header(page: Page) -> Markup:
    return element(
        "header",
        element("p", page_above(page), class_="above"),
        element("h1", page.name),
        element("p", page_below(page), class_="below"),
    )


def _page_main(page: Page, chart: Chart | None) -> Markup:
    sections = {
        "trust": trust_section(page),
        "good": good_section(page),
        "window": window_section(page),
        "symbols": symbols_section(page),
        "floats": floats_section(page),
        "changed": changed_section(page),
        "made": made_section(page),
    }
    names = [name for name, section in sections.items() if section is not None]
    cards = verdict_cards(page_verdicts(page), names)
    verdicts = element("nav", cards, id="verdicts", aria_label="Verdicts")
    parts = [verdicts, chart.section if chart else None, *sections.values()]
    bars = None
    if chart is not None:
        bars = element("script", chart.bars, type="application/json", id="bars")
    return element("main", *(together(part, NEW_LINE) for part in parts if part), bars)


def _page_footer(page: Page, chart: Chart | None) -> Markup:
    made = f"Made by rollsignal {page.version}. Opens without a network; nothing is sent anywhere."
    licence = None
    if chart is not None:
        made += " The zoomable chart is drawn by uPlot 1.6.32, © Leon Sorokin, MIT License."
        parts = [element("p", part.replace("\n", " ")) for part in chart.licence.split("\n\n")]
        licence = element("details", element("summary", "Licence of uPlot"), *parts)
    return element("footer", element("p", f"{made} Not investment advice."), licence)
