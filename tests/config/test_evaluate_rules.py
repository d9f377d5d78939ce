"""Facts about the settings of `evaluate`: what they may be, and that no signal depends on them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rollsignal.config.reading import config_of, load_config
from rollsignal.config.settings import Evaluate, JobConfig
from rollsignal.errors import ConfigError
from tests.support.shell import TIMED, Job, command

CONFIG = 'seed: 42\nwindow: 2\nversion: "v1"\n'
OTHERS = "evaluate: {horizons: [2, 9], delay: 0, cost_bp: 0.25, bars_per_year: 252}\n"


def read(folder: Path, text: str) -> JobConfig:
    (folder / "config.yaml").write_text(text)
    return load_config(str(folder / "config.yaml"))


def test_every_setting_of_the_section_is_read_and_kept_in_a_record(tmp_path: Path) -> None:
    config = read(tmp_path, CONFIG + OTHERS)
    assert config.evaluate == Evaluate((2, 9), 0, 0.25, 252)
    assert config_of(json.loads(json.dumps(config.plain_by_name()))) == config
    assert read(tmp_path, CONFIG).evaluate == Evaluate((1, 5, 20), 1, 1, None)


@pytest.mark.parametrize("cost", ["0.0001", "0", "9999", "0.1"])
def test_a_cost_is_kept_to_the_last_decimal(tmp_path: Path, cost: str) -> None:
    config = read(tmp_path, f"{CONFIG}evaluate: {{cost_bp: {cost}}}\n")
    assert config.evaluate.cost_bp == float(cost)
    assert config_of(json.loads(json.dumps(config.plain_by_name()))) == config


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ("horizons: 5", "evaluate.horizons is 5, not a list of 1 to 10 whole numbers"),
        ("horizons: []", "evaluate.horizons is "),
        ("horizons: [0]", "evaluate.horizons is '0', not between 1 and 1,000,000"),
        ("horizons: [5, 1]", r"evaluate.horizons is \[5, 1\]; write each number once"),
        ("horizons: [5, 5]", r"evaluate.horizons is \[5, 5\]; write each number once"),
        ("horizons: [1.5]", "evaluate.horizons is 1.5: write a plain whole number"),
        ("delay: -1", "evaluate.delay is '-1', not between 0 and 1,000,000"),
        ("cost_bp: -1", "evaluate.cost_bp is -1, not a number such as 1 or 0.5"),
        ("cost_bp: '1'", "evaluate.cost_bp is '1', not a number"),
        ("cost_bp: 0.00001", "evaluate.cost_bp is 0.00001, not a number"),
        ("cost_bp: null", "evaluate.cost_bp is null, not a number"),
        ("cost_bp: 10000", "evaluate.cost_bp is 10000, not between 0 and 9,999"),
        ("bars_per_year: 0", "evaluate.bars_per_year is 0, not between 1 and"),
        ("bars_per_year: auto", "evaluate.bars_per_year is auto, not a number"),
    ],
)
def test_a_wrong_value_is_refused(tmp_path: Path, setting: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        read(tmp_path, f"{CONFIG}evaluate: {{{setting}}}\n")


def test_a_state_goes_on_with_other_figures(tmp_path: Path) -> None:
    job = Job(tmp_path, TIMED)
    state = f"--state={tmp_path / 'state'}"
    assert job.run(state) == 0
    job.config.write_text(CONFIG + OTHERS)
    assert job.run(state) == 0


def test_other_figures_are_no_reason_to_run_again_or_to_doubt_a_record(tmp_path: Path) -> None:
    job = Job(tmp_path, TIMED)
    flags = f"--record={tmp_path / 'r.json'}", "--if-changed"
    assert job.run(*flags) == 0
    written = (tmp_path / "r.json").stat().st_mtime_ns
    job.config.write_text(CONFIG + OTHERS)
    assert job.run(*flags) == 0
    assert (tmp_path / "r.json").stat().st_mtime_ns == written
    assert command("verify", str(tmp_path / "r.json")) == 0
    job.config.write_text(CONFIG.replace("2", "3"))
    assert job.run(*flags) == 0
    assert (tmp_path / "r.json").stat().st_mtime_ns > written


def test_other_figures_are_no_cause_of_a_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, config in (("a", CONFIG), ("b", CONFIG + OTHERS)):
        job = Job(tmp_path, TIMED, config)
        paths = f"--record={tmp_path / name}.json", f"--signals={tmp_path / name}.csv"
        assert job.run(*paths) == 0
    capsys.readouterr()
    assert command("diff", "--json", str(tmp_path / "a.json"), str(tmp_path / "b.json")) == 0
    assert json.loads(capsys.readouterr().out)["settings"] == {}
