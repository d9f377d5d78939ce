"""The cores that may be used are those that the system gives, a container's share included."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollsignal.engines.cores import usable_cores

V1 = "sys/fs/cgroup/cpu"


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def system(root: Path, groups: str, **limits: str) -> str:
    """Write what Linux says of the groups of a process; a name has __ for / and _dot_ for a dot."""
    files = {"proc__self__cgroup": groups} | limits
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


def test_without_limits_all_cores_may_be_used(tmp_path: Path) -> None:
    assert usable_cores(str(tmp_path)) == 8
    root = system(tmp_path, "0::/\n", sys__fs__cgroup__cpu_dot_max="max 100000\n")
    assert usable_cores(root) == 8


@pytest.mark.parametrize(
    ("quota", "cores"), [("200000", 2), ("150000", 2), ("50000", 1), ("1600000", 8)]
)
def test_a_container_has_its_share_of_the_cores(tmp_path: Path, quota: str, cores: int) -> None:
    limit = f"{quota} 100000\n"
    assert usable_cores(system(tmp_path, "0::/\n", sys__fs__cgroup__cpu_dot_max=limit)) == cores


def test_the_narrowest_of_the_groups_above_counts(tmp_path: Path) -> None:
    root = system(
        tmp_path,
        "0::/system.slice/job.service\n",
        sys__fs__cgroup__system_dot_slice__cpu_dot_max="300000 100000\n",
        sys__fs__cgroup__system_dot_slice__job_dot_service__cpu_dot_max="max 100000\n",
    )
    assert usable_cores(root) == 3


def test_groups_of_the_first_version_count_too(tmp_path: Path) -> None:
    root = system(
        tmp_path,
        "5:memory:/docker/ab\n4:cpu,cpuacct:/docker/ab\n1:name=systemd:/docker/ab\n",
        sys__fs__cgroup__cpu__cpu_dot_cfs_quota_us="400000\n",
        sys__fs__cgroup__cpu__cpu_dot_cfs_period_us="100000\n",
    )
    assert usable_cores(root) == 4
    (tmp_path / V1 / "cpu.cfs_quota_us").write_text("-1\n")
    assert usable_cores(root) == 8


def test_what_cannot_be_understood_is_no_limit(tmp_path: Path) -> None:
    root = system(tmp_path, "0\nx::\n", sys__fs__cgroup__cpu_dot_max="many few\n")
    assert usable_cores(root) == 8


def test_a_process_that_is_tied_to_a_core_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5})
    assert usable_cores() == 1


def test_a_system_without_ties_has_the_cores_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert usable_cores(str(tmp_path)) == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores(str(tmp_path)) == 1
