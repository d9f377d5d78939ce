"""The files of deploy/ know every exit code, and what they name is there."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollsignal.cli.flags import parse
from rollsignal.errors import EXIT_CODES
from rollsignal.publish.prometheus import GAUGES
from rollsignal.publish.targets import target_of
from tests.support.shell import ROOT

DEPLOY = ROOT / "deploy"
SERVICE = DEPLOY / "systemd/rollsignal.service"
TIMER = DEPLOY / "systemd/rollsignal.timer"
CRONJOB = DEPLOY / "kubernetes/cronjob.yaml"
DAG = DEPLOY / "airflow/rollsignal_dag.py"
RULES = DEPLOY / "prometheus/rules.yml"
RULES_TEST = DEPLOY / "prometheus/rules_test.yml"

NO_CODES = [each.code for each in EXIT_CODES if each.again is False]


def needs(tool: str) -> pytest.MarkDecorator:
    reason = f"{tool} is not installed here, so it checked nothing"
    return pytest.mark.skipif(shutil.which(tool) is None, reason=reason)


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


def cron_job() -> dict[str, Any]:
    _, job = yaml.safe_load_all(CRONJOB.read_text())
    spec: dict[str, Any] = job["spec"]
    return spec


def container() -> dict[str, Any]:
    (only,) = cron_job()["jobTemplate"]["spec"]["template"]["spec"]["containers"]
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


def test_kubernetes_tries_again_unless_somebody_must_look() -> None:
    fail, ignore = cron_job()["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert (fail["action"], fail["onExitCodes"]["operator"]) == ("FailJob", "In")
    assert fail["onExitCodes"]["values"] == NO_CODES
    assert fail["onExitCodes"]["containerName"] == container()["name"]
    assert ignore["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]


def test_airflow_tries_again_unless_somebody_must_look() -> None:
    (codes,) = [
        ast.literal_eval(node.value)
        for node in ast.parse(DAG.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "NO_CODES"
    ]
    assert list(codes) == NO_CODES


@pytest.mark.parametrize("path", [SERVICE, CRONJOB], ids=lambda path: path.name)
def test_the_comments_name_every_code_that_is_not_tried_again(path: Path) -> None:
    comments = " ".join(re.findall(r"# ?(.*)", path.read_text()))
    for code in NO_CODES:
        assert re.search(rf"[ :]{code} [a-z]", comments), code


@pytest.mark.parametrize(
    "words",
    [
        shlex.split(unit(SERVICE)["ExecStart"][0])[1:],
        container()["args"][1:],
        next(text for text in constants_of_the_dag() if "rollsignal run" in text).split()[1:],
    ],
    ids=["systemd", "kubernetes", "airflow"],
)
def test_the_command_is_one_of_rollsignal(words: list[str]) -> None:
    options = parse(words, {"run": lambda _: 0})
    assert options.record
    for target in options.publish:
        target_of(target)


def test_two_runs_never_overlap() -> None:
    assert cron_job()["concurrencyPolicy"] == "Forbid"
    assert "max_active_runs=1" in DAG.read_text()


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
def test_kubernetes_validates_the_cron_job(version: str) -> None:
    chosen = [] if version == "newest" else ["-k", version]
    said = output_of("kubernetes-validate", "--strict", *chosen, str(CRONJOB))
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
