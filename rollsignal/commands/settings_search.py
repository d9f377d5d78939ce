"""This module finds the settings with which the readers take a table, by trying them out.

It begins with none. A refusal says what the config may say, and each such choice is tried in turn.
So nothing is known here of how tables are read, and what a config is found to mean is what a run
will make of it.
"""

import json
import re
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import cast

from rollsignal.commands.candidates import (
    CANDIDATES,
    closes_elsewhere,
    symbols_below,
    symbols_in_header,
    usual_closes,
)
from rollsignal.commands.closes import between_the_others
from rollsignal.commands.solutions import Settings, Solution
from rollsignal.commands.trials import Trial
from rollsignal.engines.first_rows import Look, look
from rollsignal.errors import Choice, ConfigError, DataError, JobError
from rollsignal.files.find import Input

MOST_TRIES = 3_000
USUAL_NAME = "a usual name of closes"
_TICKER = re.compile(r"[A-Z][A-Z0-9.-]{0,5}")


class Search:
    """The search for the settings of some files; `refusal` is the last one.

    seconds: how long it may take, None for as long as it takes.
    """

    def __init__(self, files: Sequence[Input], rows: int, seconds: float | None = None) -> None:
        self.refusal: JobError | None = None
        self._files = files
        self._rows = rows
        self._ends = None if seconds is None else perf_counter() + seconds
        self._tries = 0
        self._is_last = False
        self._looks: dict[str, Look | JobError] = {}

    def solutions(self) -> list[Solution]:
        """Return all settings that were found, [] if none let the table in."""
        nothing = Solution({}, Look([], {}))
        found = self._solve(nothing, {}, "")
        if not found:
            self._is_last = True
            found = self._solve(nothing, {}, "")
        if self.is_over:
            # What was not tried may be right as well.
            found = []
        if not found:
            self.refusal = cast(JobError, self._looks["{}"])
        return found

    def look(self, settings: Settings) -> Look | JobError:
        """Return what the first rows are with some settings, or why they are refused."""
        key = json.dumps(settings, sort_keys=True, ensure_ascii=False)
        if key not in self._looks:
            self._tries += 1
            try:
                self._looks[key] = look(self._files, settings, self._rows)
            except (DataError, ConfigError) as error:
                self._looks[key] = error
            except UnicodeEncodeError:
                self._looks[key] = ConfigError("a column cannot be written as UTF-8")
        return self._looks[key]

    @property
    def is_over(self) -> bool:
        """Return whether there is no more time, or too much was tried."""
        is_late = self._ends is not None and perf_counter() > self._ends
        return is_late or self._tries >= MOST_TRIES

    def _solve(self, so_far: Solution, last: Choice, before: str) -> list[Solution]:
        """Return the solutions that begin with these settings.

        before: the refusal without the last of them, which must have changed it.
        """
        seen = self.look(so_far.settings)
        if isinstance(seen, Look):
            return [so_far._replace(look=seen)]
        if seen.message == before or _is_vain(last, seen) or self.is_over:
            return []

        def solve(choices: Sequence[Choice], why: str) -> list[Solution]:
            return self._all_of(so_far, choices, why, seen.message)

        trial = Trial(self._files, so_far.settings, seen, self.look)
        return self._by_choices(seen, solve) or self._by_candidates(trial, solve)

    def _all_of(
        self, so_far: Solution, choices: Sequence[Choice], why: str, before: str
    ) -> list[Solution]:
        found = []
        for choice in choices:
            known = so_far.settings
            contradicts = any(
                _contradicts(known.get(key, value), value) for key, value in choice.items()
            )
            is_known = choice.items() <= known.items()
            if contradicts or is_known or _names_one_twice({**known, **choice}):
                continue
            reasons = {**so_far.why, **{key: why or _WHY.get(key, "") for key in choice}}
            asked = so_far.asked | {key for key, value in choice.items() if _is_asked(key, value)}
            more = Solution({**known, **choice}, so_far.look, reasons, asked)
            found += self._solve(more, choice, before)
        return found

    def _by_choices(
        self, error: JobError, solve: "Callable[[Sequence[Choice], str], list[Solution]]"
    ) -> list[Solution]:
        """Return the solutions by what the refusal itself says."""
        sheets = [each for each in error.choices if "table.sheet" in each]
        closes = [each for each in error.choices if "columns.close" in each]
        if not closes:
            found = solve(error.choices, "")
            # A usual name can be read in the right encoding only.
            named = [each for each in found if each.why.get("columns.close") == USUAL_NAME]
            return named if named and "table.encoding" in error.choices[0] else found
        if isinstance(closes[0]["columns.close"], int):
            wide = solve(symbols_below(error, self._files[0]), "")
            wide = [each.asking("table.header") for each in wide]
            if found := [*wide, *between_the_others(solve(closes, ""))]:
                return found
        groups = usual_closes(error)
        if not groups and (found := solve(sheets, "")):
            return found
        for group in groups or closes_elsewhere():
            if found := solve(group, USUAL_NAME):
                # A surer name that cannot be read may still be the right one.
                wide = _if_ticker(solve(symbols_in_header(error), ""), group)
                is_surest = (not groups or group is groups[0]) and not wide
                sure = found if is_surest else [each.asking("columns.close") for each in found]
                return [*sure, *wide]
        found = solve(closes, "")
        likely = between_the_others(found)
        wide = solve(symbols_in_header(error), "") if len(likely) == len(found) else []
        return [*likely, *wide]

    def _by_candidates(
        self, trial: Trial, solve: "Callable[[Sequence[Choice], str], list[Solution]]"
    ) -> list[Solution]:
        """Return the solutions by what is tried out on any table."""
        for candidates in CANDIDATES:
            if trial.error.check != candidates.check or candidates.is_last > self._is_last:
                continue
            choices = candidates.choices(trial)
            for group in [choices] if candidates.is_choice else [[each] for each in choices]:
                if found := solve(group, candidates.why):
                    # Of a finding it is not known what it comes from.
                    is_asked = candidates.is_choice and candidates.check
                    names = {name for choice in group for name in choice} if is_asked else set()
                    return [_asking_all(each, names) for each in found]
        return []


