"""This module draws growth and falls as one picture by itself, light or dark as its reader is."""

from rollsignal.report.good_section import FALL_KEYS, GROWTH_KEYS, good_lead
from rollsignal.report.markup import Markup, element, together
from rollsignal.report.model import Page, page_above, page_below
from rollsignal.report.pictures import falls_parts, growth_parts
from rollsignal.report.svg import rounded_place

WIDTH, GROWTH_HEIGHT, FALLS_HEIGHT = 760, 300, 190
HEAD, GAP, LEFT = 66, 34, 64

STYLE = """
svg{--page:#fff;--text:#14181f;--muted:#566070;--rule:#e3e6eb;--zero:#8a94a3;--blue:#1f6feb;
--orange:#c2590a;--grey:#7d8796;--shade:#dbe8fd;background:var(--page)}
@media(prefers-color-scheme:dark){svg{--page:#0d1117;--text:#e6eaf0;--muted:#9ba6b6;--rule:#2a323d;
--zero:#76818f;--blue:#5b9dff;--orange:#f0a04b;--grey:#8b96a5;--shade:#17304f}}
text{font:12px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--muted)}
.title{font-size:17px;font-weight:700;fill:var(--text)}
.line,line{fill:none;stroke-width:1.4;stroke-linejoin:round}.rule{stroke:var(--rule)}
.zero{stroke:var(--zero)}.line.blue{stroke:var(--blue)}.line.orange{stroke:var(--orange)}
.line.grey{stroke:var(--grey)}.shade{fill:var(--shade)}rect.blue{fill:var(--blue)}
rect.orange{fill:var(--orange)}rect.grey{fill:var(--grey)}
"""


def standalone_picture(page: Page) -> str:
    """Return the picture; the page must have curves."""
    figures = page.figures
    assert figures is not None
    assert figures.curves is not None
    height = HEAD + GROWTH_HEIGHT + GAP + FALLS_HEIGHT + 12
    title = f"{page.name}: growth of 1, and below the last peak"
    words = f"{page_above(page)}. {good_lead(figures.evaluation)}"
    drawn = element(
        "svg",
        element("title", title, id="title"),
        element("desc", words, id="desc"),
        element("style", Markup(STYLE)),
        _text_at(page.name, 26, "title"),
        _text_at(f"{page_above(page)} · {page_below(page)}", 46),
        _moved(HEAD, "Growth of 1", GROWTH_KEYS, growth_parts(figures.curves, GROWTH_SIZE, LEFT)),
        _moved(
            HEAD + GROWTH_HEIGHT + GAP,
            "Below the last peak",
            FALL_KEYS,
            falls_parts(figures.curves, FALLS_SIZE, LEFT),
        ),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_labelledby="title desc",
    )
    return f"{drawn}\n"


GROWTH_SIZE = (WIDTH, GROWTH_HEIGHT)
FALLS_SIZE = (WIDTH, FALLS_HEIGHT)


def _text_at(text: str, y: int, kind: str | None = None) -> Markup:
    return element("text", text, x=14, y=y, class_=kind)


def _moved(y: int, title: str, keys: list[tuple[str, str]], parts: list[Markup]) -> Markup:
    """Put a plot below what is above it, with its name and what its colours are."""
    names = [element("text", title, x=14, y=6)]
    right = WIDTH - 8.0
    for kind, words in reversed(keys):
        names.append(element("text", words, x=rounded_place(right), y=6, text_anchor="end"))
        right -= 6.4 * len(words) + 18
        names.append(element("rect", x=rounded_place(right), y=1, width=12, height=3, class_=kind))
        right -= 14
    plot = element("g", *parts, transform="translate(0 14)")
    return element("g", together(*names), plot, transform=f"translate(0 {y})")
