"""The README tells the truth: its generated parts are fresh, its examples run, its links lead."""

import contextlib
import importlib.util
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rollsignal import errors
from rollsignal.errors import JobError

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BASH_BLOCKS = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
PYTHON_BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def load_generator():
    spec = importlib.util.spec_from_file_location("readme", ROOT / "docs" / "readme.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_parts_are_what_the_program_prints_now() -> None:
    # Whoever runs the job in a checkout changes the example's latency.
    latency = re.compile(r'"latency_ms": \d+')
    fresh = load_generator().rendered(README)
    assert latency.sub("", fresh) == latency.sub("", README)


@pytest.mark.parametrize("block", PYTHON_BLOCKS)
def test_a_python_example_prints_what_its_comments_say(block: str) -> None:
    expected = [line.partition("  # ")[2] for line in block.splitlines() if "print(" in line]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block, "README.md", "exec"), {})
    lines = printed.getvalue().splitlines()
    assert len(lines) == len(expected) > 0
    for line, comment in zip(lines, expected, strict=True):
        assert line == comment.partition(", but")[0]


def test_the_check_of_the_readme_reports_what_the_readme_shows(tmp_path: Path) -> None:
    (block,) = [block for block in BASH_BLOCKS if "rollsignal check" in block]
    (tmp_path / "data.csv").symlink_to(ROOT / "data.csv")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "bin/python").chmod(0o755)
    done = subprocess.run(
        ["sh", "-ec", block],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 65
    assert load_generator().check_part(done.stdout) in README


def test_links_lead_to_files_of_the_project() -> None:
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", text):
            assert (page.parent / target).exists(), (page.name, target)


@pytest.mark.parametrize(
    "command",
    [
        "pip install -r requirements.txt",
        "python run.py --input data.csv --config config.yaml --output metrics.json"
        " --log-file run.log",
        "python run.py --input wrong.csv --config config.yaml --output metrics.json"
        " --log-file run.log",
        "docker build -t mlops-task .",
        "docker run --rm mlops-task",
    ],
)
def test_the_published_commands_stand_verbatim(command: str) -> None:
    assert command in README.splitlines()


def test_the_failure_table_has_every_exit_code() -> None:
    described = {
        int(code)
        for row in re.findall(r"^\| ([\d, ]+) \|", README, re.MULTILINE)
        for code in row.split(",")
    }
    family = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, JobError)
    ]
    assert described == {0, 130, 143} | {kind.exit_code for kind in family}