_WHY = {
    "columns.timestamp": "the column of the times",
    "columns.close": "the only column that can be the closes",
    "columns.symbol": "whose bars they are: as one series, they are refused",
    "timestamp_format": "the only way in which all times can be read",
    "table.records": "where the bars are in the document",
    "table.header": "which line is the header",
    "table.first_row": "the lines between the header and this one are no bars",
    "table.delimiter": "what is between fields",
    "table.encoding": "the encoding in which a column has a usual name of closes",
    "table.decimal": "the sign before decimals",
    "table.thousands": "the sign between thousands",
    "table.strip": "what stands beside numbers",
}


def _is_vain(last: Choice, error: JobError) -> bool:
    """Return whether the choice made last did not even lead to a column, or to several."""
    is_close = "columns.close" in last and bool(error.names)
    return is_close or ("table.delimiter" in last and len(error.names) == 1)


def _asking_all(solution: Solution, names: set[str]) -> Solution:
    """Return the solution with those of the settings that it has asked for."""
    return solution._replace(asked=solution.asked | (names & solution.settings.keys()))


def _contradicts(known: object, value: object) -> bool:
    """Return whether a value contradicts the known one, and is no list with it."""
    return known != value and not (isinstance(value, list) and known in value)


def _if_ticker(wide: list[Solution], closes: Sequence[Choice]) -> list[Solution]:
    """Return wide solutions if a usual name of closes, such as C, may as well be a symbol."""
    names = [str(each["columns.close"]).strip() for each in closes]
    symbols = {bar.symbol for each in wide for bar in each.look.bars}
    is_ticker = any(_TICKER.fullmatch(name) or name == "c" for name in names)
    return wide if is_ticker and len(symbols) > 1 else []


def _names_one_twice(settings: Settings) -> bool:
    """Return whether a column would be two things at once."""
    columns: list[object] = []
    for name in ("columns.close", "columns.timestamp", "columns.symbol"):
        value = settings.get(name)
        columns += value if isinstance(value, list) else [value]
    named = [column for column in columns if column not in (None, "none")]
    return any(named.count(column) > 1 for column in named)


def _is_asked(key: str, value: object) -> bool:
    """Return whether a setting is never known only because all others are refused."""
    if key == "columns.symbol":
        return value == "none" or isinstance(value, dict | list)
    if key == "columns.timestamp":
        return not isinstance(value, list) or any(isinstance(part, dict) for part in value)
    if key == "timestamp_format":
        return value in ("excel", "ms_of_day")
    # A row that is cut off looks like a footer; one of several places in a document may be all that
    # fits beside other files.
    asked = ("missing", "table.footer", "table.sheet", "table.records", "sort", "duplicates")
    return key in asked
