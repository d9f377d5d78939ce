"""The packages in dist/ are what a stranger needs.

`make dist` runs this when it has built them; the name of the file keeps it from other runs.
Nothing is fetched: the libraries are those of this environment, which the locks fill.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
from email import message_from_bytes
from email.message import Message
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from docs.shell import FOLDER
from tests.support.shell import ROOT, published

# Where the shared files of a wheel go, below the folder of an environment.
SHARED = {
    "_rollsignal": "share/zsh/site-functions/_rollsignal",
    "rollsignal.1": "share/man/man1/rollsignal.1",
    "rollsignal.bash": "share/bash-completion/completions/rollsignal",
    "rollsignal.fish": "share/fish/vendor_completions.d/rollsignal.fish",
}


def only(pattern: str, folder: Path = ROOT / "dist") -> Path:
    (path,) = folder.glob(pattern)
    return path


def ran(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, umask=0o077, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def metadata() -> Message:
    with ZipFile(only("*.whl")) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(wheel.read(name))


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    with tarfile.open(only("*.tar.gz")) as sources:
        sources.extractall(folder, filter="data")
    return only("*", folder)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel alone, which finds the libraries of this one."""
    folder = tmp_path_factory.mktemp("installed") / "environment"
    uv = (sys.executable, "-m", "uv")
    ran(*uv, "venv", "--offline", "--python", sys.executable, folder, folder=ROOT)
    python = folder / "bin/python"
    wheel = ("--offline", "--no-deps", "--python", python, only("*.whl"))
    ran(*uv, "pip", "install", *wheel, folder=ROOT)
    packages = only("lib/python*/site-packages", folder)
    (packages / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def test_the_wheel_of_the_sources_is_that_of_the_checkout_and_both_are_built_again_to_the_byte(
    tmp_path: Path,
) -> None:
    ran(sys.executable, "-m", "hatchling", "build", "--directory", tmp_path, folder=ROOT)
    for pattern in ("*.whl", "*.tar.gz"):
        assert only(pattern, tmp_path).read_bytes() == only(pattern).read_bytes(), pattern


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout of git")
def test_the_sources_are_all_that_git_does_not_ignore(unpacked: Path) -> None:
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = [name for name in ran(*listed, folder=ROOT).split("\0") if (ROOT / name).is_file()]
    wanted = {name for name in names if not name.startswith((".ci/", ".github/"))}
    packed = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert packed - {"PKG-INFO"} == wanted


def test_the_sample_runs_where_only_the_wheel_is_installed(
    environment: Path, tmp_path: Path
) -> None:
    for name in ("data.csv", "config.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    printed = ran(environment / "bin/rollsignal", "run", folder=tmp_path)
    assert (tmp_path / "metrics.json").read_text() == printed
    metrics, example = (published(text) for text in (printed, (ROOT / "metrics.json").read_text()))
    assert metrics | {"latency_ms": 0} == example | {"latency_ms": 0}
    where = "import json, rollsignal; print(json.dumps(rollsignal.__file__))"
    module = json.loads(ran(environment / "bin/python", "-c", where, folder=tmp_path))
    assert Path(module).is_relative_to(environment)


def test_completions_and_manual_are_where_shells_look(environment: Path) -> None:
    assert set(SHARED) == {path.name for path in FOLDER.iterdir()}
    for name, place in SHARED.items():
        assert (environment / place).read_bytes() == (FOLDER / name).read_bytes()


def test_the_locks_fulfil_what_the_wheel_asks_for() -> None:
    wanted = [Requirement(text) for text in metadata().get_all("Requires-Dist", [])]
    needed = [each for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})]
    assert {"numpy", "pandas", "polars", "pyyaml"} <= {each.name for each in needed}
    for each in needed:
        assert version(each.name) in each.specifier, each


def test_every_link_of_the_description_leads_to_a_file_of_this_version() -> None:
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    home = urls["Homepage"].removeprefix("https://github.com/")
    tag = f"v{metadata()['Version']}"
    places = (
        f"https://github.com/{home}/blob/{tag}/",
        f"https://raw.githubusercontent.com/{home}/{tag}/",
    )
    description = metadata().get_payload()
    assert isinstance(description, str)
    links = re.findall(r"\]\(([^)]+)\)", description)
    readme = re.findall(r"\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert len(links) == len(readme) > 20
    for link, original in zip(links, readme, strict=True):
        assert link in {place + original for place in places}
        assert (ROOT / original.partition("#")[0]).is_file()
    assert all(url.startswith(urls["Homepage"]) for url in urls.values())
