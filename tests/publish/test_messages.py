"""Facts about what is made of a record: a heartbeat, and the metrics for Prometheus."""

from __future__ import annotations

import json
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

import pytest

from rollsignal.core.kernel import Tally
from rollsignal.outputs.record.document import (
    Asked,
    Failure,
    Process,
    Program,
    Record,
    RecordedCheck,
    Setting,
)
from rollsignal.publish.heartbeat import heartbeat_messages
from rollsignal.publish.interface import Post, Textfile
from rollsignal.publish.prometheus import GAUGES, prometheus_messages, with_kept

URL = "https://hc.example.com/ping/uuid"
GATEWAY = "http://host:9091/metrics/job/rollsignal/pipeline/btc"
STARTED, ENDED = "2024-01-31T23:59:58.500Z", "2024-02-01T00:00:00.125Z"
RECORD = Record(
    "success",
    Program("1.2.3", "3.11.7", {}),
    Process(12, "host", STARTED, ENDED),
    Asked(["bars.csv"], None, "config.yaml", {"--output": "metrics.json"}),
    config={
        "seed": Setting(42),
        "window": Setting(2),
        "version": Setting("v"),
        "warmup": Setting("exclude"),
    },
    tally=Tally(rows=8, signals=7, ones=4, ties=1),
    series=1,
    checks={"order": RecordedCheck("error", 0, []), "ohlc": RecordedCheck("off", 0, [])},
    stages_ms={"decide": 1250, "write": 0},
    newest_bar="2024-01-31T23:59:00.000000001Z",
    lagging=0,
    metrics={"version": "v", "value": 0.5714, "status": "success"},
)
RUNNING = RECORD._replace(
    status="running", process=RECORD.process._replace(ended=None), metrics=None
)
FAILED = RECORD._replace(status="error", error=Failure(66, "no"), metrics={"status": "error"})


def beat(record: Record, url: str = URL) -> Post:
    (message,) = heartbeat_messages(record, url)
    return message


