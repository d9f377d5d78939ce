"""This module holds the rules of the settings of `evaluate`, which few configs have."""

import re
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.config.rules import Whole
from rollsignal.config.yaml_nodes import (
    BadSettingError,
    as_written,
    is_quoted,
    is_sequence,
    scalar,
)

if TYPE_CHECKING:
    import yaml

MOST_BARS_AHEAD = 1_000_000
MOST_HORIZONS = 10
MOST_COST_BP = 9_999
MOST_BARS_PER_YEAR = 10**11


class Horizons(NamedTuple):
    """A list of whole numbers of bars, from the least to the greatest."""

    def read(self, node: "yaml.Node", name: str) -> tuple[int, ...]:
        """Read the list; raises `BadSettingError`."""
        if not is_sequence(node) or not 1 <= len(node.value) <= MOST_HORIZONS:
            what = f"{name} is {as_written(node)}, not a list of 1 to {MOST_HORIZONS} whole numbers"
            raise BadSettingError(node, f"{what} (for example {name}: [1, 5, 20])")
        horizons = [self._whole.read(item, name) for item in node.value]
        if horizons != sorted(set(horizons)):
            what = f"{name} is {horizons}; write each number once, the least first"
            raise BadSettingError(node, what)
        return tuple(horizons)

    @property
    def _whole(self) -> Whole:
        return Whole("", 1, MOST_BARS_AHEAD, "5")

    def schema(self) -> dict[str, object]:
        """Describe the list in JSON Schema."""
        items = self._whole.schema()
        return {"type": "array", "items": items, "minItems": 1, "maxItems": MOST_HORIZONS}


class Number(NamedTuple):
    """A number from `least` to `most`, with at most four decimals; `optional`: or null."""

    least: int
    most: int
    optional: bool = False

    def read(self, node: "yaml.Node", name: str) -> float | None:
        """Read the number, a whole one as int; raises `BadSettingError`."""
        text = scalar(node, name)
        if self.optional and node.tag.endswith(":null"):
            return None
        is_number = re.fullmatch(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?", text)
        if is_quoted(node) or not is_number:
            what = f"{name} is {as_written(node)}, not a number such as 1 or 0.5"
            raise BadSettingError(node, what)
        value = float(text)
        if not self.least <= value <= self.most:
            what = f"{name} is {text}, not between {self.least:,} and {self.most:,}"
            raise BadSettingError(node, what)
        return int(value) if value.is_integer() else value

    def schema(self) -> dict[str, object]:
        """Describe the number in JSON Schema."""
        kinds = ["number", "null"] if self.optional else "number"
        return {"type": kinds, "minimum": self.least, "maximum": self.most}


EVALUATE_RULES: dict[str, Horizons | Number | Whole] = {
    "horizons": Horizons(),
    "delay": Whole("", 0, MOST_BARS_AHEAD, "1"),
    "cost_bp": Number(0, MOST_COST_BP),
    "bars_per_year": Number(1, MOST_BARS_PER_YEAR, optional=True),
}
