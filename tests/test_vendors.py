"""The recipes for vendors are right: the page shows the signals of the closes in its tables."""

import re
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple
from zipfile import ZipFile

import pytest

from docs.generate import BASH, PART
from docs.sandbox import ROOT

PAGE = (ROOT / "docs/vendors.md").read_text("utf-8")
VALUE = re.compile(r'^  "value": ([\d.]+),$', re.MULTILINE)
HERE_DOCUMENT = re.compile(r"^cat > \S+ <<'EOF'\n(.*?)^EOF$", re.DOTALL | re.MULTILINE)


class Recipe(NamedTuple):
    """A table of a vendor, and what the page shows of its run."""

    command: str
    table: str
    value: Fraction
    rows: list[list[str]]


def recipes() -> list[Recipe]:
    """Return the recipes of the page, in its order; each has a window of two bars."""
    found = []
    for part in PART.finditer(PAGE):
        block = BASH.findall(PAGE[: part.start()])[-1]
        if value := VALUE.search(part[3]):
            (command,) = [line for line in block.splitlines() if line.startswith("rollsignal")]
            rows = part[3].partition("timestamp,symbol,close,")[2].splitlines()[1:-1]
            table = "\n".join([*HERE_DOCUMENT.findall(block), *cells_of(command)])
            cells = [row.split(",") for row in rows]
            found.append(Recipe(command, table, Fraction(value[1]), cells))
    return found


def cells_of(command: str) -> list[str]:
    """Return what stands in the cells of the workbook that a command reads, if it reads one."""
    path = ROOT / "docs/examples" / command.split()[3]
    if not path.is_file():
        return []
    with ZipFile(path) as archive:
        sheets = [archive.read(part).decode() for part in archive.namelist()]
    return [cell for sheet in sheets for cell in re.findall(">([^<>]+)<", sheet)]


RECIPES = [pytest.param(recipe, id=recipe.command.split()[3]) for recipe in recipes()]


def digits(number: str) -> str:
    """Return what two spellings of a number share: its digits, without zeros at the end."""
    return re.sub(r"\D", "", number).rstrip("0")


def test_there_are_recipes_for_at_least_25_vendors() -> None:
    assert len(re.findall(r"^## (?!Sources$)", PAGE, re.MULTILINE)) >= 25


def test_every_recipe_shows_its_result() -> None:
    commands = [line for line in PAGE.splitlines() if line.startswith("rollsignal run --input")]
    assert len(commands) == len(RECIPES) + 1, "all but the dry run at the top have a value"


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_close_of_a_recipe_stands_in_its_table(recipe: Recipe) -> None:
    written = {digits(number) for number in re.findall(r"\d[\d.,]*", recipe.table)}
    written |= {digits(number) for number in re.findall(r"[\d.]+", recipe.table)}
    closes = [row[2] for row in recipe.rows if row[2]]
    assert len(closes) > 1
    assert {digits(close) for close in closes} <= written


@pytest.mark.parametrize("recipe", RECIPES)
def test_signals_and_value_of_a_recipe_are_those_of_its_closes(recipe: Recipe) -> None:
    signals = []
    for symbol in {row[1] for row in recipe.rows}:
        bars = [row for row in recipe.rows if row[1] == symbol and row[2]]
        assert [bar[0] for bar in bars] == sorted(bar[0] for bar in bars)
        assert bars[0][4] == ""
        for before, bar in pairwise(bars):
            mean = (Fraction(before[2]) + Fraction(bar[2])) / 2
            assert bar[4] == str(int(Fraction(bar[2]) > mean)), bar
            signals.append(int(bar[4]))
    assert recipe.value == Fraction(str(round(Fraction(sum(signals), len(signals)), 4)))
