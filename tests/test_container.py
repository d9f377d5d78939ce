"""The container does what the README says, where docker or podman can build it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from rollsignal.version import __version__

ROOT = Path(__file__).resolve().parent.parent


def works(engine: str) -> bool:
    if shutil.which(engine) is None:
        return False
    return subprocess.run([engine, "info"], capture_output=True, check=False).returncode == 0


ENGINE = next((engine for engine in ("docker", "podman") if works(engine)), None)

pytestmark = pytest.mark.skipif(ENGINE is None, reason="neither docker nor podman runs here")


def container(*arguments: str) -> "subprocess.CompletedProcess[str]":
    assert ENGINE
    return subprocess.run([ENGINE, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def image() -> str:
    base = next(
        line.split()[1]
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("FROM ")
    )
    if container("image", "inspect", base).returncode and container("pull", base).returncode:
        pytest.skip(f"{ENGINE} has no image {base} and cannot pull it")
    built = container("build", "-t", "mlops-task", str(ROOT))
    assert built.returncode == 0, built.stderr
    return "mlops-task"


def test_the_container_prints_the_metrics_and_nothing_else(image: str) -> None:
    done = container("run", "--rm", image)
    assert done.returncode == 0
    assert json.loads(done.stdout)["value"] == 0.4991


def test_the_container_has_the_command_and_what_reads_servers(image: str) -> None:
    done = container("run", "--rm", "-w", "/tmp", image, "rollsignal", "--version")
    assert done.stdout.startswith("rollsignal ")
    nowhere = ["rollsignal", "run", "--input", "http://127.0.0.1:9/bars.csv"]
    done = container("run", "--rm", image, *nowhere)
    assert done.returncode == 66
    assert "no connection to the server" in done.stderr


def test_the_container_has_no_tests_of_packages_and_says_where_it_is_from(image: str) -> None:
    found = container("run", "--rm", image, "find", "/usr/local/lib", "-path", "*-packages/*/tests")
    assert found.stdout == ""
    labels = json.loads(container("image", "inspect", image).stdout)[0]["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.revision"] == "unknown"


def test_the_container_works_with_a_read_only_root(image: str) -> None:
    outputs = ["--output", "/out/metrics.json", "--log-file", "/out/run.log"]
    command = ["python", "run.py", *outputs]
    done = container("run", "--rm", "--read-only", "--tmpfs", "/out", image, *command)
    assert done.returncode == 0
    assert json.loads(done.stdout)["status"] == "success"


def test_the_container_does_not_run_as_root_and_passes_exit_codes_on(image: str) -> None:
    assert container("run", "--rm", image, "id", "-u").stdout.strip() == "10001"
    assert container("run", "--rm", image, "python", "run.py", "--input", "x").returncode == 66
