"""Facts about `init`: the config that it writes gives the right value, or asks."""

from __future__ import annotations

import csv
import os
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from docs.sandbox import Sandbox
from tests.support.judging import judged
from tests.support.made_tables import Case, case
from tests.support.recipes import Recipe, recipes
from tests.support.shell import command, strict_json
from tests.support.workbooks import Sheet, number, workbook
from tests.support.written_configs import USUAL, answered, answers_in, asked_about, left_open

CASES = int(os.environ.get("ROLLSIGNAL_CASES", "300")) // 3
FIRST = int(os.environ.get("ROLLSIGNAL_FIRST_CASE", "0"))
RECIPES = recipes()
# All others ask: which column of a table without a header is the close, which number is the day.
LEAST_RIGHT, MOST_REFUSED = 19, 0

BARE = "2024-01-31,11,13,11,12\n2024-02-01,12,14,11,13\n2024-02-02,13,15,12,14\n"
HEADED = f"date,open,high,low,close\n{BARE}"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(**files: str) -> str:
    """Write files, each with the name bars or the like, and return the config for all of them."""
    names = [f"{name}.csv" for name in files]
    for name, content in zip(names, files.values(), strict=True):
        Path(name).write_text(content)
    assert command("init", "--input", *names) == 0
    return Path("config.yaml").read_text()


def run(*more: str, inputs: tuple[str, ...] = ("bars.csv",)) -> int:
    return command("run", "--input", *inputs, "--set=window=2", "--signals=s.csv", *more)


def signals() -> list[tuple[str, str, str]]:
    """Return time, close and signal of each bar of the last run."""
    with open("s.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    return sorted((row.get("timestamp") or "", row["close"], row["signal"]) for row in rows)


# Recipes.


def outcome(recipe: Recipe) -> str:
    """Write a config for the table of a recipe, and run it; return right, asked or refused."""
    inputs = sorted(str(path) for path in Path().glob(recipe.name))
    code = command("init", "--input", *inputs, "--config=init.yaml")
    if code == 65:
        return "refused"
    assert code == 0
    text = Path("init.yaml").read_text()
    arguments = ("--config=init.yaml", "--output=m.json")
    answers, asked = answers_in(recipe.settings), asked_about(text)
    is_right = False
    if left_open(text):
        assert run(*arguments, inputs=tuple(inputs)) in (65, 78), "an open question is no guess"
    else:
        assert run(*arguments, inputs=tuple(inputs)) == 0
        is_right = signals() == recipe_signals(recipe)
    if is_right:
        return "right"
    by_recipe = {key: value for key, value in asked.items() if key in answers}
    assert by_recipe, text
    # What a recipe does not say of an open question is as without a config.
    usual = {key: USUAL[key] for key in left_open(text) if key not in answers}
    answers |= usual
    by_recipe |= {key: asked[key] for key in usual}
    assert all(answers[key] in values for key, values in by_recipe.items()), (answers, asked)
    Path("init.yaml").write_text(answered(text, answers, by_recipe))
    assert run(*arguments, inputs=tuple(inputs)) == 0, Path("init.yaml").read_text()
    assert signals() == recipe_signals(recipe)
    assert strict_json(Path("m.json").read_text())["value"] == float(recipe.value)
    return "asked"


def recipe_signals(recipe: Recipe) -> list[tuple[str, str, str]]:
    return sorted((row[0], row[2], row[4]) for row in recipe.rows)


def test_a_config_for_the_table_of_a_recipe_is_right_or_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes: Counter[str] = Counter()
    for recipe in RECIPES:
        with Sandbox() as sandbox:
            window = 'seed: 42\nwindow: 2\nversion: "v1"\n'
            (sandbox.folder / "config.yaml").write_text(window)
            assert sandbox.run(recipe.making).returncode == 0
            monkeypatch.chdir(sandbox.folder)
            outcomes[outcome(recipe)] += 1
            monkeypatch.chdir("/")
    with capsys.disabled():
        sys.stdout.write(f"\n{len(RECIPES)} recipes: {dict(outcomes)}\n")
    assert outcomes["right"] >= LEAST_RIGHT
    assert outcomes["refused"] <= MOST_REFUSED


# Made tables.


def made_outcome(made: Case, capsys: pytest.CaptureFixture[str]) -> str:
    """Write a config for the files of a case, and run it; return how that ended."""
    (files, inputs), *_ = made.nights
    for name, content in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)
    code = command("init", "--input", *inputs)
    if code:
        assert code == 65
        assert not Path("config.yaml").exists()
        return "refused by init"
    text = Path("config.yaml").read_text()
    asked = yaml.safe_load(made.config)
    kept = [f"--set={name}={asked[name]}" for name in ("window", "warmup")]
    capsys.readouterr()
    code = command("run", "--input", *inputs, *kept, "--signals=s.csv")
    if left_open(text):
        return "asked" if code in (65, 78) else "ran with an open question"
    if code in (65, 78):
        return "refused"
    answer = judged(made, capsys.readouterr().err)
    return "asked" if answer != "right" and "QUESTION" in text else answer


