"""Write what was found as a table: one row for each kind of run or class of call."""

from collections import Counter
from collections.abc import Sequence

from faults.judging import COLUMNS
from faults.trials import Trial


def table(title: str, seen: Sequence[Trial]) -> str:
    """Return a table of the disturbances of each group, and how often each column was found.

    A disturbance counts once in a column, however many files it concerns.
    """
    groups = dict.fromkeys(trial.group for trial in seen)
    rows = [_row(group, [trial for trial in seen if trial.group == group]) for group in groups]
    head = [title, "tried", "struck", *COLUMNS]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows, _row("all", seen)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(name: str, seen: Sequence[Trial]) -> list[str]:
    found = Counter(
        column for trial in seen for column in {finding.column for finding in trial.findings}
    )
    counts = [len(seen), sum(trial.is_struck for trial in seen), *(found[key] for key in COLUMNS)]
    return [name, *map(str, counts)]


def listed(seen: Sequence[Trial]) -> list[str]:
    """List the disturbances after which something was wrong, each with what that was."""
    return [
        "\n    ".join([trial.text, *(f"{column}: {text}" for column, text in trial.findings)])
        for trial in seen
        if trial.findings
    ]
