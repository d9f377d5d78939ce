"""This module makes jobs on tables with the oddities of real ones, and knows what they mean.

What a table means is drawn first: the bars of each series, in order. Then it is written down, with
names, order, zones, units, symbols, files and nights at random. So the right answer is known
without reading the table. It never imports rollsignal, so that the product is never its own oracle.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from tests.support.made_answers import Answer, Bar, answer
from tests.support.made_files import ending
from tests.support.made_layouts import OTHER_SYMBOLS, PARTING, Notes, Subject, layout
from tests.support.made_rows import written
from tests.support.made_times import STEPS, times

SYMBOLS = ["BTC", "ETH", "600519.SH", "AAPL", "brk.b", "0005"]
SENTINELS = ["2147483647", "9223372036854775807", "0", "-1.5", "0.00"]
Files = dict[str, bytes]


class Case(NamedTuple):
    """A job: files and inputs of each night, its config, and what is right.

    answer: None if nothing but a refusal is right. says: what must be on stderr if the run
    succeeds.
    """

    nights: Sequence[tuple[Files, Sequence[str]]]
    config: str
    answer: Answer | None
    says: str
    notes: Notes
    facts: str


def case(number: int) -> Case:
    """Make the case of this number, always the same."""
    return _Maker(Random(number)).made()


class _Maker:
    """Make one case, with the random numbers of a generator."""

    def __init__(self, rng: Random) -> None:
        self.rng, self.notes = rng, Notes()
        self.window = rng.randint(2, 4)
        self.is_timed = rng.random() > 0.08
        self.step = rng.choice(list(STEPS))
        self.symbols = rng.sample(SYMBOLS, rng.choice([1, 1, 1, 1, 2, 2, 3]))
        kinds = ["none"] * 4 + ["column"] * 3 if len(self.symbols) == 1 else ["column"] * 4
        self.source = rng.choice([*kinds, "hive", "filename"])
        self.says = ""

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def doubt(self, what: str) -> None:
        self.notes.doubts.append(what)

    def made(self) -> Case:
        bars = self._bars()
        years = {bar.at.year for bar in bars}
        has_many = len(self.symbols) > 1
        self.subject = Subject(self.is_timed, self.step, years, self.source, has_many)
        self.layout = layout(self.rng, self.subject, self.notes)
        config = self._config()
        # A column that holds the symbols of one series may be declared to mean nothing.
        if self.columns.get("symbol") == "none":
            bars = [bar._replace(symbol="") for bar in bars]
        nights = self._nights(bars)
        right = answer(bars, self.window, self.missing, self.warmup, self.is_timed)
        if right and self.notes.is_refused:
            right = None
        if right and not self.notes.rows_are_certain:
            right = right._replace(rows=None)
        if right and not self.notes.stamps_are_certain:
            right = right._replace(is_timed=False)
        facts = f"{self.symbols} {self.step} {self.layout} {vars(self.notes)}"
        return Case(nights, config, right, self.says, self.notes, facts)

    def _bars(self) -> list[Bar]:
        """Draw the bars of all series, in the order of time."""
        rng, bars = self.rng, list[Bar]()
        count = rng.randint(300, 900) if self.chance(0.03) else rng.randint(4, 9)
        is_relay = self.is_timed and self.chance(0.3)
        moments = times(rng, self.step, count * (len(self.symbols) if is_relay else 1))
        style = rng.choice(["whole", "whole", "cents", "mixed", "tiny", "low", "exponent"])
        for place, symbol in enumerate(self.symbols):
            mine = moments[place * count : (place + 1) * count] if is_relay else moments
            level = rng.choice([10, 30, 100, 1000])
            bars += [Bar(symbol, at, self._close(style, level)) for at in mine]
        if self.chance(0.06):
            place = rng.randrange(len(bars))
            bars[place] = bars[place]._replace(close=rng.choice(SENTINELS))
            self.says = "values"
        self.has_missing = self.chance(0.12)
        for _ in range(rng.randint(1, 2) if self.has_missing else 0):
            place = rng.randrange(len(bars))
            bars[place] = bars[place]._replace(close=None)
        if not any(bar.close in SENTINELS for bar in bars):
            self.says = ""
        return sorted(bars, key=lambda bar: bar.at)

    def _close(self, style: str, level: int) -> str:
        ticks = self.rng.randint(level * 90, level * 110)
        if style == "whole":
            return str(ticks // 100 or 1)
        if style == "tiny":
            return f"0.0000{ticks}"
        if style == "low":
            return str(self.rng.randint(1, 30))
        if style == "exponent" and self.chance(0.5):
            return self.rng.choice([f"{ticks}e-2", f"+{ticks}", f"0{ticks}.", f"{ticks}E1"])
        text = f"{ticks // 100}.{ticks % 100:02}"
        return text.rstrip("0").rstrip(".") if style == "mixed" else text

    # What is asked.

    def _config(self) -> str:
        self.missing = self.rng.choice(["error", "skip", "gap"] if self.has_missing else ["error"])
        self.warmup = self.rng.choice(["exclude", "exclude", "zero"])
        self.columns: dict[str, str] = {}
        settings = {"missing": self.missing, "warmup": self.warmup}
        self.sorts = self.is_timed and self.chance(0.12)
        if self.sorts:
            settings["sort"] = "true"
        self._declare_close()
        self._declare_symbols()
        settings |= self._times_declared()
        lines = [f"seed: 1\nwindow: {self.window}\nversion: 'v'"]
        lines += [f"{name}: {value}" for name, value in settings.items()]
        if self.columns:
            inside = ", ".join(f"{name}: {value}" for name, value in self.columns.items())
            lines.append(f"columns: {{{inside}}}")
        return "\n".join(lines) + "\n"

    def _declare_close(self) -> None:
        name = self.layout.close
        if name == "price" or ("Close" in self.layout.more and self.chance(0.5)):
            self.columns["close"] = repr(name)
        elif "Close" in self.layout.more:
            self.notes.is_refused = True

    def _declare_symbols(self) -> None:
        if self.source == "filename":
            self.columns["symbol"] = "{from: filename}"
        elif self.source == "column" and self.chance(0.3):
            self.columns["symbol"] = repr((self.layout.symbol or "").strip())
            self.notes.doubts = [doubt for doubt in self.notes.doubts if doubt[:7] != "symbols"]
        elif len(self.symbols) == 1 and self.source in ("column", "none") and self.chance(0.2):
            self.columns["symbol"] = "none"

    def _times_declared(self) -> dict[str, str]:
        name, spelling = (self.layout.time or "").strip(), self.layout.spelling
        self.is_declared_untimed = not self.is_timed and self.chance(0.5)
        if not self.is_timed:
            if self.is_declared_untimed:
                self.columns["timestamp"] = "none"
            else:
                self.says = "no timestamps"
            return {}
        if name and not self.layout.has_clock and self.chance(0.2):
            self.columns["timestamp"] = repr(name)
        if spelling.setting and not self.layout.stored and self.chance(0.3):
            return {"timestamp_format": f"'{spelling.setting}'"}
        return {}

    # Files and nights.

    def _nights(self, bars: list[Bar]) -> list[tuple[Files, list[str]]]:
        self.grows = False
        if self.sorts or not self.chance(0.2):
            files = self._files(bars, "")
            return [(files, self._inputs(files))]
        self.doubt("a state")
        self.notes.rows_are_certain = False
        count = self.rng.choice([2, 2, 3])
        cuts = sorted(self.rng.sample(range(1, len(bars)), min(count, len(bars)) - 1))
        if self.is_timed:
            cuts = [at for at in cuts if bars[at].at != bars[at - 1].at] or [len(bars)]
        nights, before = list[tuple[Files, list[str]]](), Files()
        self.grows = self.chance(0.4)
        for number, (begin, end) in enumerate(zip([0, *cuts], [*cuts, len(bars)], strict=True)):
            again = self.rng.randint(0, begin) if self.is_timed and self.chance(0.5) else 0
            rows = bars[:end] if self.grows else bars[begin - again : end]
            files = self._files(rows, "" if self.grows else f"night{number}/")
            inputs = {**before, **files} if self.chance(0.5) else files
            nights.append((files, self._inputs(inputs)))
            before |= files
        return nights

    def _inputs(self, files: Files) -> list[str]:
        names = list(files)
        if self.is_timed and self.chance(0.5):
            self.rng.shuffle(names)
        return names

    def _files(self, bars: list[Bar], folder: str) -> Files:
        """Write bars to one or more files."""
        files = Files()
        if self.source in ("hive", "filename"):
            key = Random(self.layout.key).choice([*PARTING, *OTHER_SYMBOLS])
            for symbol in self.symbols:
                name = f"{key}={symbol}/bars" if self.source == "hive" else symbol
                mine = [bar for bar in bars if bar.symbol in (symbol, "")]
                self._write(files, f"{folder}{name}", mine)
            return files
        names = self.rng.choice([["part1", "part2", "part10"], ["z", "m", "b"]])
        if not self.is_timed:
            names = ["part1", "part2", "part10"]
        for name, part in zip(names, self._parts(bars), strict=False):
            self._write(files, f"{folder}{name}", part)
        return files

    def _parts(self, bars: list[Bar]) -> list[list[Bar]]:
        if len(bars) < 4 or self.chance(0.6) or self.grows:
            return [bars]
        cuts = sorted(self.rng.sample(range(1, len(bars)), self.rng.choice([1, 1, 2])))
        if self.is_timed and len(self.symbols) > 1:
            cuts = [at for at in cuts if bars[at].at != bars[at - 1].at]
        if not self.is_timed and not self.is_declared_untimed and cuts:
            self.notes.is_refused = True
        parts = [bars[a:b] for a, b in zip([0, *cuts], [*cuts, len(bars)], strict=True)]
        if self.is_timed and len(parts) > 1 and self.chance(0.2):
            self.doubt("files overlap")
            self.notes.rows_are_certain = False
            parts[1] = [*parts[0][-self.rng.randint(1, len(parts[0])) :], *parts[1]]
        return parts

    def _write(self, files: Files, name: str, bars: list[Bar]) -> None:
        """Write the bars of one file, sometimes in another layout, or without times."""
        drawn = self.layout
        if self.is_timed and self.chance(0.04) and not self.columns:
            self.doubt("files unlike each other")
            self.notes.excuses.append("no timestamps")
            drawn = layout(self.rng, self.subject, self.notes)
            is_close = "price" not in drawn.close and "Close" not in drawn.more
            drawn = drawn if is_close else self.layout
        if self.is_timed and self.chance(0.01) and not drawn.has_clock:
            self.doubt("no times here")
            drawn = drawn._replace(time=None)
            self.notes.excuses.append("no timestamps")
        rows = self._ordered(list(bars))
        if self.is_timed and rows and self.chance(0.04):
            self._repeat(rows)
        suffix = ".gz" if drawn.dress == "gzip" else ""
        path = f"{name}.{ending(drawn.kind)}{suffix}"
        files[path] = written(rows, drawn, self.rng, self.notes)

    def _ordered(self, bars: list[Bar]) -> list[Bar]:
        if len(self.symbols) > 1 and self.chance(0.4):
            bars.sort(key=lambda bar: (self.symbols.index(bar.symbol), bar.at))
        if not self.is_timed or self.chance(0.75):
            return bars
        if not self.sorts:
            self.doubt("order")
        if self.chance(0.6):
            return bars[::-1]
        self.rng.shuffle(bars)
        return bars

    def _repeat(self, bars: list[Bar]) -> None:
        self.doubt("a bar twice")
        self.notes.rows_are_certain = False
        place = self.rng.randrange(len(bars))
        is_same = self.chance(0.5)
        bars.insert(place, bars[place] if is_same else bars[place]._replace(close="7.77"))
        self.notes.is_refused |= not is_same
