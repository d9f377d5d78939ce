"""The files of deploy/ know every exit code, and what they name is there."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from rollsignal.cli.flags import parse
from rollsignal.errors import EXIT_CODES
from rollsignal.publish.prometheus import GAUGES
from rollsignal.publish.targets import target_of
from tests.support.shell import ROOT, command
from tests.support.stores import Served

Test = TypeVar("Test", bound=Callable[..., object])

DEPLOY = ROOT / "deploy"
SERVICE = DEPLOY / "systemd/rollsignal.service"
TIMER = DEPLOY / "systemd/rollsignal.timer"
CRONJOB = DEPLOY / "kubernetes/cronjob.yaml"
STORE_CRONJOB = DEPLOY / "kubernetes/cronjob-store.yaml"
CRONJOBS = (CRONJOB, STORE_CRONJOB)
DAG = DEPLOY / "airflow/rollsignal_dag.py"
RULES = DEPLOY / "prometheus/rules.yml"
RULES_TEST = DEPLOY / "prometheus/rules_test.yml"

NO_CODES = [each.code for each in EXIT_CODES if each.again is False]


def needs(tool: str) -> Callable[[Test], Test]:
    """Return what marks a test that runs a tool, and skips it where that is not installed."""
    reason = f"{tool} is not installed here, so it checked nothing"
    is_missing = pytest.mark.skipif(shutil.which(tool) is None, reason=reason)
    return lambda test: pytest.mark.outside(is_missing(test))


def output_of(*command: str, folder: Path = DEPLOY, code: int = 0) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def unit(path: Path) -> dict[str, list[str]]:
    """Return the values of each key of a unit of systemd."""
    values: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            values.setdefault(name, []).append(value)
    return values


def cron_job(path: Path) -> dict[str, Any]:
    _, job = yaml.safe_load_all(path.read_text())
    spec: dict[str, Any] = job["spec"]
    return spec


def container(path: Path) -> dict[str, Any]:
    (only,) = cron_job(path)["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


def constants_of_the_dag() -> list[str]:
    tree = ast.parse(DAG.read_text())
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_systemd_tries_again_unless_somebody_must_look() -> None:
    (codes,) = unit(SERVICE)["RestartPreventExitStatus"]
    assert list(map(int, codes.split())) == NO_CODES
    assert unit(SERVICE)["Restart"] == ["on-failure"]


@pytest.mark.parametrize("path", CRONJOBS, ids=lambda path: path.name)
def test_kubernetes_tries_again_unless_somebody_must_look(path: Path) -> None:
    fail, ignore = cron_job(path)["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert (fail["action"], fail["onExitCodes"]["operator"]) == ("FailJob", "In")
    assert fail["onExitCodes"]["values"] == NO_CODES
    assert fail["onExitCodes"]["containerName"] == container(path)["name"]
    assert ignore["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]


def test_airflow_tries_again_unless_somebody_must_look() -> None:
    (codes,) = [
        ast.literal_eval(node.value)
        for node in ast.parse(DAG.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "NO_CODES"
    ]
    assert list(codes) == NO_CODES


@pytest.mark.parametrize("path", [SERVICE, *CRONJOBS], ids=lambda path: path.name)
def test_the_comments_name_every_code_that_is_not_tried_again(path: Path) -> None:
    comments = " ".join(re.findall(r"# ?(.*)", path.read_text()))
    for code in NO_CODES:
        assert re.search(rf"[ :]{code} [a-z]", comments), code


@pytest.mark.parametrize(
    "words",
    [
        shlex.split(unit(SERVICE)["ExecStart"][0])[1:],
        container(CRONJOB)["args"][1:],
        container(STORE_CRONJOB)["args"][1:],
        next(text for text in constants_of_the_dag() if "rollsignal run" in text).split()[1:],
    ],
    ids=["systemd", "kubernetes", "kubernetes with a store", "airflow"],
)
def test_the_command_is_one_of_rollsignal(words: list[str]) -> None:
    options = parse(words, {"run": lambda _: 0})
    assert options.record
    for target in options.publish:
        target_of(target)


def test_two_runs_never_overlap() -> None:
    for path in CRONJOBS:
        assert cron_job(path)["concurrencyPolicy"] == "Forbid"
    assert "max_active_runs=1" in DAG.read_text()


def test_the_cron_job_without_a_disk_writes_nothing_but_the_log_and_what_is_on_its_way_here(
    store: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod = container(STORE_CRONJOB)
    assert {mount["mountPath"] for mount in pod["volumeMounts"]} == {"/config", "/tmp"}
    volumes = cron_job(STORE_CRONJOB)["jobTemplate"]["spec"]["template"]["spec"]["volumes"]
    assert not any("persistentVolumeClaim" in volume for volume in volumes)
    config, _ = yaml.safe_load_all(STORE_CRONJOB.read_text())
    (tmp_path / "config.yaml").write_text(config["data"]["config.yaml"])
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    store.quiet()
    store.put("night/bars/btc.csv", (ROOT / "data.csv").read_bytes())
    here = {"/config": str(tmp_path), "/tmp": str(tmp_path / "tmp"), "s3://bucket": "s3://night"}
    words = [
        re.sub("(?<==)(/config|/tmp|s3://bucket)(?=/)", lambda there: here[there[0]], word)
        for word in pod["args"][1 : pod["args"].index("--publish")]
    ]
    assert command(*words) == 0
    record = json.loads((store.root / "night/btc/record.json").read_text())
    assert record["metrics"]["value"] == 0.4991
    assert all(output["path"].startswith("s3://night/btc/") for output in record["outputs"])
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["run.log"]


def test_the_dag_compiles() -> None:
    compile(DAG.read_text(), str(DAG), "exec")


def test_the_alerts_read_metrics_that_are_published() -> None:
    text = RULES.read_text()
    expressions = re.findall(r"expr: (.*?)\n        (?=labels|for)", text, re.DOTALL)
    assert len(expressions) == 6
    assert set(re.findall(r"rollsignal_\w+", " ".join(expressions))) <= set(GAUGES)


def test_every_alert_has_a_case_for_it_and_a_case_against_it() -> None:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    alerts = {rule["alert"] for rule in group["rules"]}
    cases = [
        (case["alertname"], bool(case["exp_alerts"]))
        for test in yaml.safe_load(RULES_TEST.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]
    assert set(cases) == {(alert, fires) for alert in alerts for fires in (True, False)}


@needs("promtool")
def test_promtool_finds_nothing_wrong_with_the_alerts() -> None:
    output_of("promtool", "check", "rules", RULES.name, folder=RULES.parent)
    output_of("promtool", "test", "rules", RULES_TEST.name, folder=RULES.parent)


@needs("systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for path in (SERVICE, TIMER):
        text = path.read_text().replace("/opt/rollsignal/bin/rollsignal", "/bin/true")
        (tmp_path / path.name).write_text(text)
    said = output_of("systemd-analyze", "verify", SERVICE.name, TIMER.name, folder=tmp_path)
    assert "rollsignal" not in said
    (when,) = unit(TIMER)["OnCalendar"]
    assert "Next elapse" in output_of("systemd-analyze", "calendar", when)


@needs("systemd-analyze")
def test_what_the_service_may_do_is_little() -> None:
    said = output_of("systemd-analyze", "security", "--offline=true", str(SERVICE))
    (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert float(exposure) <= 2


@needs("kubernetes-validate")
@pytest.mark.parametrize("version", ["1.31", "newest"])
@pytest.mark.parametrize("path", CRONJOBS, ids=lambda path: path.name)
def test_kubernetes_validates_the_cron_job(path: Path, version: str) -> None:
    chosen = [] if version == "newest" else ["-k", version]
    said = output_of("kubernetes-validate", "--strict", *chosen, str(path))
    assert said.count(" passed for resource ") == 2


def test_the_runbook_says_of_every_exit_code_what_to_do_and_whether_to_try_again() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| [^|]+ \| (yes |no |)\|$", page, re.MULTILINE)
    words = {True: "yes ", False: "no ", None: ""}
    assert rows == [(str(each.code), words[each.again]) for each in EXIT_CODES]


def test_the_page_lists_every_metric() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    assert set(re.findall(r"`(rollsignal_\w+)`", page)) == set(GAUGES)


def test_the_automatic_check_installs_the_receivers_and_checks_what_is_deployed() -> None:
    script = (ROOT / ".ci/run").read_text()
    for name in (
        "prometheus-pushgateway",
        "prometheus-node-exporter",
        "postgresql",
        "make check-deploy",
    ):
        assert name in script
