"""Facts about `report`: what its page says, that it is safe, and how it ends."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from rollsignal.messages import escaped
from tests.support.evaluated import walk
from tests.support.html import ReadPage, checked
from tests.support.records import forged
from tests.support.shell import ROOT, command

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "=1+1", "a\u202eb"]
WALK = [f"{close / 100:.2f}" for close in walk(1, 300)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bars(closes: list[str], symbol: str | None = None, timed: bool = True) -> list[str]:
    name = [] if symbol is None else ['"' + symbol.replace('"', '""') + '"']
    return [
        ",".join([*name, *([f"{2000 + day // 300}-01-01T{day % 300 // 60:02}:{day % 60:02}:00"]
        if timed else []), close])
        for day, close in enumerate(closes)
    ]  # fmt: skip


def decide(
    rows: list[str],
    head: str = "timestamp,close",
    *,
    window: int = 5,
    more: str = "",
    name: str = "r",
) -> int:
    """Decide bars into NAME.json and NAME.csv."""
    Path("bars.csv").write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    Path("config.yaml").write_text(f"seed: 1\nversion: v\nwindow: {window}\n{more}")
    return command(
        "run", "--input=bars.csv", f"--record={name}.json", f"--signals={name}.csv", "-q"
    )


def made(*flags: str, run: str = "r.json") -> ReadPage:
    assert command("report", run, *flags) == 0
    return checked(Path("report.html").read_text("utf-8"))


def verdicts(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    lines = capsys.readouterr().out.splitlines()[-5:]
    return {line[:17].strip(): line[18:] for line in lines}


CASES: dict[str, tuple[list[str], str, str]] = {
    "a series": (bars(WALK), "timestamp,close", ""),
    "no ones": (bars([str(900 - n) for n in range(60)]), "timestamp,close", ""),
    "all ones": (bars([str(900 + n) for n in range(60)]), "timestamp,close", ""),
    "flat": (bars(["5"] * 60), "timestamp,close", ""),
    "as few bars as the window": (bars(WALK[:5]), "timestamp,close", ""),
    "without times": (bars(WALK, timed=False), "close", "columns: {timestamp: none}\n"),
    "missing closes": (
        bars([close if n % 17 else "" for n, close in enumerate(WALK)]),
        "timestamp,close",
        "missing: gap\nchecks: {gaps: warn}\n",
    ),
    "closes of 0 and below": (
        bars(["20", "5", "1", "-37", "0", "10", "12", "13", "14"] * 3),
        "timestamp,close",
        "",
    ),
    "a panel": (
        [row for n, name in enumerate(HOSTILE) for row in bars(WALK[n : 200 - n], name)],
        "symbol,timestamp,close",
        "",
    ),
    "a panel without times": (
        [row for name in "AB" for row in bars(WALK[:50], name, timed=False)],
        "symbol,close",
        "columns: {timestamp: none}\n",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_run_has_a_page_with_all_that_was_asked_for(case: str) -> None:
    rows, head, more = CASES[case]
    assert decide(rows, head, more=more) == 0
    page = made("--windows=2:9", "--audit", "--against=r.csv")
    sections = [tag.attributes["id"] for tag in page.named("section")]
    wanted = ["signal", "trust", "good", "window", "symbols", "floats", "changed", "made"]
    assert sections == [name for name in wanted if name != "symbols" or "panel" in case]
    assert not re.search(r"\bnan\b|\binf\b|None(?! of | trades)|\\n", page.text)


@pytest.mark.parametrize("case", CASES)
def test_the_same_run_has_the_same_page_to_the_byte(case: str) -> None:
    rows, head, more = CASES[case]
    decide(rows, head, more=more)
    pages = set()
    for _ in range(2):
        assert command("report", "r.json", "--windows=2:9") == 0
        pages.add(Path("report.html").read_bytes())
    assert len(pages) == 1


def test_a_single_bar_has_a_page() -> None:
    decide(bars(["5"]), window=1)
    assert "1 bar, 2000-01-01 UTC" in made().text


def test_texts_of_data_are_shown_and_do_nothing() -> None:
    rows, head, more = CASES["a panel"]
    decide(rows, head.replace("close", "<em>c"), more=more + 'columns: {close: "<em>c"}\n')
    page = made()
    for name in HOSTILE:
        assert escaped(name) in page.text_of("a")
    assert "<em>c" in page.text
    assert not page.named("em")
    rows_of_json = next(text for text in page.text_of("script") if '"columns"' in text)
    assert {row[1] for row in json.loads(rows_of_json)["rows"]} == set(map(escaped, HOSTILE))


def test_the_name_of_a_file_is_shown_and_does_nothing() -> None:
    decide(bars(WALK))
    path = Path("<img src=x onerror=alert(1)>\x1b.csv")
    Path("r.csv").rename(path)
    assert made(run=str(path)).text_of("h1") == [escaped(path.name)]


def test_urls_are_shown_without_their_secrets() -> None:
    decide(bars(WALK))
    record = Path("r.json").read_text()
    record = record.replace('"bars.csv"', '"https://me:hunter2@host/bars.csv?sig=abc"')
    Path("r.json").write_text(forged(json.loads(record)))
    page = made()
    assert page.text_of("h1") == ["bars.csv?…"]
    assert "https://host/bars.csv?…" in page.text
    assert not re.search("hunter2|sig=", page.text)


def test_figures_of_the_page_are_those_of_the_other_commands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    decide(bars(WALK))
    capsys.readouterr()
    command("evaluate", "r.json", "--json")
    found = json.loads(capsys.readouterr().out)
    page = made()
    for name in ("net", "gross", "held"):
        assert f"{found['trading'][name]['growth']:.4f}" in page.text_of("td")
    assert f"{found['fragility']['one_tick']:,} signals" in page.text
    assert found["settings"]["horizons"] == [1, 5, 20]
    command("sweep", "r.json", "--windows=2:9", "--json")
    best = json.loads(capsys.readouterr().out.partition("\n{")[2].join(["{", ""]))["best"]
    made("--windows=2:9")
    assert f"Best after costs: {best};" in verdicts(capsys)["Which window?"]


def test_the_rate_is_that_of_the_metrics() -> None:
    decide(bars(WALK))
    value = json.loads(Path("metrics.json").read_text())["value"]
    assert f"rate {value:.4f}" in made().text


def test_the_first_symbols_are_those_that_are_late_and_then_those_of_the_greatest_t() -> None:
    rows = [row for n in range(40) for row in bars(WALK[n : 250 - (n == 7)], f"S{n:02}")]
    decide(rows, "symbol,timestamp,close")
    page = made()
    document = json.loads(next(text for text in page.text_of("script") if '"columns"' in text))
    lasts = {row[1]: row[3] for row in document["rows"]}
    last = max(lasts.values())
    late = [name for name, each in lasts.items() if each < last]
    assert [row[1] for row in document["rows"]][: len(late)] == late
    sizes = [abs(row[-2]) for row in document["rows"][len(late) :]]
    assert sizes == sorted(sizes, reverse=True)
    links = [tag for tag in page.named("a") if tag.attributes["href"] == "#signal"]
    assert len(links) == 25
    assert len(document["rows"]) == 40


def test_what_was_not_asked_says_with_which_flag_to_ask_and_then_there_is_an_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    decide(bars(WALK))
    decide(bars(WALK), name="old")
    made()
    said = verdicts(capsys)
    questions = {
        "Which window?": "--windows 2:200",
        "Do floats differ?": "--audit",
        "What changed?": "--against RUN",
    }
    for question, flag in questions.items():
        assert re.match(f"none +Not asked. Ask with {flag} to ", said[question])
        made(*flag.replace("RUN", "old.json").split())
        assert "Not asked" not in verdicts(capsys)[question]


def test_a_failed_run_has_a_page_of_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert decide(bars(["1", "2", "x"])) == 65
    page = made("--windows=2:9", "--audit", "--against=r.json")
    said = verdicts(capsys)
    assert said["Can I trust it?"].startswith("no")
    assert "line 4: close is 'x', not a number" in said["Can I trust it?"]
    assert all(text.endswith("Not known. The run failed.") for text in list(said.values())[1:])
    assert "exit code 65" in re.sub(r"\s+", " ", page.text)
    assert not page.named("svg")


def test_a_run_that_did_not_end_is_not_taken_for_a_success(
    capsys: pytest.CaptureFixture[str],
) -> None:
    decide(bars(WALK))
    record = json.loads(Path("r.json").read_text())
    kept = ("schema", "program", "process", "asked", "config")
    running = {"status": "running"} | {name: record[name] for name in kept}
    running["process"] = record["process"] | {"ended": None}
    full = json.loads(json.dumps(record)) | running
    for name in ("tally", "series", "digest"):
        full[name] = None
    for name in ("inputs", "warnings", "outputs"):
        full[name] = []
    full["checks"], full["stages_ms"] = {}, {}
    Path("r.json").write_text(forged(full))
    made()
    assert verdicts(capsys)["Can I trust it?"].startswith("no    The run did not end.")


def test_a_run_without_signals_has_a_page_of_its_checks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    decide(bars(WALK))
    Path("r.csv").unlink()
    page = made()
    said = verdicts(capsys)
    assert said["Can I trust it?"].startswith("fine  Checks found nothing.")
    assert said["Is it any good?"] == "none  Not known. The run left no signals."
    assert "duplicates" in page.text


def test_signals_alone_have_a_page_that_says_what_is_missing() -> None:
    decide(bars(WALK))
    page = made(run="r.csv")
    assert "What the checks found is not known" in page.text
    assert "Identity, checks and inputs are not known" in page.text
    assert page.text_of("h1") == ["r.csv"]
    named = made()
    assert "is not known" not in named.text
    assert {"duplicates", "order"} <= set(named.text_of("th"))


def test_what_changed_since_another_run_is_its_difference(
    capsys: pytest.CaptureFixture[str],
) -> None:
    decide(bars(WALK), name="old")
    closes = list(WALK)
    closes[150] = "140.00"
    decide(bars(closes), more="warmup: zero\n")
    page = made("--against=old.json")
    said = verdicts(capsys)["What changed?"]
    assert said.startswith("look")
    assert "settings and inputs differ" in said.lower()
    command("diff", "old.json", "r.json", "--json")
    document = json.loads(capsys.readouterr().out)
    changed = document["counts"]["signal"]
    assert f"{changed} signal" in said or (not changed and "No signal changed" in said)
    assert WALK[150].rstrip("0") in page.text
    assert "zero" in page.text_of("td")


def test_equal_runs_are_said_to_be_equal(capsys: pytest.CaptureFixture[str]) -> None:
    decide(bars(WALK))
    assert "The signals are equal." in made("--against=r.json").text
    said = verdicts(capsys)["What changed?"]
    assert said == "fine  No signal changed. Settings and code as before."


def test_costs_may_be_set_and_are_shown_as_given() -> None:
    decide(bars(WALK))
    page = made("--set", "evaluate.cost_bp=7")
    assert "a trade costs 7 bp" in page.text
    assert "command line" in page.text_of("span")


def test_growth_and_falls_are_one_picture_by_themselves() -> None:
    decide(bars(WALK))
    made("--plot=plot.svg")
    tree = ET.parse("plot.svg").getroot()
    assert tree.tag == "{http://www.w3.org/2000/svg}svg"
    assert [child.tag.rpartition("}")[2] for child in tree][:3] == ["title", "desc", "style"]
    assert not re.search(r"href|url\(|http(?!://www.w3.org/2000/svg)", Path("plot.svg").read_text())


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (["r.json", "--output=r.txt"], 2, "--output r.txt must end in one of .html, .htm"),
        (["r.json", "--plot=r.png"], 2, "--plot r.png must end in one of .svg"),
        (["r.json", "--windows=5:2"], 2, "no range of windows"),
        (["r.json", "--set", "window=9"], 2, "a record has its settings"),
        (["missing.json"], 66, "not found"),
        (["r.json", "--against=missing.json"], 66, "not found"),
        (["bars.csv"], 65, "not a table of signals"),
        (["r.json", "--output=bars.csv/x.html"], 73, "cannot be created"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_no_page(
    flags: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    decide(bars(WALK))
    capsys.readouterr()
    assert command("report", *flags) == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""
    assert not list(Path().glob("*.html"))


def test_signals_that_are_not_those_of_the_record_have_no_page(
    capsys: pytest.CaptureFixture[str],
) -> None:
    decide(bars(WALK))
    with Path("r.csv").open("a") as file:
        file.write("\n")
    assert command("report", "r.json") == 65
    assert "its SHA-256 differs" in capsys.readouterr().err


def test_there_is_no_picture_without_growth_and_leaving_it_out_gives_the_page(
    capsys: pytest.CaptureFixture[str],
) -> None:
    decide(bars(["5"]), window=1)
    assert command("report", "r.json", "--plot=plot.svg") == 2
    assert "(leave out --plot)" in capsys.readouterr().err
    assert not Path("report.html").exists()
    made()


def test_the_page_of_the_sample_is_small() -> None:
    flags = [f"--input={ROOT / 'data.csv'}", f"--config={ROOT / 'config.yaml'}", "-q"]
    assert command("run", *flags, "--record=r.json", "--signals=r.parquet") == 0
    made("--windows=2:200", "--audit")
    assert Path("report.html").stat().st_size <= 250_000
