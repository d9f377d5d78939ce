"""Facts about `audit`: which signals of a run each tool of floats gets wrong, and why."""

from __future__ import annotations

import csv
import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from rollsignal.analysis.rivals import RIVALS
from rollsignal.cli.flags import TOOLS
from tests.support import oracle
from tests.support.shell import ROOT, command, published

WINDOW = 3
INSTALLED = [tool for tool in TOOLS if RIVALS[tool].is_installed]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(
    closes: dict[str, list[str]], *, window: int = WINDOW, config: str = "missing: gap\n"
) -> None:
    """Decide series of closes, of which "" is a missing one, into s.csv and r.json."""
    rows = [
        f"{symbol},{place // 60:02}:{place % 60:02},{close}"
        for symbol, cells in closes.items()
        for place, close in enumerate(cells)
    ]
    rows = [row.replace(",", ",2024-01-01T", 1) for row in rows]
    Path("bars.csv").write_text("\n".join(["symbol,timestamp,close", *rows, ""]))
    Path("config.yaml").write_text(f"seed: 1\nversion: v\nwindow: {window}\n{config}")
    flags = ("--input=bars.csv", "--record=r.json", "--signals=s.csv")
    assert command("run", *flags) == 0


class Audits:
    """Calls the command and reads what it prints."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def told(self, *arguments: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = command("audit", *arguments)
        return code, *self._capsys.readouterr()

    def document(self, *arguments: str) -> dict[str, Any]:
        code, printed, said = self.told("--json", *arguments)
        assert (code, said) == (0, "")
        return published(printed)


@pytest.fixture
def audits(capsys: pytest.CaptureFixture[str]) -> Audits:
    return Audits(capsys)


def cents(seed: int, count: int, missing: float) -> list[str]:
    """Draw closes that stand still often, so that there are many ties."""
    draw = random.Random(seed)
    ticks, cells = 4_200_000, []
    for _ in range(count):
        ticks += draw.choice((-1, 0, 0, 1))
        if draw.random() < 0.01:
            ticks += draw.randrange(-9999, 9999)
        cells.append("" if draw.random() < missing else f"{ticks // 100}.{ticks % 100:02}")
    return cells


def wrong_places(
    closes: list[str], window: int, means: list[float], alone: list[float]
) -> list[tuple[int, bool]]:
    """Return the places that a tool gets wrong, by fractions, and whether earlier bars did it."""
    exact = oracle.prices([cell or None for cell in closes])
    signals = oracle.signals(exact, window)
    wrong = []
    for place, (cell, signal) in enumerate(zip(closes, signals, strict=True)):
        if signal is None or not np.isfinite(means[place]):
            continue
        if int(float(cell) > means[place]) != signal:
            wrong.append((place, int(float(cell) > alone[place]) == signal))
    return wrong


def test_every_wrong_signal_is_listed_and_no_other(folder: Path, audits: Audits) -> None:
    closes = {"A": cents(1, 1400, 0.0), "B": cents(2, 1400, 0.01)}
    window = 7
    run(closes, window=window)
    document = audits.document("r.json", "--against=pandas", "--output=wrong.json")
    listed = json.loads(Path("wrong.json").read_text())
    expected = []
    for symbol, cells in closes.items():
        doubles = pd.Series([float(cell) if cell else np.nan for cell in cells])
        means = doubles.rolling(window).mean().tolist()
        tails = [doubles[max(0, end - window) : end] for end in range(1, len(cells) + 1)]
        alone = [tail.rolling(window).mean().iloc[-1] for tail in tails]
        expected += [(symbol, *found) for found in wrong_places(cells, window, means, alone)]
    assert expected
    times = {f"2024-01-01T{place // 60:02}:{place % 60:02}:00Z": place for place in range(1400)}
    assert [(bar["symbol"], times[bar["timestamp"]], bar["carried"]) for bar in listed] == expected
    (tool,) = document["tools"]
    assert tool["wrong"] == len(expected)
    assert tool["carried"] == sum(carried for *_, carried in expected)
    assert document["first"] == listed[:10]


def test_a_wrong_bar_says_both_means_and_the_exact_margin(folder: Path, audits: Audits) -> None:
    run({"A": cents(1, 1400, 0.0)})
    audits.document("r.json", "--against=numpy", "--output=wrong.json")
    cells = cents(1, 1400, 0.0)
    bars = json.loads(Path("wrong.json").read_text())
    assert bars
    for bar in bars:
        place = int(bar["timestamp"][11:13]) * 60 + int(bar["timestamp"][14:16])
        window = [Fraction(cell) for cell in cells[place - WINDOW + 1 : place + 1]]
        margin = (WINDOW * window[-1] - sum(window)) * 100
        assert Fraction(bar["close"]) == window[-1]
        assert bar["mean"] == float(sum(window) / WINDOW)
        assert (bar["margin_ticks"], bar["tie"]) == (margin, margin == 0)
        assert bar["signal"] == int(margin > 0) == 1 - bar["tool_signal"]


def test_the_largest_error_is_that_against_the_nearest_doubles(
    folder: Path, audits: Audits
) -> None:
    cells = ["0.1", "0.7", "1000000000000.3", "0.2", "0.3", "0.1", "0.7", "0.6"]
    run({"A": cells})
    (tool,) = audits.document("r.json", "--against=numpy")["tools"]
    sums = np.cumsum([float(cell) for cell in cells])
    means = [sums[2] / 3, *((sums[3:] - sums[:-3]) / 3)]
    exact = [float(sum(map(Fraction, cells[at : at + 3])) / 3) for at in range(len(cells) - 2)]
    assert tool["largest_error"] == max(
        abs(mean - right) for mean, right in zip(means, exact, strict=True)
    )


def test_closes_of_any_size_are_compared_exactly(folder: Path, audits: Audits) -> None:
    huge = "9" * 25
    run({"A": [huge + ".1", huge + ".2", huge + ".3", huge + ".3", "0.1", "0.2"]})
    document = audits.document("s.csv", "--against=python", "--set=missing=gap")
    (tool,) = document["tools"]
    # All doubles are the same one, so the tool sees ties where the closes rise.
    assert (tool["wrong"], tool["ties"]) == (2, 0)
    assert [bar["margin_ticks"] for bar in document["first"]] == [3, 1]


def test_the_sample_is_wrong_as_often_as_the_guide_says(folder: Path, audits: Audits) -> None:
    config = ROOT / "config.yaml"
    flags = (f"--input={ROOT / 'data.csv'}", f"--config={config}", "--signals=s.parquet")
    assert command("run", *flags) == 0
    tools = audits.document("s.parquet", f"--config={config}")["tools"]
    wrong = {tool["tool"]: tool["wrong"] for tool in tools}
    assert (wrong["pandas"], wrong["numpy"]) == (8, 77)
    assert list(wrong) == INSTALLED


def test_a_tool_that_has_no_answer_after_a_gap_is_not_called_wrong(
    folder: Path, audits: Audits
) -> None:
    run({"A": ["1", "2", "3", "", "1", "2", "3", "4"]})
    (tool,) = audits.document("r.json", "--against=numpy")["tools"]
    assert (tool["bars"], tool["unanswered"], tool["wrong"]) == (3, 2, 0)
    code, printed, _ = audits.told("r.json", "--against=numpy")
    assert code == 0
    assert "NumPy cumsum has no answer for 2 bars\n" in printed


def test_missing_closes_that_are_skipped_are_not_given_to_the_tools(
    folder: Path, audits: Audits
) -> None:
    run({"A": ["1", "2", "3", "", "1", "2", "3", "4"]}, config="missing: skip\n")
    for past in ("r.json", "s.csv"):
        (tool,) = audits.document(past, "--against=numpy")["tools"]
        assert (tool["bars"], tool["unanswered"]) == (5, 0)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_wrong_signals_are_written_in_every_form(folder: Path, audits: Audits, suffix: str) -> None:
    run({"=A": cents(1, 1400, 0.0)})
    path = f"wrong{suffix}"
    (tool,) = audits.document("r.json", "--against=numpy", f"--output={path}")["tools"]
    rows: list[dict[str, Any]]
    if suffix == ".parquet":
        rows = pl.read_parquet(path).to_dicts()
    elif suffix == ".json":
        rows = json.loads(Path(path).read_text())
    else:
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
    assert len(rows) == tool["wrong"] > 0
    assert rows[0]["symbol"] == ("'=A" if suffix == ".csv" else "=A")


def test_a_run_without_a_wrong_signal_lists_none(folder: Path, audits: Audits) -> None:
    run({"A": ["1", "2", "3", "4"]})
    document = audits.document("r.json", "--output=wrong.csv")
    assert document["first"] == []
    assert {tool["wrong"] for tool in document["tools"]} == {0}
    assert len(Path("wrong.csv").read_text().splitlines()) == 1
    assert "the first" not in audits.told("r.json")[1]


def test_tools_that_are_not_installed_are_listed_as_absent(
    folder: Path, audits: Audits, monkeypatch: pytest.MonkeyPatch
) -> None:
    run({"A": ["1", "2", "3", "4"]})
    monkeypatch.setitem(RIVALS, "talib", RIVALS["talib"]._replace(module="talib_not_here"))
    document = audits.document("r.json")
    assert set(document["absent"]) == set(TOOLS) - {tool["tool"] for tool in document["tools"]}
    assert "talib" in document["absent"]
    assert "talib" in audits.told("r.json")[1].partition("not installed: ")[2]
    code, _, said = audits.told("r.json", "--against=pandas,talib")
    assert (code, said) == (
        2,
        "rollsignal: error: --against names talib, which is not installed (pip install ta-lib)\n",
    )


def test_an_unknown_tool_is_refused_with_the_nearest_one(folder: Path, audits: Audits) -> None:
    run({"A": ["1", "2", "3", "4"]})
    code, _, said = audits.told("r.json", "--against=panda")
    assert (code, said) == (
        2,
        "rollsignal: error: --against has an unknown tool 'panda': did you mean pandas?\n",
    )


def test_an_output_of_another_suffix_is_refused_before_anything_is_read(
    folder: Path, audits: Audits
) -> None:
    code, _, said = audits.told("nothing.json", "--output=wrong.txt")
    assert code == 2
    assert said.startswith("rollsignal: error: --output wrong.txt must end in one of .csv")


def test_the_tools_of_the_flag_and_of_explain_are_one_list() -> None:
    assert tuple(RIVALS) == TOOLS
