"""The Dockerfile agrees with what is elsewhere: the version, the project's address, the locks."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from rollsignal.version import __version__

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
IGNORED_NOT = (ROOT / ".dockerignore").read_text().splitlines()
EXTRAS = [
    match[1]
    for match in map(re.compile(r"!requirements-(\w+)\.txt").fullmatch, IGNORED_NOT)
    if match
]
PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def pins(extra: str) -> dict[str, set[str]]:
    """Return the versions of each package in a lock."""
    versions: dict[str, set[str]] = {}
    for name, version in PIN.findall((ROOT / f"requirements-{extra}.txt").read_text()):
        versions.setdefault(name, set()).add(version)
    return versions


def test_the_labels_have_the_version_and_the_address_of_the_project() -> None:
    assert f"\nARG VERSION={__version__}\n" in DOCKERFILE
    (source,) = re.findall(r'image\.source="(.*?)"', DOCKERFILE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project.get("urls", {}).get("Homepage", source) == source


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_lock_of_an_extra_of_the_image_can_be_installed_with_the_others(extra: str) -> None:
    image, added = pins("remote"), pins(extra)
    assert added
    assert {name: added[name] for name in added.keys() & image.keys()} == {
        name: image[name] for name in added.keys() & image.keys()
    }
    assert f"--extra {extra} --constraints requirements" in (ROOT / "Makefile").read_text()


def test_the_guide_names_every_extra_of_the_image() -> None:
    page = (ROOT / "docs/docker.md").read_text()
    assert {*re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE), "remote"} == set(EXTRAS)
