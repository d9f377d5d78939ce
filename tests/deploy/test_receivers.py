"""Real receivers on loopback: what is published is scraped by Prometheus, and an alert fires."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.receivers import closed_port
from tests.support.shell import ROOT, TIMED, Recorded, command

NAMES = ("prometheus", "prometheus-pushgateway", "prometheus-node-exporter")
MISSING = [name for name in NAMES if shutil.which(name) is None]
DEADLINE_S = 90

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(
        bool(MISSING), reason=f"not installed here, so nothing was scraped: {', '.join(MISSING)}"
    ),
]

SETTINGS = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: pushgateway
    honor_labels: true
    static_configs: [{{targets: ["127.0.0.1:{gateway}"]}}]
  - job_name: node
    static_configs: [{{targets: ["127.0.0.1:{node}"]}}]
"""


@contextmanager
def running(folder: Path, *words: str) -> Iterator[None]:
    with open(folder / f"{words[0]}.log", "wb") as log:
        process = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.kill()
            process.wait()


class Prometheus:
    """The three programs, and what Prometheus knows; `textfiles` is the folder that is read."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.textfiles = folder / "textfiles"
        self.textfiles.mkdir()
        own, self.gateway, node = closed_port(), closed_port(), closed_port()
        self._api = f"http://127.0.0.1:{own}/api/v1"
        rules = ROOT / "deploy/prometheus/rules.yml"
        text = SETTINGS.format(rules=rules, gateway=self.gateway, node=node)
        (folder / "prometheus.yml").write_text(text)
        listen = "--web.listen-address=127.0.0.1:"
        for words in (
            ("prometheus-pushgateway", f"{listen}{self.gateway}"),
            (
                "prometheus-node-exporter",
                f"{listen}{node}",
                "--collector.disable-defaults",
                "--collector.textfile",
                f"--collector.textfile.directory={self.textfiles}",
            ),
            (
                "prometheus",
                f"{listen}{own}",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
            ),
        ):
            stack.enter_context(running(folder, *words))
        self.wait("up", {("node", None): "1", ("pushgateway", None): "1"}, "job")

    def values(self, query: str, label: str = "pipeline") -> dict[tuple[str, str | None], str]:
        """Return the values of a query by a label and by the name of the alert, if it is one."""
        with suppress(OSError):
            with urllib.request.urlopen(f"{self._api}/query?query={quote(query)}") as answer:
                results: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return {
                (each["metric"].get(label, ""), each["metric"].get("alertname")): each["value"][1]
                for each in results
            }
        return {}

    def wait(self, query: str, wanted: object, label: str = "pipeline") -> None:
        deadline = monotonic() + DEADLINE_S
        while self.values(query, label) != wanted:
            assert monotonic() < deadline, f"{query} is {self.values(query, label)}, not {wanted}"
            sleep(0.2)


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Prometheus]:
    with ExitStack() as stack:
        yield Prometheus(tmp_path, stack)


def test_a_failure_is_seen_beside_the_former_success_of_every_pipeline(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    (tmp_path / "job").mkdir()
    files = Recorded(tmp_path / "job", TIMED)
    gateway = f"http://127.0.0.1:{prometheus.gateway}/metrics/job/rollsignal/pipeline/sol"
    targets = [
        *(f"prometheus={prometheus.textfiles / name}.prom" for name in ("btc", "eth")),
        f"prometheus={gateway}",
        "--timeout=100000",
    ]
    pipelines = ("btc", "eth", "sol")

    def each(value: str) -> dict[tuple[str, None], str]:
        return {(name, None): value for name in pipelines}

    assert files.run() == 0
    assert command("publish", str(files.record), *targets) == 0
    prometheus.wait("rollsignal_last_exit_code", each("0"))
    prometheus.wait("rollsignal_rows", each("8"))
    success = prometheus.values("rollsignal_last_success_timestamp_seconds")
    assert prometheus.values('ALERTS{alertname="RollsignalFailed"}') == {}

    files.input.unlink()
    assert files.run() == 66
    assert command("publish", str(files.record), *targets) == 0
    prometheus.wait("rollsignal_last_exit_code", each("66"))
    assert prometheus.values("rollsignal_rows") == each("8")
    assert prometheus.values("rollsignal_last_success_timestamp_seconds") == success
    firing = {(name, "RollsignalFailed"): "1" for name in pipelines}
    prometheus.wait('ALERTS{alertname="RollsignalFailed",alertstate="firing"}', firing)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed here")
def test_promtool_finds_nothing_wrong_with_the_metrics(tmp_path: Path) -> None:
    files = Recorded(tmp_path, TIMED)
    assert files.run() == 0
    target = f"prometheus={tmp_path}/btc.prom"
    assert command("publish", str(files.record), target, "--timeout=100000") == 0
    text = (tmp_path / "btc.prom").read_bytes()
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
