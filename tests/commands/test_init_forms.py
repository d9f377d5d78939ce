"""The config that `init` writes for a table of a newer form gives the right value, or asks."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support.judging import differs
from tests.support.made_answers import answer
from tests.support.made_forms import Form, form
from tests.support.shell import command, strict_json
from tests.support.written_configs import USUAL, answered, asked_about, left_open

CASES = int(os.environ.get("ROLLSIGNAL_CASES", "300")) // 5
FIRST = int(os.environ.get("ROLLSIGNAL_FIRST_CASE", "0"))
WINDOW = 2


def run(made: Form) -> int:
    flags = [f"--set=window={WINDOW}", "--signals=s.csv"]
    return command("run", "--input", *made.files, *flags)


def wrong(made: Form) -> str:
    """Describe what is wrong with the last run, "" if nothing is."""
    right = answer(made.bars, WINDOW, "error", "exclude", True)
    assert right is not None
    right = right._replace(rows=None)
    return differs(right, strict_json(Path("metrics.json").read_text()))


def outcome(made: Form) -> str:
    """Write a config for a table and run it; return right, asked, refused, or what is wrong."""
    for name, content in made.files.items():
        Path(name).write_bytes(content)
    if command("init", "--input", *made.files):
        return "refused"
    text, code = Path("config.yaml").read_text(), run(made)
    if not left_open(text):
        return "right" if code == 0 and not wrong(made) else f"exit {code} {wrong(made)}: {text}"
    if code not in (65, 78):
        return f"exit {code} with an open question: {text}"
    asked = {key: values for key, values in asked_about(text).items() if key in left_open(text)}
    answers = {key: made.answers.get(key, USUAL[key]) for key in asked}
    if missing := [key for key, value in answers.items() if value not in asked[key]]:
        return f"{missing} without the right alternative: {text}"
    Path("config.yaml").write_text(answered(text, answers, asked))
    return f"wrong as answered: {text}" if run(made) or wrong(made) else "asked"


def test_a_table_of_a_newer_form_is_right_or_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes: Counter[str] = Counter()
    errors: dict[int, str] = {}
    for number in range(FIRST, FIRST + CASES):
        made = form(number)
        (tmp_path / str(number)).mkdir()
        monkeypatch.chdir(tmp_path / str(number))
        found = outcome(made)
        if found not in ("right", "asked"):
            errors[number], found = f"{made.kind}: {found}", "wrong"
        outcomes[f"{made.kind}: {found}"] += 1
    with capsys.disabled():
        sys.stdout.write(f"\n{CASES} tables of newer forms: {dict(sorted(outcomes.items()))}\n")
    assert errors == {}
