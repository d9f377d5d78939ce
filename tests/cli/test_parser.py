"""Facts about wrong flags: their messages, and that the run fails with error metrics."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.shell import Job, error, published

WRONG = {
    "a misspelt flag": (["--inptu", "x"], "unknown argument '--inptu': did you mean --input?"),
    "a misspelt flag with =": (["--conifg=x"], "did you mean --config?"),
    "an abbreviation": (["--inp", "x"], "unknown argument '--inp': did you mean --input?"),
    "another abbreviation": (["--log", "x"], "unknown argument '--log': did you mean --log-"),
    "a setting": (
        ["--window", "20"],
        "unknown argument '--window': window is a setting, write window: VALUE in the config",
    ),
    "a setting with its value": (
        ["--timestamp-format=iso"],
        "unknown argument '--timestamp-format': timestamp_format is a setting, write"
        " timestamp_format: VALUE in the config",
    ),
    "a setting of a section": (
        ["--symbol", "pair"],
        "unknown argument '--symbol': columns.symbol is a setting, write columns: {symbol: VALUE}",
    ),
    "a flag like no other": (["--zzz"], "unknown argument '--zzz': known: --help, --input,"),
    "a short flag": (["-i", "x"], "unknown argument '-i': "),
    "a name without a flag": (["data.csv"], "unknown argument 'data.csv': no flag takes it"),
    "control characters": (["--\x1b[2J\n"], r"unknown argument '--\x1b[2J\n'"),
    "a giant": (["--" + "x" * 9000], "(9,002 characters)"),
    "a flag given twice": (["--input", "bars.csv"], "--input is given twice"),
    "the config twice": (["--config=config.yaml"], "--config is given twice"),
    "a flag without its value": (["--log-format"], "--log-format: expected one argument"),
    "a value that is not a choice": (["--log-format", "xml"], "invalid choice: 'xml'"),
    "an unknown format": (["--format", "xml"], "invalid choice: 'xml'"),
    "the format twice": (["--format=csv", "--format=csv"], "--format is given twice"),
    "a value for a switch": (["--quiet=yes"], "ignored explicit argument 'yes'"),
}


@pytest.mark.parametrize(("more", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_command_line_exits_2_and_leaves_error_metrics(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    files = Job(tmp_path)
    files.output.write_text("of a former run")
    assert files.run(*more) == 2
    printed, messages = capsys.readouterr()
    metrics = files.metrics()
    assert metrics == published(printed) == error("v1", str(metrics["error_message"]))
    assert message in str(metrics["error_message"])
    assert len(str(metrics["error_message"])) < 360
    assert messages.startswith("rollsignal: error: ")
    assert messages.endswith("(see rollsignal run --help)\n")
    assert messages.count("\n") == 1
    (event,) = files.events()
    assert " job failed exit_code=2 " in event


def test_a_log_given_twice_exits_2_too(tmp_path: Path) -> None:
    files = Job(tmp_path)
    assert files.run("--log-file", str(tmp_path / "other.log")) == 2
    assert files.metrics() == error("v1", "--log-file is given twice")
