"""This module shows how a run was made: enough to make it again, to the bit."""

import json

from rollsignal.messages import text_without_secrets, without_secrets
from rollsignal.outputs.record.document import Record, Setting
from rollsignal.report.markup import Content, Markup, element
from rollsignal.report.model import Page
from rollsignal.report.numbers import NONE, moment, plain, whole
from rollsignal.report.tables import card, facts, section, table

LISTED_FILES = 20


def made_section(page: Page) -> Markup:
    """Return the section."""
    record = page.record
    lead = "Enough to make it again, to the bit."
    if record is None:
        lead = "Identity, checks and inputs are not known: signals alone do not hold them."
        return section("made", "How this was made", lead, _settings_card(page))
    error = text_without_secrets(record.error.message) if record.error else None
    run = card("Run", error, facts(_run_facts(page, record)), kind="columns")
    parts = [
        run,
        _warnings_card(record),
        _inputs_card(record),
        _outputs_card(record),
        _settings_card(page),
    ]
    return section("made", "How this was made", lead, *parts)


def _run_facts(page: Page, record: Record) -> list[tuple[str, Content]]:
    rows: list[tuple[str, Content]] = [("status", record.status)]
    if record.error is not None:
        rows.append(("exit code", record.error.exit_code))
    if page.figures is not None and page.figures.evaluation.rate.value is not None:
        rows.append(("rate", plain(page.figures.evaluation.rate.value, 4)))
    rows.append(("started", f"{moment(record.process.started)} UTC"))
    ended = record.process.ended
    rows.append(("ended", f"{moment(ended)} UTC" if ended else NONE))
    if record.digest is not None:
        rows.append(("digest", element("code", record.digest, class_="sha")))
    program = record.program
    rows += [("rollsignal", program.rollsignal), ("Python", program.python)]
    rows += list(program.libraries.items())
    return [*rows, ("engine", program.engine)]


def _outputs_card(record: Record) -> Markup | None:
    if not record.outputs:
        return None
    rows = [(_path_code(file.path), _sha(file.sha256), whole(file.size)) for file in record.outputs]
    heads = ["output", "SHA-256", "bytes"]
    return element("div", table(None, heads, rows[:LISTED_FILES], 2), class_="card")


def _path_code(path: str) -> Markup:
    return element("code", without_secrets(path))


def _sha(digest: str | None) -> Markup | str:
    return NONE if digest is None else element("code", digest, class_="sha")


def _warnings_card(record: Record) -> Markup | None:
    if not record.warnings:
        return None
    items = [element("li", text_without_secrets(text)) for text in record.warnings]
    return card("Warnings", None, element("ul", *items))


def _inputs_card(record: Record) -> Markup:
    heads = ["input", "SHA-256", "rows", "read as"]
    rows: list[tuple[Content, ...]] = [
        (
            _path_code(read.file.path),
            _sha(read.file.sha256),
            whole(read.rows),
            read.form or NONE,
        )
        for read in record.inputs[:LISTED_FILES]
    ]
    if len(record.inputs) > LISTED_FILES:
        rows.append((f"and {len(record.inputs) - LISTED_FILES:,} more", "", "", ""))
    asked = [without_secrets(path) for path in record.asked.inputs]
    if not rows:
        return card("Inputs", f"The run ended before it read {', '.join(asked)}.")
    shown = table(None, heads, rows, 2)
    return element("div", shown, class_="card")


def _settings_card(page: Page) -> Markup:
    if not page.settings:
        return card("Settings", "The run ended before it read its config.")
    pairs = [_setting_fact(name, setting) for name, setting in page.settings.items()]
    sentence = "Each with the line of the config that it is from; all others are defaults."
    return card("Settings", sentence, facts(pairs), kind="columns")


def _setting_fact(name: str, setting: Setting) -> tuple[str, Content]:
    source = setting.source or (f"line {setting.line}" if setting.line else None)
    value = text_without_secrets(_value_of_setting(setting.value))
    if source is None:
        return name, element("span", value, class_="default")
    return name, element("span", value, " ", element("span", source, class_="small"))


def _value_of_setting(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
