"""Facts about the picture of the rooms: it shows the import contract and each docstring."""

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docs.picture import Room, drawn, rooms

LAYERS = """\
    "__main__",
    "cli | api",
    "commands",
    "(report) | (publish)",
    "analysis",
    "outputs | engines",
    "readers",
    "config",
    "core | files",
    "errors | messages | version",
"""
CONTRACTS = f"""\
[[tool.importlinter.contracts]]
id = "signals"
layers = ["writer", "tables | partitions"]

[[tool.importlinter.contracts]]
id = "layers"
layers = [
{LAYERS}]
"""
ROWS = [
    ["__main__"],
    ["cli", "api"],
    ["commands"],
    ["analysis"],
    ["outputs", "engines"],
    ["readers"],
    ["config"],
    ["core", "files"],
    ["errors", "messages", "version"],
]
MODULES = ("__main__", "api", "errors", "messages", "version")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name in (name for row in ROWS for name in row):
        path = tmp_path / (f"{name}.py" if name in MODULES else f"{name}/__init__.py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'"""This {"module" if name in MODULES else "package"} does {name}."""\n')
    return tmp_path


def boxes(svg: str) -> list[tuple[float, float, float, float]]:
    """Return the left, top, right and bottom of every room's box."""
    rects = ElementTree.fromstring(svg).findall(f"{SVG}rect[@class='room']")
    sides = [[float(box.attrib[name]) for name in ("x", "y", "width", "height")] for box in rects]
    return [(x, y, x + width, y + height) for x, y, width, height in sides]


def texts(svg: str, css_class: str) -> list[str]:
    elements = ElementTree.fromstring(svg).findall(f"{SVG}text[@class='{css_class}']")
    return [text.text or "" for text in elements]


def test_the_rooms_are_those_of_the_contract_without_the_absent_ones(package: Path) -> None:
    assert [[room.name for room in row] for row in rooms(CONTRACTS, package)] == ROWS


def test_a_room_that_is_built_later_is_drawn_in_its_place(package: Path) -> None:
    (package / "publish").mkdir()
    (package / "publish/__init__.py").write_text('"""This package tells others."""\n')
    assert rooms(CONTRACTS, package)[3] == [Room("publish", "tells others")]


@pytest.mark.parametrize(
    ("docstring", "duty"),
    [
        ("This package reads bars.", "reads bars"),
        ("This module is the command line: words in.", "the command line: words in"),
        ("This module has `names`. And more.", "has names"),
        ("Turn bars into signals\nexactly.\n\nMore.", "Turn bars into signals exactly"),
    ],
)
def test_the_duty_of_a_room_is_the_first_sentence_of_its_docstring(
    docstring: str, duty: str, package: Path
) -> None:
    (package / "cli/__init__.py").write_text(f'"""{docstring}"""\n')
    assert rooms(CONTRACTS, package)[1][0] == Room("cli", duty)


def test_a_room_without_a_docstring_has_no_duty(package: Path) -> None:
    (package / "cli/__init__.py").write_text("")
    assert rooms(CONTRACTS, package)[1][0] == Room("cli", "")


def test_every_room_has_a_box_with_its_name_and_duty(package: Path) -> None:
    svg = drawn(rooms(CONTRACTS, package))
    names = [name for row in ROWS for name in row]
    assert texts(svg, "name") == names
    assert texts(svg, "duty") == [f"does {name}" for name in names]
    assert len(boxes(svg)) == len(names)


def test_rooms_of_one_row_stand_side_by_side_and_rows_below_each_other(package: Path) -> None:
    remaining = boxes(drawn(rooms(CONTRACTS, package)))
    above = 0.0
    for row in ROWS:
        row_boxes, remaining = remaining[: len(row)], remaining[len(row) :]
        assert len({(top, bottom) for _, top, _, bottom in row_boxes}) == 1
        assert all(a[2] < b[0] for a, b in pairwise(row_boxes))
        assert row_boxes[0][1] > above
        above = row_boxes[0][3]


def test_long_duties_stay_in_their_boxes() -> None:
    duty = "reads " + "very " * 60 + "long tables"
    svg = drawn(
        [[Room("one", duty), Room("two", "short"), Room("three", duty)], [Room("four", "")]]
    )
    lines = texts(svg, "duty")
    assert " ".join(lines[: len(lines) // 2]) == duty
    page = ElementTree.fromstring(svg)
    for text in page.findall(f"{SVG}text[@class='duty']"):
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        width = 6 * len(text.text or "")
        assert any(a <= x and x + width <= c and b <= y <= d for a, b, c, d in boxes(svg)), (
            text.text
        )


def test_names_and_duties_are_escaped() -> None:
    svg = drawn([[Room("a<b", "reads <x> & y")]])
    assert texts(svg, "name") == ["a<b"]
    assert texts(svg, "duty") == ["reads <x> & y"]


def test_the_picture_has_a_description_in_words_and_suits_dark_pages(package: Path) -> None:
    svg = drawn(rooms(CONTRACTS, package))
    page = ElementTree.fromstring(svg)
    assert "outputs, engines; readers; config" in (page.findtext(f"{SVG}desc") or "")
    style = page.findtext(f"{SVG}style") or ""
    light, dark = (set(re.findall(r"\.\w+", part)) for part in style.split("@media"))
    assert dark == {".page", ".room", ".name", ".duty", ".way", ".arrow"} <= light