def test_a_config_for_a_made_table_is_right_or_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes: Counter[str] = Counter()
    wrong: dict[int, str] = {}
    for case_number in range(FIRST, FIRST + CASES):
        made = case(case_number)
        # What is one series by the recipe has no symbols there, and has them with its own config.
        if len(made.nights) > 1 or "symbol: none" in made.config:
            continue
        folder = tmp_path / str(case_number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        found = made_outcome(made, capsys)
        if found not in ("right", "said", "asked", "refused", "refused by init"):
            wrong[case_number], found = f"{found}\n{made.facts}", "wrong"
        outcomes[found] += 1
    with capsys.disabled():
        sys.stdout.write(f"\n{outcomes.total()} random tables: {dict(outcomes)}\n")
    assert wrong == {}
    assert outcomes["right"] >= outcomes.total() / 8


# What is asked.


def test_a_table_with_usual_names_needs_no_settings() -> None:
    text = written(bars=HEADED)
    assert yaml.safe_load(text) == {"seed": 42, "window": 5, "version": "v1"}
    assert asked_about(text) == {}


def test_the_first_bars_are_shown_with_times_in_utc() -> None:
    bars = "time,symbol,close\n2024-01-31T09:30:00-05:00,X,1.50\n2024-01-31T09:31:00-05:00,X,2\n"
    assert "#   2024-01-31T14:30:00Z  X  1.5\n#   2024-01-31T14:31:00Z  X  2\n" in written(
        bars=bars
    )


def test_day_or_month_first_is_asked() -> None:
    text = written(bars="date,close\n01/02/2024,1\n02/02/2024,2\n03/02/2024,3\n")
    assert asked_about(text) == {"timestamp_format": ['"%d/%m/%Y"', '"%m/%d/%Y"']}
    assert left_open(text) == ["timestamp_format"]
    assert run() == 65


def test_a_day_that_is_no_month_needs_no_question() -> None:
    text = written(bars="date,close\n01/02/2024,1\n13/02/2024,2\n14/02/2024,3\n")
    assert asked_about(text) == {}
    assert run() == 0


def test_where_times_are_from_and_whether_bars_are_finished_is_asked_but_not_of_days() -> None:
    text = written(bars="time,close\n2024-01-31 09:30:00,1\n2024-01-31 09:31:00,2\n")
    assert asked_about(text) == {"timezone": ["America/New_York"], "open_bars": ["1"]}
    assert left_open(text) == []


def test_open_or_close_is_asked_where_no_name_tells_it() -> None:
    text = written(bars=BARE)
    assert asked_about(text) == {"close": ["5", "2"]}, "bars begin where the one before ended"
    assert run() == 78


def test_every_alternative_reads_the_table() -> None:
    text = written(bars=BARE)
    for close in asked_about(text)["close"]:
        Path("config.yaml").write_text(text.replace("  close:\n", f"  close: {close}\n"))
        assert run() == 0


def test_all_numbers_are_asked_about_where_no_four_columns_are_prices() -> None:
    text = written(bars="2024-01-31,5,900,1\n2024-02-01,6,100,2\n2024-02-02,7,400,3\n")
    assert asked_about(text) == {"close": ["2", "3", "4"]}


def test_the_only_number_beside_the_times_is_the_close() -> None:
    text = written(bars="1704067200,5\n1704067260,6\n1704067320,7\n")
    assert yaml.safe_load(text)["columns"] == {"close": 2}
    assert run() == 0


def test_a_comma_that_may_be_either_sign_is_asked() -> None:
    text = written(bars='date,close\n2024-01-31,"1,234"\n2024-02-01,"2,345"\n')
    assert asked_about(text)["decimal"] == ['"."', '","']
    assert left_open(text) == ["decimal"]


def test_points_that_may_be_between_thousands_are_asked_about() -> None:
    text = written(bars="date,close\n2024-01-31,999\n2024-02-01,1.001\n2024-02-02,1.002\n")
    assert asked_about(text) == {"decimal": ['","']}


def test_points_before_two_digits_need_no_question() -> None:
    assert asked_about(written(bars="date,close\n2024-01-31,1.25\n2024-02-01,1.001\n")) == {}


def test_signs_in_numbers_are_found() -> None:
    bars = "Datum;Schlusskurs\n2024-01-31;€ 1.234,50\n2024-02-01;€ 999,75\n"
    settings = yaml.safe_load(written(bars=bars))
    assert settings["columns"] == {"close": "Schlusskurs"}
    assert settings["table"] == {"thousands": ".", "decimal": ",", "strip": "€"}
    assert run() == 0


def test_a_mark_that_may_mean_thousands_is_not_passed_over() -> None:
    Path("bars.csv").write_text("date,close\n2024-01-31,1.2 tsd\n2024-02-01,900\n")
    assert command("init", "--input", "bars.csv") == 65


def test_another_close_is_asked_about() -> None:
    text = written(bars="date,close,adj close\n2024-01-31,1,2\n2024-02-01,2,3\n")
    assert asked_about(text) == {"close": ["adj close"]}


def test_another_close_that_is_missing_at_times_is_asked_about() -> None:
    text = written(bars="date,close,price\n2024-01-31,1,2\n2024-02-01,2,None\n")
    assert asked_about(text) == {"close": ["price"]}


def test_a_column_of_text_that_may_be_the_symbols_is_asked_about() -> None:
    text = written(bars="date,close,paper\n2024-01-31,1,AB\n2024-02-01,2,CD\n2024-02-02,3,AB\n")
    assert asked_about(text) == {"symbol": ["paper"]}


def test_symbols_that_one_series_contradicts_are_known() -> None:
    rows = "2024-01-31,1,A\n2024-01-31,2,B\n2024-02-01,1,A\n2024-02-01,2,B\n"
    text = written(bars=f"date,close,code\n{rows}")
    assert yaml.safe_load(text)["columns"] == {"symbol": "code"}


def test_whose_bars_several_files_have_is_asked() -> None:
    text = written(a="date,close\n2024-01-31,1\n", b="date,close\n2024-02-01,2\n")
    assert asked_about(text) == {"symbol": ["{from: filename}"]}
    assert left_open(text) == []


def test_files_that_overlap_are_a_question() -> None:
    text = written(a="date,close\n2024-01-31,1\n2024-02-02,1\n", b="date,close\n2024-02-01,2\n")
    assert "symbol" in left_open(text)
    assert "{from: filename}" in asked_about(text)["symbol"]


def test_missing_closes_are_a_question() -> None:
    text = written(bars="date,close\n2024-01-31,1\n2024-02-01,\n2024-02-02,3\n")
    assert asked_about(text) == {"missing": ["skip", "gap"]}
    assert run() == 78


def test_newest_bars_first_are_reversed() -> None:
    head, *rows = HEADED.splitlines(keepends=True)
    text = written(bars=head + "".join(reversed(rows)))
    assert yaml.safe_load(text)["order"] == "newest_first"
    assert asked_about(text) == {}


def test_rows_in_no_order_are_not_sorted_without_an_answer() -> None:
    text = written(bars="date,close\n2024-02-01,1\n2024-01-31,2\n2024-02-02,3\n")
    assert left_open(text) == ["sort"]
    assert run() == 78


def test_rows_below_the_last_bar_are_a_question() -> None:
    text = written(bars="date,close\n2024-01-31,1\n2024-02-01,2\nSum,3\n")
    assert left_open(text) == ["footer"]
    assert run() == 78


def test_newest_bars_first_need_no_sort_in_any_of_several_files() -> None:
    text = written(
        a="date,close\n2024-02-02,2\n2024-02-01,1\n", b="date,close\n2024-02-04,4\n2024-02-03,3\n"
    )
    assert yaml.safe_load(text)["order"] == "newest_first"
    assert run(inputs=("a.csv", "b.csv")) == 0
    assert [close for _, close, _ in signals()] == ["1", "2", "3", "4"]


def test_repeated_rows_are_a_question() -> None:
    text = written(bars="date,close\n2024-01-31,1\n2024-02-01,2\n2024-02-01,2.0\n2024-02-02,3\n")
    assert asked_about(text) == {"duplicates": ["same", "last"]}
    assert run() == 78
    assert run("--set=duplicates=same", "--config=config.yaml") == 0


def test_rows_of_one_time_with_other_closes_are_not_equal() -> None:
    text = written(bars="date,close\n2024-01-31,1\n2024-02-01,2\n2024-02-01,9\n2024-02-02,3\n")
    assert asked_about(text) == {"duplicates": ["last"]}


def test_a_column_that_tells_symbols_apart_is_a_question() -> None:
    rows = "2024-01-31,a,X,1\n2024-01-31,b,X,9\n2024-02-01,a,X,2\n2024-02-01,b,X,8\n"
    text = written(bars=f"date,exchange,symbol,close\n{rows}")
    assert asked_about(text)["symbol"] == ["[exchange, symbol]", "null"]
    assert asked_about(text)["duplicates"] == ["keep", "last"]
    text = text.replace("duplicates:\n", "duplicates: keep\n")
    Path("config.yaml").write_text(text.replace("  symbol:\n", "  symbol: [exchange, symbol]\n"))
    assert run() == 0


def test_a_column_for_each_symbol_is_an_alternative() -> None:
    text = written(bars="date,AAPL,MSFT\n2024-01-31,1,10\n2024-02-01,2,11\n")
    assert asked_about(text) == {
        "close": ["AAPL", "MSFT", "close"],
        "symbol": ["null", "{from: header}"],
    }
    text = text.replace("  close:\n", "  close: close\n")
    Path("config.yaml").write_text(text.replace("  symbol:\n", "  symbol: {from: header}\n"))
    assert run() == 0
    assert len(signals()) == 4


def test_a_usual_name_of_closes_that_may_be_a_ticker_is_asked() -> None:
    text = written(bars="Date,C,F\n2024-01-31,1,10\n2024-02-01,2,11\n")
    assert asked_about(text)["close"] == ["C", "close"]
    assert run() == 78


def test_days_of_excel_are_a_question() -> None:
    text = written(bars="Date,close\n45293,1\n45294,2\n45295,3\n")
    assert asked_about(text) == {"timestamp_format": ["excel"]}
    assert "first bar 2024-01-02T00:00:00Z" in text


@pytest.mark.parametrize("times", [("34200000", "34260000"), ("09:30:00", "09:31:00")])
def test_a_day_in_the_path_is_a_question(times: tuple[str, str]) -> None:
    first, second = times
    text = written(aapl_20240102_minute=f"time,close\n{first},1\n{second},2\n")
    assert asked_about(text)["timestamp"] == ['[{from: path, pattern: "([0-9]{8})_"}, time]']
    assert "first bar 2024-01-02T09:30:00Z" in text
    assert "timestamp" in left_open(text)


def test_another_sheet_of_a_workbook_is_a_question() -> None:
    bars = Sheet("Prices", [["date", "close"], ["2024-01-31", number("1")]])
    notes = Sheet("Info", [["Source: somebody"], ["Prices in euro"]])
    Path("bars.xlsx").write_bytes(workbook([bars, bars._replace(name="Other")]))
    assert command("init", "--input", "bars.xlsx") == 0
    assert asked_about(Path("config.yaml").read_text()) == {"sheet": ["2"]}
    Path("bars.xlsx").write_bytes(workbook([notes, bars]))
    assert command("init", "--input", "bars.xlsx", "--config=2.yaml") == 0
    assert asked_about(Path("2.yaml").read_text()) == {"sheet": ["Prices"]}


def test_lines_below_the_header_that_are_no_bars_are_passed_over() -> None:
    text = written(bars="Price,Close\nTicker,AAPL\nDate,\n2024-01-31,1\n2024-02-01,2\n")
    assert yaml.safe_load(text)["table"] == {"first_row": 4}


def test_a_first_bar_that_cannot_be_read_is_never_passed_over() -> None:
    Path("bars.csv").write_text("date,close\n2024-01-31,abc\n2024-02-01,2\n2024-02-02,3\n")
    assert command("init", "--input", "bars.csv") == 65


def test_blanks_between_fields_are_found() -> None:
    text = written(bars="date  close\n2024-01-31   1\n2024-02-01   2\n")
    assert yaml.safe_load(text)["table"] == {"delimiter": "blanks"}


def test_the_place_of_bars_in_a_document_is_asked() -> None:
    rows = '[{"t": 1704067200, "c": 1}, {"t": 1704067260, "c": 2}]'
    Path("bars.json").write_text(f'{{"a": {rows}, "b": {rows}}}')
    assert command("init", "--input", "bars.json") == 0
    text = Path("config.yaml").read_text()
    assert asked_about(text)["records"] == ["a", "b", "null"]
    assert asked_about(text)["symbol"] == ["null", "{from: key}"]
    assert left_open(text) == ["symbol", "records"]


def test_a_place_that_alone_fits_all_documents_is_asked() -> None:
    rows = '[{"t": 1704067200, "c": 1}, {"t": 1704067260, "c": 2}]'
    Path("a.json").write_text(f'{{"bars": {{"A": {rows}, "B": {rows}}}}}')
    Path("b.json").write_text(f'{{"bars": {{"B": {rows.replace("17040", "17050")}}}}}')
    assert command("init", "--input", "a.json", "b.json") == 0
    text = Path("config.yaml").read_text()
    assert asked_about(text)["records"] == ['"bars.B"', "bars"]
    assert asked_about(text)["symbol"] == ["null", "{from: key}"]
    assert command("run", "--input", "a.json", "b.json") == 65


def test_an_encoding_is_asked_where_names_are_not_utf_8() -> None:
    Path("bars.csv").write_bytes("Größe;Schlusskurs;Tag\n1;2;2024-01-31\n".encode("cp1252"))
    assert command("init", "--input", "bars.csv") == 0
    text = Path("config.yaml").read_text()
    assert left_open(text) == ["encoding"]
    assert "cp1252" in asked_about(text)["encoding"]


def test_a_usual_name_tells_the_encoding() -> None:
    Path("bars.csv").write_bytes("日期,收盘\n2024-01-31,1\n2024-02-01,2\n".encode("gbk"))
    assert command("init", "--input", "bars.csv") == 0
    settings = yaml.safe_load(Path("config.yaml").read_text())
    assert settings["table"] == {"encoding": "gbk"}
    assert settings["columns"] == {"close": "收盘"}


def test_names_that_are_not_utf_8_do_not_matter_where_they_are_not_read() -> None:
    bars = "date,close,größe\n2024-01-31,1,x\n2024-02-01,2,y\n"
    Path("bars.csv").write_bytes(bars.encode("cp1252"))
    assert command("init", "--input", "bars.csv") == 0
    assert run() == 0


def test_rows_that_lose_their_order_late_are_not_sorted_without_an_answer() -> None:
    last = datetime(2024, 1, 1)
    days = [f"{last - timedelta(days=number):%Y-%m-%d},1\n" for number in range(6_000)]
    text = written(bars=f"date,close\n{''.join(days)}2024-02-01,1\n")
    assert left_open(text) == ["sort"]


def test_one_of_two_columns_of_one_name_is_asked() -> None:
    assert asked_about(written(bars="date,close,close\n2024-01-31,5,6\n")) == {"close": ["2", "3"]}


def test_what_the_first_rows_do_not_tell_is_found_in_later_ones() -> None:
    days = [
        f"{day:02}/{month:02}/{year}"
        for year in range(1800, 2023)
        for month in range(1, 13)
        for day in range(1, 2)
    ]
    rows = "".join(f"{day},{number + 1}\n" for number, day in enumerate(days))
    text = written(bars=f"date,close\n{rows}13/01/2023,7\n")
    assert left_open(text) == []
    assert "It looked at all 2,677 rows." in text


# How it behaves.


def test_an_existing_file_is_not_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bars.csv").write_text(HEADED)
    Path("config.yaml").write_text("mine")
    assert command("init", "--input", "bars.csv") == 73
    assert Path("config.yaml").read_text() == "mine"
    assert "name another file with --config" in capsys.readouterr().err
    assert command("init", "--input", "bars.csv", "--config", "other.yaml") == 0


def test_a_table_that_no_settings_let_in_leaves_no_config(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("bars.csv").write_text("a,b\nx,y\n")
    assert command("init", "--input", "bars.csv") == 65
    assert not Path("config.yaml").exists()
    assert "init found no settings" in capsys.readouterr().err


def test_a_missing_table_is_an_error_of_its_own() -> None:
    assert command("init", "--input", "none.csv") == 66


def test_what_can_be_read_only_once_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("init", "--input", "-") == 2
    assert "save it to a file first" in capsys.readouterr().err


def test_the_same_table_gets_the_same_config() -> None:
    first = written(bars=BARE)
    Path("config.yaml").unlink()
    assert written(bars=BARE) == first


def test_the_report_says_what_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    written(bars=BARE)
    out = capsys.readouterr().out
    assert out.startswith("config.yaml is written.\nIt looked at all 3 rows.\n")
    assert "It has 1 question, each marked with QUESTION.\n" in out
    assert out.endswith("Next: rollsignal run --input bars.csv --config config.yaml\n")


def test_the_report_says_whether_a_question_needs_an_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(bars="time,close\n2024-01-02 09:30,1\n2024-01-02 09:31,2\n")
    assert "A run needs no answer" in capsys.readouterr().out
    assert run() == 0
    Path("config.yaml").unlink()
    written(bars=BARE)
    out = capsys.readouterr().out
    assert "A run refuses the table until a value is written" in out
    assert "A run needs no answer" not in out


def test_a_run_without_a_config_names_the_command_that_writes_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("bars.csv").write_text("time,close\n2024-01-02 09:30,1\n2024-01-02 09:31,2\n")
    assert command("run", "--input", "bars.csv") == 78
    assert "; rollsignal init --input TABLE writes one for your bars)" in capsys.readouterr().err
    assert command("init", "--input", "bars.csv") == 0
    assert run() == 0


# The end of a refusal.


def refusal(capsys: pytest.CaptureFixture[str], bars: str, config: str = "") -> str:
    Path("bars.csv").write_text(bars)
    Path("config.yaml").write_text(f'seed: 1\nwindow: 2\nversion: "v"\n{config}')
    capsys.readouterr()
    assert run() == 65
    return capsys.readouterr().err


def test_a_refused_table_ends_with_the_command_that_writes_its_config(
    capsys: pytest.CaptureFixture[str],
) -> None:
    err = refusal(capsys, BARE)
    advice = "(rollsignal init --input bars.csv --config NEW.yaml writes a config for this table)\n"
    assert err.endswith(advice)
    assert "init" not in Path("metrics.json").read_text()
    assert command("init", "--input", "bars.csv", "--config", "NEW.yaml") == 0


@pytest.mark.parametrize(
    "bars",
    [
        "date,close\n2024-02-01,1\n2024-01-31,2\n",
        "date,close\n2024-01-31,1\n2024-01-31,2\n",
        "date,close\n2024-01-31,1\n2024-02-01,\n",
        "date,close\n2024-01-31,1\n2024-02-01,abc\n",
        "date,close\n2024-01-31,1\n",
    ],
    ids=["order", "duplicates", "missing", "value", "few rows"],
)
def test_a_refusal_that_is_about_bars_does_not(
    bars: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "init" not in refusal(capsys, bars)


def test_a_config_that_has_the_setting_is_not_sent_to_another_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bars = "date,close\n01/02/2024,1\n02/02/2024,2\n"
    assert "init" in refusal(capsys, bars)
    assert "init" not in refusal(capsys, bars, "timestamp_format:\n")


def test_a_config_with_a_place_of_times_is_not_sent_to_one_without(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bars = "time,close\n2024-11-03 00:30,1\n2024-11-03 01:30,2\n2024-11-03 02:30,2\n"
    assert "comes twice" in refusal(capsys, bars, "timezone: America/New_York\n")
    assert "init" not in refusal(capsys, bars, "timezone: America/New_York\n")


def test_a_config_that_would_lose_what_is_declared_is_not_offered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bars = "year,close\n2021,1\n2022,2\n"
    assert "init" not in refusal(capsys, bars, "columns: {timestamp: year}\n")
    assert "init" in refusal(capsys, BARE, "table: {header: auto}\n")


def test_a_check_says_what_writes_a_config(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bars.csv").write_text(BARE)
    assert command("check", "--input", "bars.csv") == 65
    assert "rollsignal init --input bars.csv --config NEW.yaml" in capsys.readouterr().err
