"""This module lays out tables and cards of HTML."""

from collections.abc import Iterable, Sequence

from rollsignal.report.markup import Content, Markup, element, together


def table(
    caption: str | None,
    heads: Sequence[str],
    rows: Iterable[Sequence[Content]],
    left: int = 1,
    chosen: int | None = None,
) -> Markup:
    """Return a table; the first `left` columns are words, the others figures.

    The first cell of a row is its heading. chosen: the number of a row to stress. A table that is
    too wide scrolls by itself.
    """
    kinds = [None if place < left else "n" for place in range(len(heads))]
    head = [
        element("th", name, scope="col", class_=kind)
        for name, kind in zip(heads, kinds, strict=True)
    ]
    body = [
        element("tr", *_cells(row, kinds), class_="chosen" if number == chosen else None)
        for number, row in enumerate(rows)
    ]
    made = element(
        "table",
        element("caption", caption) if caption else None,
        element("thead", element("tr", *head)),
        element("tbody", *body),
    )
    label = caption or ", ".join(heads)
    return element("div", made, class_="scroll", tabindex=0, role="region", aria_label=label)


def _cells(row: Sequence[Content], kinds: Sequence[str | None]) -> Iterable[Markup]:
    first, *others = row
    yield element("th", first, scope="row")
    for cell, kind in zip(others, kinds[1:], strict=True):
        yield element("td", cell, class_=kind)


def facts(rows: Iterable[tuple[str, Content]]) -> Markup:
    """Return names with what they are."""
    pairs = [element("div", element("dt", name), element("dd", content)) for name, content in rows]
    return element("dl", *pairs)


def card(title: str, sentence: Content, *content: Content, kind: str = "") -> Markup:
    """Return a card with a title and a sentence."""
    return element(
        "div",
        element("h3", title),
        element("p", sentence, class_="note") if sentence else None,
        *content,
        class_=f"card {kind}".strip(),
    )


def drawing(title: str, sentence: str, *pictures: Markup, keys: Markup | None = None) -> Markup:
    """Return a card of a picture: what it shows, the picture, and what its colours are.

    pictures: one for each of the widths that the style sheet knows.
    """
    caption = element("figcaption", element("h3", title), element("p", sentence, class_="note"))
    drawn = element("div", *pictures, class_="drawn")
    return element("figure", caption, drawn, keys, class_="card")


def legend(entries: Iterable[tuple[str, str]]) -> Markup:
    """Say what colours are: classes with words."""
    items = [
        element("li", element("span", "", class_=f"key {kind}", aria_hidden="true"), words)
        for kind, words in entries
    ]
    return element("ul", *items, class_="legend")


def section(name: str, heading: str, lead: Content, *content: Content) -> Markup:
    """Return a section of the page, which others link to by its name."""
    return element(
        "section",
        element("h2", heading, id=f"{name}-heading"),
        element("p", lead, class_="lead") if lead else None,
        *content,
        id=name,
        aria_labelledby=f"{name}-heading",
    )


def grid(*cards: Markup | None, kind: str = "three") -> Markup:
    """Put cards side by side where there is room."""
    return element("div", together(*cards), class_=f"grid {kind}")
