"""This module draws the rooms of the program, and the direction of their imports."""

import ast
import re
import tomllib
from collections.abc import Sequence
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

WIDTH, MARGIN = 960, 28
# The boxes leave room on the right for the arrow.
ROOMS_WIDTH = 820
ROW_GAP, BOX_GAP, PADDING = 12, 12, 14
NAME_HEIGHT, LINE_HEIGHT = 20, 17
# An upper estimate of the width of a letter of 13 pixels, in any font.
LETTER_WIDTH = 7.2

_OPENING = re.compile(r"This (?:package|module) (?:is )?")

_STYLE = """\
  .page { fill: #ffffff; stroke: #d1d9e0 }
  .room { fill: #f6f8fa; stroke: #afb8c1 }
  .name { font-size: 15px; font-weight: 600; fill: #1f2328 }
  .duty, .way { font-size: 13px; fill: #59636e }
  .arrow { fill: none; stroke: #818b98; stroke-width: 1.5 }
  text { font-family: -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d }
    .room { fill: #161b22; stroke: #3d444d }
    .name { fill: #f0f6fc }
    .duty, .way { fill: #9198a1 }
    .arrow { stroke: #656c76 }
  }
"""


class Room(NamedTuple):
    """A package or module of the program, and its one duty."""

    name: str
    duty: str


def rooms(pyproject: str, package: Path) -> list[list[Room]]:
    """List the existing rooms of the contract `layers`, row by row, the top row first.

    pyproject: the text of pyproject.toml. package: the folder of the program.
    """
    contracts = tomllib.loads(pyproject)["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract.get("id") == "layers"]
    named = [[name.strip(" ()") for name in re.split("[|:]", layer)] for layer in layers]
    rows = [[_room(name, package) for name in names] for names in named]
    existing = [[room for room in row if room is not None] for row in rows]
    return [row for row in existing if row]


def _room(name: str, package: Path) -> Room | None:
    """Return a room with the duty in its docstring; None if it does not exist."""
    for path in (package / name / "__init__.py", package / f"{name}.py"):
        if path.exists():
            return Room(name, _duty(ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""))
    return None


def _duty(docstring: str) -> str:
    """Shorten a docstring to its first sentence, without its usual opening."""
    first = docstring.partition("\n\n")[0].replace("\n", " ").replace("`", "")
    return _OPENING.sub("", first.partition(". ")[0].rstrip("."), count=1)


def drawn(rows: Sequence[Sequence[Room]]) -> str:
    """Draw rooms as rows of boxes, as SVG for light and dark pages."""
    boxes: list[str] = []
    top = MARGIN
    for row in rows:
        width = (ROOMS_WIDTH - BOX_GAP * (len(row) - 1)) / len(row)
        duties = [wrap(room.duty, int((width - 2 * PADDING) / LETTER_WIDTH)) for room in row]
        height = 2 * PADDING + NAME_HEIGHT + LINE_HEIGHT * max(map(len, duties)) - 4
        for index, (room, duty) in enumerate(zip(row, duties, strict=True)):
            left = MARGIN + index * (width + BOX_GAP)
            boxes += _box(room.name, duty, (left, top, width, height))
        top += height + ROW_GAP
    bottom = top - ROW_GAP
    lines = [*_head(bottom + MARGIN, rows), *boxes, *_arrow(MARGIN, bottom), "</svg>"]
    return "\n".join(lines) + "\n"


def _head(height: int, rows: Sequence[Sequence[Room]]) -> list[str]:
    order = "; ".join(", ".join(room.name for room in row) for row in rows)
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' width="{WIDTH}" height="{height}" role="img" aria-labelledby="title order">',
        '<title id="title">The rooms of rollsignal: imports point down</title>',
        f'<desc id="order">From the top to the bottom: {escape(order)}.</desc>',
        f"<style>\n{_STYLE}</style>",
        f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="10"/>',
    ]


def _box(name: str, duty: Sequence[str], area: tuple[float, int, float, int]) -> list[str]:
    left, top, width, height = area
    x, y = left + PADDING, top + PADDING + 11
    return [
        f'<rect class="room" x="{left:.1f}" y="{top}" width="{width:.1f}" height="{height}"'
        ' rx="6"/>',
        f'<text class="name" x="{x:.1f}" y="{y}">{escape(name)}</text>',
        *(
            f'<text class="duty" x="{x:.1f}" y="{y + NAME_HEIGHT + LINE_HEIGHT * number}">'
            f"{escape(line)}</text>"
            for number, line in enumerate(duty)
        ),
    ]


def _arrow(top: int, bottom: int) -> list[str]:
    x = (MARGIN + ROOMS_WIDTH + WIDTH) / 2 - 12
    middle = (top + bottom) / 2
    return [
        f'<path class="arrow" d="M {x} {top} V {bottom} M {x - 6} {bottom - 10} L {x} {bottom}'
        f' L {x + 6} {bottom - 10}"/>',
        f'<text class="way" x="{x + 18}" y="{middle}" text-anchor="middle"'
        f' transform="rotate(90 {x + 18} {middle})">imports point down</text>',
    ]
