"""What a shell knows of the command is what the command is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from docs.shell import COMPLETIONS, FOLDER, MANUAL, shell_files
from rollsignal.cli.main import COMMANDS

BASH = FOLDER / COMPLETIONS["bash"]
# As bash itself does when Tab is pressed: the words go in, the answers come out.
ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
"$(complete -p rollsignal | sed 's/.*-F \\([^ ]*\\) .*/\\1/')"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not shutil.which(tool), reason=f"there is no {tool} here")


def output_of(*command: str | Path, folder: Path = FOLDER) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C", "MANWIDTH": "80"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_completions_and_manual_are_those_of_the_command_line() -> None:
    made = shell_files()
    assert {path.name for path in FOLDER.iterdir()} == set(made)
    for name, text in made.items():
        assert (FOLDER / name).read_text("utf-8") == text, "run `make docs`"


@needs("bash")
@pytest.mark.parametrize(
    ("words", "answers"),
    [
        ([""], {"run", *COMMANDS}),
        (["run", "--partition-by", ""], {"symbol", "date"}),
        (["run", "--partition-by", "s"], {"symbol"}),
        (["schema", ""], {"config", "metrics", "record", "evaluation"}),
        (["run", "--publish", "heartbeat", "o"], {"otel"}),
        (["run", "--input", "one.csv", "o"], {"one.csv", "other.csv"}),
        (["run", "--input", "one.csv", "other.csv", "--part"], {"--partition-by"}),
        (["verify", "r"], {"record.json"}),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_bash_answers_with_what_can_stand_there(
    words: list[str], answers: set[str], tmp_path: Path
) -> None:
    for name in ("one.csv", "other.csv", "record.json"):
        (tmp_path / name).touch()
    said = output_of("bash", "-c", ASK, "bash", BASH, "rollsignal", *words, folder=tmp_path)
    assert set(said.split()) == answers


@needs("fish")
def test_fish_answers_with_the_choices_of_a_flag() -> None:
    ask = "source rollsignal.fish; complete -C 'rollsignal run --partition-by '"
    said = output_of("fish", "--no-config", "-c", ask)
    assert [line.split("\t")[0] for line in said.splitlines()] == ["symbol", "date"]


@needs("zsh")
def test_zsh_reads_the_completions_without_an_error() -> None:
    assert output_of("zsh", "-f", "-n", COMPLETIONS["zsh"]) == ""


@needs("man")
def test_the_manual_is_shown_without_a_warning() -> None:
    page = output_of("man", "--warnings", "--local-file", MANUAL)
    for command in COMMANDS:
        assert f"   rollsignal {command}\n" in page
    assert "--partition-by symbol|date" in page
