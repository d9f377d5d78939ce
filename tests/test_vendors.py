"""The recipes for vendors are right: the page shows the signals of the closes in its tables."""

import re
from fractions import Fraction
from itertools import pairwise

import pytest

from tests.support.recipes import PAGE, Recipe, recipes

RECIPES = [pytest.param(recipe, id=recipe.name) for recipe in recipes()]


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
