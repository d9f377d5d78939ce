"""This module is the story of `init`: look at a table, and write a config that reads it.

What can be known of the table is set, what cannot is asked in comments. It reads with the readers
of a run, and holds at the end that the config does what it says.
"""

import shlex
from collections.abc import Collection, Sequence
from typing import NamedTuple

from rollsignal.commands.inquiries import inquiries
from rollsignal.commands.questions import Answers, Question, answers_of, shown_bars
from rollsignal.commands.settings_search import Search
from rollsignal.commands.solutions import Solution
from rollsignal.config.reading import config_in, config_of
from rollsignal.config.writing import ConfigLine, as_yaml, config_text
from rollsignal.engines.first_rows import look_with
from rollsignal.errors import ConfigError, DataError, JobError, OutputError, UsageError
from rollsignal.files.find import Input, find_inputs
from rollsignal.files.open import exists, lexists
from rollsignal.files.replace import replace
from rollsignal.messages import plural, shown_path

SEARCHED_ROWS = 2_000
CHECKED_ROWS = 20_000
MOST_CHECKED = 20
MOST_FILES = 20
WINDOW = 5
WRITTEN_SETTINGS = {"seed": 42, "window": WINDOW, "version": "v1"}
WRITTEN = {"seed": "42", "window": str(WINDOW), "version": '"v1"'}


class Searched(NamedTuple):
    """What was found out about some files: all solutions, and how many rows were looked at."""

    solutions: list[Solution]
    search: Search


def init(inputs: Sequence[str], config_path: str) -> str:
    """Write a config for some files; return what was done, for people.

    Raises `OutputError` if there is a file already, `DataError` if no settings let the files in,
    `UsageError` for what cannot be read several times.
    """
    if lexists(config_path):
        hint = "name another file with --config"
        raise OutputError(f"{shown_path(config_path)} exists already; nothing was written", hint)
    every = _readable_again(find_inputs(inputs))
    files = _sampled(every)
    found = _searched(files)
    answers = answers_of(found.solutions)
    asked = {question.name for question in answers.questions}
    more = inquiries(found.search, found.solutions[0])
    answers.questions.extend(question for question in more if question.name not in asked)
    account = _account(files, len(every), found, answers)
    text = _config_text([_title(every), *account], found, answers)
    _hold(text, files, found, answers)
    replace(config_path, text)
    return _said(inputs, config_path, account, answers)


def _readable_again(files: Sequence[Input]) -> Sequence[Input]:
    """Return the files; raises `UsageError` for one that can be read only once."""
    for file in files:
        if file.kind not in ("file", "other") or (file.kind == "other" and exists(file.path)):
            what = f"{file.name} is not a regular file; init reads every file several times"
            raise UsageError(what, "save it to a file first")
    return files


