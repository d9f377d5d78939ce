"""Facts about the look of a page: contrasts, computed from its style sheet, and sizes."""

from __future__ import annotations

import re

import pytest

from rollsignal.report.page import resource

CSS = resource("page.css")
# Texts with what they stand on, and shapes with what they are drawn on.
TEXTS = [
    *((text, back) for text in ("text", "muted", "link") for back in ("page", "card")),
    ("text", "shade"),
    ("blue", "card"),
    ("look", "card"),
    *((mark, f"{mark}-back") for mark in ("fine", "look", "no", "none")),
]
SHAPES = [(shape, "card") for shape in ("blue", "orange", "grey", "red", "zero")]
LEAST_OF_TEXT, LEAST_OF_SHAPES = 4.5, 3.0


def palettes() -> dict[str, dict[str, str]]:
    """Return the colours of the light and of the dark page."""
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return {"light": colours, "dark": colours | dict(re.findall(r"--([\w-]+): (#\w{6})", dark))}


def luminance(colour: str) -> float:
    """Return how light a colour is, as WCAG 2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_has_the_contrast_of_the_definition() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "back"), TEXTS)
def test_texts_are_readable(scheme: str, text: str, back: str) -> None:
    colours = palettes()[scheme]
    assert contrast(colours[text], colours[back]) >= LEAST_OF_TEXT


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("shape", "back"), SHAPES)
def test_shapes_are_seen(scheme: str, shape: str, back: str) -> None:
    colours = palettes()[scheme]
    assert contrast(colours[shape], colours[back]) >= LEAST_OF_SHAPES


def test_both_schemes_have_all_colours() -> None:
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
    names = [re.findall(r"--([\w-]+):", part) for part in (light, dark)]
    assert names[0] == names[1]


def test_texts_of_pictures_are_at_least_11_pixels_wherever_a_card_is_not_too_small() -> None:
    base = float(re.findall(r"\.plot text \{ font-size: ([\d.]+)px", CSS)[0])
    steps = re.findall(r"max-width: (\d+)px\) \{ \.plot text \{ font-size: ([\d.]+)px", CSS)
    sizes = [(345, base), *((int(width), float(size)) for width, size in steps[1:])]
    widths = [int(width) for width, _ in steps]
    # The cards of a page of 320 pixels are 258 pixels wide inside.
    for least, (_, size) in zip([*widths, 258], [(0, base), *[(0, float(s)) for _, s in steps]],
                                strict=True):  # fmt: skip
        assert size * least / 360 >= 11, (least, size)
    assert sizes[0][1] == base


def test_nothing_is_fetched_by_the_style_sheet() -> None:
    assert not re.search(r"url\(|@import|@font-face|http", CSS)