def samples(text: str) -> dict[str, str]:
    """Return the values by metric and labels as they are written."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: value for name, _, value in (line.rpartition(" ") for line in lines)}


def textfile(record: Record, path: str = "out/btc.prom") -> Textfile:
    (message,) = prometheus_messages(record, path)
    assert isinstance(message, Textfile)
    return message


def test_a_heartbeat_tells_of_the_start_and_of_the_exit_code_with_the_same_id() -> None:
    rid = uuid5(NAMESPACE_URL, f"urn:rollsignal:run:host:12:{STARTED}")
    assert beat(RUNNING).url == f"{URL}/start?rid={rid}"
    assert beat(RECORD).url == f"{URL}/0?rid={rid}"
    assert beat(FAILED).url == f"{URL}/66?rid={rid}"


def test_the_body_of_a_heartbeat_is_the_metrics_of_the_run() -> None:
    assert json.loads(beat(RECORD).body) == RECORD.metrics
    assert json.loads(beat(FAILED).body) == {"status": "error"}
    assert beat(RUNNING).body == b""


def test_a_query_of_the_url_stays_and_a_slash_at_its_end_is_no_part_of_the_path() -> None:
    assert beat(RECORD, f"{URL}/?create=1").url.startswith(f"{URL}/0?create=1&rid=")


def test_another_run_has_another_id() -> None:
    other = RECORD._replace(process=RECORD.process._replace(id=13))
    assert beat(other).url != beat(RECORD).url


def test_the_metrics_of_a_success_say_what_the_record_says() -> None:
    found = samples(textfile(RECORD).text)
    at = 'pipeline="btc"'
    assert found == {
        f"rollsignal_last_run_timestamp_seconds{{{at}}}": "1706745600.125",
        f"rollsignal_last_exit_code{{{at}}}": "0",
        f"rollsignal_last_duration_seconds{{{at}}}": "1.625",
        f'rollsignal_build_info{{{at},version="1.2.3"}}': "1",
        f"rollsignal_last_success_timestamp_seconds{{{at}}}": "1706745600.125",
        f"rollsignal_newest_bar_timestamp_seconds{{{at}}}": "1706745540.000000001",
        f"rollsignal_rows{{{at}}}": "8",
        f"rollsignal_series{{{at}}}": "1",
        f"rollsignal_signals{{{at}}}": "7",
        f"rollsignal_signal_ratio{{{at}}}": str(round(Decimal(4) / 7, 4)),
        f"rollsignal_ties{{{at}}}": "1",
        f'rollsignal_check_findings{{{at},check="order"}}': "0",
        f'rollsignal_stage_duration_seconds{{{at},stage="decide"}}': "1.25",
        f'rollsignal_stage_duration_seconds{{{at},stage="write"}}': "0",
    }


def test_a_check_that_is_off_did_not_find_nothing() -> None:
    assert "ohlc" not in textfile(RECORD).text


def test_every_metric_has_its_help_and_is_a_gauge() -> None:
    text = textfile(RECORD).text
    for name in GAUGES:
        assert f"# HELP {name} {GAUGES[name].help}\n# TYPE {name} gauge\n{name}" in text


def test_a_pushgateway_gets_the_same_metrics_and_adds_the_pipeline_itself() -> None:
    (message,) = prometheus_messages(RECORD, GATEWAY)
    assert isinstance(message, Post)
    assert message.url == GATEWAY
    bare = textfile(RECORD).text.replace('pipeline="btc",', "").replace('{pipeline="btc"}', "")
    assert message.body.decode() == bare


@pytest.mark.parametrize("address", [GATEWAY, "btc.prom"])
def test_a_run_that_has_not_ended_has_no_metrics(address: str) -> None:
    assert prometheus_messages(RUNNING, address) == []


def test_a_failure_leaves_what_tells_of_successes_as_it_was() -> None:
    before, after = textfile(RECORD), textfile(FAILED)
    found = samples(with_kept(after.text, before.text, after.kept))
    kept = samples(before.text)
    assert found.pop('rollsignal_last_exit_code{pipeline="btc"}') == "66"
    kept.pop('rollsignal_last_exit_code{pipeline="btc"}')
    assert found == kept


def test_a_success_keeps_nothing_of_the_former_one() -> None:
    former = textfile(RECORD).text
    untimed = textfile(RECORD._replace(newest_bar=None, stages_ms={}))
    found = samples(with_kept(untimed.text, former, untimed.kept))
    assert found['rollsignal_newest_bar_timestamp_seconds{pipeline="btc"}'] == "NaN"
    assert not any("stage" in name for name in found)


@pytest.mark.parametrize(
    "line",
    [
        "rollsignal_rows",
        'rollsignal_rows{pipeline="btc"} 1e9 # it\'s not ours',
        "rollsignal_rows 0x10",
        "other_rows 8",
        "rollsignal_rows 12\0",
        'rollsignal_rows{pipeline="btc} 8',
    ],
)
def test_a_damaged_line_of_the_former_file_is_left_out(line: str) -> None:
    text = textfile(FAILED).text
    assert with_kept(text, f"{line}\n", textfile(FAILED).kept) == text


def test_a_name_with_quotes_is_escaped_and_kept() -> None:
    odd = textfile(RECORD, 'a"b\\c\nd.prom')
    assert 'rollsignal_rows{pipeline="a\\"b\\\\c\\nd"} 8\n' in odd.text
    after = textfile(FAILED, 'a"b\\c\nd.prom')
    assert 'rollsignal_rows{pipeline="a\\"b\\\\c\\nd"} 8\n' in with_kept(
        after.text, odd.text, after.kept
    )


def test_a_time_before_1970_is_a_number_below_zero() -> None:
    old = samples(textfile(RECORD._replace(newest_bar="1969-12-31T23:59:59.5Z")).text)
    assert old['rollsignal_newest_bar_timestamp_seconds{pipeline="btc"}'] == "-0.5"


def test_a_record_of_before_has_no_metrics_and_its_heartbeat_no_body() -> None:
    assert beat(RECORD._replace(metrics=None)).body == b""