def _sampled(files: Sequence[Input]) -> Sequence[Input]:
    """Return the files to look at: the first and the last ones of many."""
    if len(files) <= MOST_FILES:
        return files
    return [*files[: MOST_FILES // 2], *files[-MOST_FILES // 2 :]]


def _searched(files: Sequence[Input]) -> Searched:
    """Find all settings that let the files in; raises `DataError` if there are none."""
    for rows in (SEARCHED_ROWS, CHECKED_ROWS):
        search = Search(files, rows)
        solutions = search.solutions()
        refusal = search.refusal
        if solutions:
            solutions, refusal = _checked(files, solutions)
        if not refusal:
            return Searched(solutions, search)
        if search.refusal:
            break
    assert refusal, "there is no other way out"
    detail = f"{refusal.detail}; " if refusal.detail else ""
    raise DataError(refusal.message, detail + "init found no settings with which it is read")


def _checked(
    files: Sequence[Input], solutions: Sequence[Solution]
) -> tuple[list[Solution], JobError | None]:
    """Return solutions with a look at more rows, and the first refusal of one."""
    search = Search(files, CHECKED_ROWS)
    checked = []
    for solution in solutions[:MOST_CHECKED]:
        look = search.look(solution.settings)
        if isinstance(look, JobError):
            return [], look
        checked.append(solution._replace(look=look))
    return [*checked, *solutions[MOST_CHECKED:]], None


def _title(files: Sequence[Input]) -> str:
    more = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
    return f"Written by rollsignal init for {files[0].name}{more}."


def _account(files: Sequence[Input], every: int, found: Searched, answers: Answers) -> list[str]:
    """Return what was looked at, and what it was understood as; every: how many files there are."""
    look = found.solutions[0].look
    rows = plural(look.rows, "row")
    which = f"the first {rows}" if not look.is_whole else f"all {rows}" if look.rows > 1 else rows
    of_files = f" of {len(files)} of {every:,} files" if len(files) < every else ""
    texts = [f"It looked at {which}{of_files}."]
    if not any(question.is_open for question in answers.questions):
        texts += [f"{shown_path(path)}: {form}" for path, form in look.descriptions.items()][:3]
    if look.is_whole and look.rows < WINDOW:
        texts.append(f"A run needs at least {WINDOW} bars, as many as window.")
    bars = shown_bars(found.solutions)
    return [*texts, "The first bars in it, with times in UTC:", *(f"  {bar}" for bar in bars)]


def _config_text(heading: Sequence[str], found: Searched, answers: Answers) -> str:
    """Return the text of the config."""
    why = found.solutions[0].why
    lines = [ConfigLine(name, value) for name, value in WRITTEN.items()]
    for name, value in answers.known.items():
        reason = why[name]
        lines.append(ConfigLine(name, as_yaml(value), [f"{reason[:1].upper()}{reason[1:]}."]))
    with_value = [*answers.known, *(each.name for each in answers.questions if each.is_open)]
    sections = {name.rpartition(".")[0] for name in with_value}
    asked = [_line_of(question, sections) for question in answers.questions]
    return config_text(heading, [*lines, *asked])


def _line_of(question: Question, sections: Collection[str]) -> ConfigLine:
    """Return a question as a part of the config; a setting that is open has no value.

    sections: those that have settings in the config.
    """
    section, _, key = question.name.rpartition(".")
    before, after = ("", "") if section in ("", *sections) else (f"{section}: {{", "}")
    may = [
        f"  {before}{key}: {value}{after}    ({meaning})"
        for value, meaning in question.alternatives
    ]
    value = "" if question.is_open else None
    return ConfigLine(question.name, value, [f"QUESTION: {question.text}", *may])


def _hold(text: str, files: Sequence[Input], found: Searched, answers: Answers) -> None:
    """Hold that a config reads as was found, or, with open questions, that a run refuses it."""
    if not any(question.is_open for question in answers.questions):
        wanted = config_of({**WRITTEN_SETTINGS, **found.solutions[0].settings})
        assert config_in(text) == wanted, "the config says what was found"
        return
    try:
        look_with(files, config_in(text), SEARCHED_ROWS)
    except (ConfigError, DataError):
        return
    raise DataError(f"{files[0].name}: what is in doubt would not be asked for by a run")


def _said(inputs: Sequence[str], config_path: str, account: Sequence[str], answers: Answers) -> str:
    """Return what was done, as text for people."""
    path = shown_path(config_path)
    lines = [f"{path} is written.", *account]
    is_open = any(question.is_open for question in answers.questions)
    if answers.questions:
        count = plural(len(answers.questions), "question")
        lines.append(f"It has {count}, each marked with QUESTION.")
    if is_open:
        lines.append("A run refuses the table until a value is written where there is none.")
    elif answers.questions:
        lines.append("A run needs no answer: each question says what it takes for granted.")
    command = ["rollsignal", "run", "--input", *inputs, "--config", config_path]
    return "\n".join([*lines, f"Next: {shlex.join(command)}"]) + "\n"
