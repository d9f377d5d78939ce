"""Facts about what a run imports: the small job must not wait for libraries it does not need."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.shell import ROOT

HEAVY = {
    *("numpy", "polars", "pandas", "pyarrow", "pydantic", "rich", "duckdb", "msgspec", "pyspark"),
    *("logging", "dataclasses", "asyncio", "inspect", "decimal", "fractions"),
    *("pathlib", "tempfile", "subprocess", "typing_extensions", "urllib", "multiprocessing"),
}


def imported_by(folder: Path, *arguments: str) -> set[str]:
    """Return the modules that a command imports beyond those that Python itself starts with."""
    return names_imported(folder, str(ROOT / "run.py"), *arguments) - names_imported(
        folder, "-c", "pass"
    )


def names_imported(folder: Path, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stderr.splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


@pytest.fixture(scope="module")
def sample_modules(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("sample")
    inputs = (f"--input={ROOT / 'data.csv'}", f"--config={ROOT / 'config.yaml'}")
    return imported_by(folder, *inputs)


def test_the_sample_job_loads_no_heavy_library(sample_modules: set[str]) -> None:
    assert "yaml" in sample_modules
    assert packages(sample_modules) & HEAVY == set()


# What the sample job loads of the program, packages included.
MOST_MODULES = 54
UNUSED = (
    *("api", "analysis", "commands.sample", "commands.resume", "commands.unchanged"),
    *("core.timestamps.forms", "core.timestamps.discovery", "core.timestamps.pattern"),
    *("publish", "commands.publish", "commands.publishing"),
    *("files.remote", "outputs.record", "outputs.signals", "outputs.state", "readers.fast"),
    *("config.column_rules", "config.table_rules", "core.array_bars", "core.array_series"),
    *("core.decisions", "core.plain_series", "readers.cell_hints", "readers.wrong_headers"),
)


def test_the_sample_job_loads_nothing_of_the_program_that_it_does_not_use(
    sample_modules: set[str],
) -> None:
    ours = {name for name in sample_modules if name.startswith("rollsignal")}
    assert "rollsignal.commands.run" in ours
    assert len(ours) <= MOST_MODULES
    for name in UNUSED:
        assert find_spec(f"rollsignal.{name}"), f"there is no {name} that could be loaded"
        assert not {module for module in ours if f"{module}.".startswith(f"rollsignal.{name}.")}


@pytest.mark.parametrize("flag", ["--state", "--record"])
def test_a_small_job_that_is_continued_or_recorded_loads_no_heavy_library(
    tmp_path: Path, flag: str
) -> None:
    (tmp_path / "config.yaml").write_bytes((ROOT / "config.yaml").read_bytes())
    head, *rows = (ROOT / "data.csv").read_text().splitlines(keepends=True)
    for name, part in (("1.csv", rows[:5_000]), ("2.csv", rows[5_000:6_000])):
        (tmp_path / name).write_text(head + "".join(part))
        loaded = imported_by(tmp_path, f"--input={name}", flag, "kept")
        assert packages(loaded) & {"numpy", "polars", "pandas"} == set()


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_load_no_library_at_all(tmp_path: Path, flag: str) -> None:
    assert packages(imported_by(tmp_path, flag)) & {*HEAVY, "yaml"} == set()


def test_importing_the_package_loads_its_version_alone(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import rollsignal"
    modules = names_imported(tmp_path, "-c", code)
    assert {name for name in modules if name.startswith("rollsignal")} == {
        "rollsignal",
        "rollsignal.version",
    }


def test_a_heavy_library_that_is_loaded_is_seen(tmp_path: Path) -> None:
    assert "numpy" in packages(names_imported(tmp_path, "-c", "import numpy"))
