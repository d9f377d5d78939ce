"""The workflows are pinned, know every Python that is named, and call what is there."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from typing import Any

import pytest
import yaml

from tests.support.shell import ROOT

FORGE = ROOT / ".github"
WORKFLOWS = {path.stem: path.read_text() for path in FORGE.glob("workflows/*.yml")}
ALL = "\n".join(WORKFLOWS.values())

pytestmark = pytest.mark.skipif(not FORGE.exists(), reason="packaged sources have no .github")


def jobs(workflow: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORKFLOWS[workflow])["jobs"]
    return found


def test_every_action_is_pinned_to_one_commit_everywhere_and_says_its_version() -> None:
    uses = re.findall(r"uses: (.*)", ALL)
    pins = {re.sub(r"@.*", "", use): use for use in uses}
    assert len(uses) > 10
    for use in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use
        assert pins[re.sub(r"@.*", "", use)] == use


def test_every_python_of_the_metadata_is_checked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert jobs("check")["check"]["strategy"]["matrix"]["python"] == named
    assert project["requires-python"] == f">={named[0]}"


def test_what_the_workflows_make_are_targets() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    made = set(re.findall(r"run: make ([a-z-]+) ", ALL))
    checks = {target for target in targets if target.startswith("check")}
    assert checks | {"sbom", "audit"} <= made <= targets


def test_only_the_job_behind_the_environment_can_publish() -> None:
    released = jobs("release")
    publishing = [name for name, job in released.items() if "gh-action-pypi-publish" in str(job)]
    assert publishing == ["publish"]
    assert released["publish"]["environment"]["name"] == "pypi"
    assert released["publish"]["permissions"] == {"id-token": "write"}
    assert released["publish"]["needs"] == "attest"
    assert released["attest"]["needs"] == "build"
    assert released["build"]["permissions"] == {"contents": "read"}
    assert yaml.safe_load(WORKFLOWS["release"])["permissions"] == {}
    assert "secrets." not in ALL


def test_dependabot_waits_a_week() -> None:
    updates = yaml.safe_load((FORGE / "dependabot.yml").read_text())["updates"]
    kinds = {update["package-ecosystem"]: update["cooldown"] for update in updates}
    assert set(kinds) == {"pip", "github-actions", "docker"}
    assert all(cooldown == {"default-days": 7} for cooldown in kinds.values())


def test_whoever_reports_a_run_is_asked_for_command_and_record() -> None:
    form = yaml.safe_load((FORGE / "ISSUE_TEMPLATE/run.yml").read_text())["body"]
    needed = {field["id"] for field in form if field.get("validations", {}).get("required")}
    assert needed >= {"command", "record"}


@pytest.mark.outside
@pytest.mark.skipif(
    shutil.which("zizmor") is None, reason="zizmor is not installed here, so it checked nothing"
)
def test_zizmor_finds_nothing_wrong_with_the_workflows() -> None:
    done = subprocess.run(
        ["zizmor", "--offline", str(FORGE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings" in done.stdout + done.stderr
    for name in WORKFLOWS:
        assert f"workflows/{name}.yml" in done.stderr
