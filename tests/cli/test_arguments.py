"""Facts about a wrong command line: where its metrics go, and that they harm no input."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.shell import CONFIG, Job, command, published, snapshot


@pytest.mark.parametrize("join", [True, False])
def test_error_metrics_of_a_wrong_command_line_go_where_it_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], join: bool
) -> None:
    files = Job(tmp_path, config=CONFIG.replace("v1", "v8"))
    flags = [f"--config={files.config}", f"--log-file={tmp_path}/l", f"--output={tmp_path}/out/m"]
    if not join:
        flags = [part for flag in flags for part in flag.split("=")]
    assert command("run", *flags, "--nope") == 2
    text = (tmp_path / "out/m").read_text()
    assert published(text)["version"] == "v8"
    assert text == capsys.readouterr().out
    assert (tmp_path / "l").exists()


def test_error_metrics_of_a_wrong_command_line_have_the_version_of_a_wrong_config(
    tmp_path: Path,
) -> None:
    files = Job(tmp_path, config="window: 0\nversion: v8\n")
    assert files.run("--nope") == 2
    assert files.metrics()["version"] == "v8"


def test_error_metrics_of_a_wrong_command_line_go_to_the_usual_place_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Job(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert command("run", "--output") == 2
    assert published((tmp_path / "metrics.json").read_text())["version"] == "v1"
    (tmp_path / "metrics.json").unlink()
    assert command("run", "--output", "--input", "x", "--nope") == 2
    assert sorted(os.listdir(tmp_path)) == ["bars.csv", "config.yaml", "metrics.json", "run.log"]


def test_error_metrics_of_a_wrong_command_line_with_a_format_spare_the_usual_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_text("precious")
    assert command("run", "--format", "csv", "--output", "data.csv", "--nope") == 2
    assert Path("data.csv").read_text() == "precious"


def test_a_wrong_command_line_never_overwrites_an_input(tmp_path: Path) -> None:
    files = Job(tmp_path)
    before = snapshot(tmp_path)
    assert files.run("--nope", output=files.input) == 2
    assert files.run("--nope", output=files.config, log_file=files.input) == 2
    assert snapshot(tmp_path) == before


MISLEADING = [
    "--output=b.csv --nope --input a.csv b.csv",
    "--output=a.csv --input a.csv --input b.csv",
    "--output=a.csv --config a.csv --config b.csv",
    "--output=a.csv --nope --input ./*.csv",
    "--output=a.csv --inptu=a.csv",
    "--output=a.csv --inputs b.csv a.csv",
    "--output=m.json a.csv",
    "--log-file=l a.csv",
    "--output m.json a.csv",
    "--log-file l -i a.csv",
    "--output -i a.csv",
    "--output=a.csv --format a.csv",
    "--output=a.csv --format csv --input a.csv --nope",
]


@pytest.mark.parametrize("line", MISLEADING)
def test_a_wrong_command_line_never_harms_what_it_may_mean_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "b.csv"):
        Path(name).write_text("precious")
    assert command("run", *line.split()) == 2
    assert [Path(name).read_text() for name in ("a.csv", "b.csv")] == ["precious", "precious"]
