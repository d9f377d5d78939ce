"""This module builds the report of a check: what was read, and what is wrong with it."""

from itertools import islice

from rollsignal.engines.doubts import SHOWN, Doubt, Doubts
from rollsignal.engines.local import Result
from rollsignal.errors import shown_path


def report(found: Result, doubts: Doubts) -> dict[str, object]:
    """Build the report: how often each check found something, and the first few places."""
    wrong = {doubts.levels[name] for name in doubts.counts}
    return {
        "status": "errors" if "error" in wrong else "warnings" if wrong else "ok",
        "rows": found.tally.rows,
        "series": len(found.series),
        "files": {
            "count": len(found.forms),
            "first": [
                {"file": shown_path(path), "form": form}
                for path, form in islice(found.forms.items(), SHOWN)
            ],
        },
        "checks": {
            name: {
                "level": level,
                "count": doubts.counts[name],
                "first": [_shown(doubt) for doubt in doubts.first.get(name, [])],
            }
            for name, level in doubts.levels.items()
        },
    }


def _shown(doubt: Doubt) -> dict[str, object]:
    shown = doubt._asdict()
    del shown["check"]
    return shown
