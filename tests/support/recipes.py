"""This module reads the recipes of docs/vendors.md: their tables, configs and results."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, NamedTuple
from zipfile import ZipFile

import yaml

from docs.generate import BASH, PART
from docs.sandbox import ROOT

PAGE = (ROOT / "docs/vendors.md").read_text("utf-8")
VALUE = re.compile(r'^  "value": ([\d.]+),$', re.MULTILINE)
HERE_DOCUMENT = re.compile(r"^cat > \S+ <<'EOF'\n(.*?)^EOF$", re.DOTALL | re.MULTILINE)
CONFIG = re.compile(r"^cat config.yaml - > \S+ <<'EOF'\n(.*?)^EOF$", re.DOTALL | re.MULTILINE)
PRINTED = re.compile(r"^printf '(.*)' \| cat config.yaml - > ", re.MULTILINE)


class Recipe(NamedTuple):
    """A table of a vendor, and what the page shows of its run.

    making: the commands before the run, which make the table. settings: those that the recipe adds.
    """

    command: str
    table: str
    value: Fraction
    rows: list[list[str]]
    making: str
    settings: dict[str, Any]

    @property
    def name(self) -> str:
        """Return the input, as it is named on the command line."""
        return self.command.split()[3]


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
            making = block[: block.index("rollsignal run")]
            added = CONFIG.search(block) or PRINTED.search(block)
            settings = yaml.safe_load(added[1].replace("\\n", "\n")) if added else {}
            found.append(Recipe(command, table, Fraction(value[1]), cells, making, settings))
    return found


def cells_of(command: str) -> list[str]:
    """Return what stands in the cells of the workbook that a command reads, if it reads one."""
    path = ROOT / "docs/examples" / command.split()[3]
    if not path.is_file():
        return []
    with ZipFile(path) as archive:
        sheets = [archive.read(part).decode() for part in archive.namelist()]
    return [cell for sheet in sheets for cell in re.findall(">([^<>]+)<", sheet)]
