"""The published schemas take what the program reads and writes, and nothing that is wrong."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from rollsignal.config.reading import load_config
from rollsignal.errors import ConfigError
from rollsignal.outputs.record.schema import schema_of
from tests.support.shell import CONFIG, STAMPED, Recorded, command, strict_json

NAMES = ("config", "metrics", "record")


def check(name: str, document: Any) -> None:
    jsonschema.Draft202012Validator(schema_of(name)).validate(document)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one_and_names_its_version(
    name: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert command("schema", name) == 0
    schema = strict_json(capsysbinary.readouterr().out.decode())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    version = 2 if name == "record" else 1
    assert schema["$id"] == f"urn:rollsignal:schema:{name}:{version}"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("anything", "known: config, metrics, record, evaluation"),
        ("recrod", "did you mean record?"),
    ],
)
def test_there_is_no_schema_of_anything_else(
    name: str, hint: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert command("schema", name) == 2
    told = capsysbinary.readouterr().err.decode()
    assert f"unknown schema '{name}': {hint} (see rollsignal schema --help)" in told


def test_metrics_and_records_of_runs_are_as_published(tmp_path: Path) -> None:
    files = Recorded(tmp_path, STAMPED, CONFIG + "checks: {duplicates: warn, gaps: warn}\n")
    assert files.run(f"--signals={tmp_path / 's.csv'}") == 0
    check("metrics", files.metrics())
    check("record", files.read())
    files.config.write_text(CONFIG)
    assert files.run() == 65
    check("metrics", files.metrics())
    check("record", files.read())
    files.config.write_text("window: 1")
    assert files.run() == 78
    check("metrics", files.metrics())
    check("record", files.read())


def test_the_record_of_a_run_under_way_is_as_published(tmp_path: Path) -> None:
    files = Recorded(tmp_path)
    files.input = Path("-")
    with files.start(f"--record={files.record}") as process:
        check("record", files.read())
        process.communicate("close\n1\n2\n")
    check("record", files.read())


METRICS = {
    "version": "v1",
    "rows_processed": 8,
    "metric": "signal_rate",
    "value": 0.5,
    "latency_ms": 7,
    "seed": 42,
    "status": "success",
}


@pytest.mark.parametrize(
    "change",
    [
        {"value": 1.5},
        {"value": None},
        {"metric": "rate"},
        {"status": "error"},
        {"seed": -1},
        {"seed": True},
        {"latency_ms": 1.5},
        {"more": 1},
        {"version": ""},
    ],
)
def test_metrics_that_are_wrong_are_refused(change: dict[str, Any]) -> None:
    check("metrics", METRICS)
    with pytest.raises(jsonschema.ValidationError):
        check("metrics", METRICS | change)


@pytest.mark.parametrize("name", METRICS)
def test_metrics_without_one_of_their_keys_are_refused(name: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        check("metrics", {key: value for key, value in METRICS.items() if key != name})


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("status",), "done"),
        (("schema",), "urn:rollsignal:schema:record:3"),
        (("digest",), "abc"),
        (("digest",), None),
        (("tally",), None),
        (("tally", "ties"), -1),
        (("error",), {"exit_code": 1, "message": "x"}),
        (("inputs",), []),
        (("inputs", 0, "file", "sha256"), "A" * 64),
        (("inputs", 0, "compared_by"), "guess"),
        (("config", "window", "value"), 0),
        (("config", "warmup", "value"), "none"),
        (("config", "window", "line"), 0),
        (("process", "started"), "yesterday"),
        (("program", "engine"), "other"),
        (("more",), 1),
    ],
)
def test_a_record_that_is_wrong_is_refused(
    tmp_path: Path, place: tuple[Any, ...], value: object
) -> None:
    files = Recorded(tmp_path)
    assert files.run() == 0
    record = files.read()
    check("record", record)
    wrong = copy.deepcopy(record)
    at = wrong
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        check("record", wrong)


@pytest.mark.parametrize("name", json.loads(json.dumps(schema_of("record")))["required"])
def test_a_record_without_one_of_its_keys_is_refused(tmp_path: Path, name: str) -> None:
    files = Recorded(tmp_path)
    assert files.run() == 0
    record = files.read()
    del record[name]
    with pytest.raises(jsonschema.ValidationError):
        check("record", record)


@pytest.mark.parametrize(
    ("more", "good"),
    [
        ("", True),
        ("sort: true\nmissing: gap\nwarmup: zero\n", True),
        ("columns: {close: c, timestamp: null, symbol: s}\n", True),
        ("columns: {symbol: {from: filename}}\n", True),
        ("columns: {symbol: [exchange, 2]}\n", True),
        ("columns: {symbol: [exchange]}\n", False),
        ("columns: {symbol: {from: header}}\n", True),
        ("columns: {symbol: {from: key}}\n", True),
        ("columns: {timestamp: [{from: path, pattern: '([0-9]+)_'}, 1]}\n", True),
        ("columns: {timestamp: [date, 2]}\n", True),
        ("columns: {timestamp: [date]}\n", False),
        ("columns: {symbol: {from: key, only: [A]}}\n", False),
        ("columns: {symbol: {from: header, only: [A, 2]}}\n", True),
        ("columns: {symbol: {from: header, except: [A]}}\n", True),
        ("columns: {symbol: {from: header, except: []}}\n", False),
        ("columns: {symbol: {from: folder}}\n", True),
        ("columns: {symbol: {from: path, pattern: '([A-Z]+)-1m'}}\n", True),
        ("columns: {symbol: {from: path}}\n", False),
        ("columns: {symbol: {from: path, pattern: BTC}}\n", False),
        ("columns: {symbol: {from: folder, pattern: '(x)'}}\n", False),
        ("checks: {order: warn, ohlc: off}\n", True),
        ("sort: 1\n", False),
        ("columns: {symbol: {from: host}}\n", False),
        ("columns: {close: null}\n", False),
        ("columns: {close: ' '}\n", False),
        ("checks: {order: maybe}\n", False),
        ("checks: 1\n", False),
        ("windows: 1\n", False),
    ],
)
def test_the_schema_of_a_config_agrees_with_its_reader(
    tmp_path: Path, more: str, good: bool
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG + more)
    # YAML 1.1 takes off for false; a config means the word.
    document = yaml.load(path.read_text(), yaml.BaseLoader)
    document |= {"seed": 42, "window": 2} | _typed(more)
    if good:
        load_config(str(path))
        check("config", document)
        return
    with pytest.raises(ConfigError):
        load_config(str(path))
    with pytest.raises(jsonschema.ValidationError):
        check("config", document)


def _typed(more: str) -> dict[str, Any]:
    """Give settings the types that YAML gives them, but for the word off."""
    typed: dict[str, Any] = yaml.safe_load(more.replace("off", "'off'")) or {}
    return typed


@pytest.mark.parametrize("config", ["window: 2\nversion: v\n", "seed: 1\nversion: v\n", "a: 1\n"])
def test_a_config_without_what_is_required_is_refused(config: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        check("config", yaml.safe_load(config))
