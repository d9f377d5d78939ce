"""The report has the results, and their distance from the targets."""

from pathlib import Path

from bench.__main__ import PAGE, PART
from bench.cases import FULL, OURS, QUICK, SIZES, Case, Measured, Results
from bench.kernel import PROGRAMS
from bench.processes import Run
from bench.report import case_table, kernel_table, page, target_table
from bench.targets import Kernel, Kernels, Target, reached, targets

KERNELS: Kernels = {name: Kernel(0.5, place) for place, name in enumerate(PROGRAMS)}


def measured(case: Case, wall_s: float = 1.0) -> Measured:
    rows = SIZES[case.size]
    walls = {name: wall_s * 2**place for place, name in enumerate((OURS, *case.others))}
    runs = {name: [Run(wall, 2 * wall, 80)] * case.repeats for name, wall in walls.items()}
    return Measured(case, rows, runs, {"polars": 1234}, {})


def results(plan: tuple[Case, ...]) -> Results:
    return {(case.kind, case.size): measured(case, SIZES[case.size] / 1e6) for case in plan}


def test_a_table_has_a_row_for_every_program() -> None:
    case = Case("csv", "1 million", 5, ("polars", "DuckDB", "polars scan"))
    table = case_table(measured(case)._replace(missing={"pandas script": "failed"}))
    assert table.splitlines() == [
        "### CSV: 1,000,000 rows",
        "",
        "| program | wall | CPU | peak memory | wrong signals | rollsignal / it |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| rollsignal | 1 s | 2 s | 80 MB | | |",
        "| polars | 2 s | 4 s | 80 MB | 1,234 | 0.5 |",
        "| DuckDB | 4 s | 8 s | 80 MB | | 0.25 |",
        "| polars scan | 8 s | 16 s | 80 MB | | 0.125 |",
        "| pandas script | failed | | | | |",
        "",
        "Medians of 5 runs.",
    ]


def test_a_kernel_that_is_not_installed_is_named() -> None:
    table = kernel_table({**KERNELS, "TA-Lib SMA, doubles": None})
    assert "| TA-Lib SMA, doubles | not installed | | |" in table


def test_every_target_is_found_in_the_full_plan_and_in_the_quick_one() -> None:
    for plan, size in ((FULL, "10 million"), (QUICK, "1 million")):
        wanted = targets(size)
        assert [figure.target for figure in reached(wanted, results(plan), KERNELS)] == list(wanted)


def test_a_target_describes_whether_it_is_met_and_the_distance() -> None:
    target = Target("memory", 400, lambda _, __: 440, lambda _, __: 410, unit=" MB")
    assert target.verdict(300) == "met, 25% below"
    assert target.verdict(400) == "met, 0% below"
    (row,) = target_table(reached([target], {}, {})).splitlines()[2:]
    assert row == "| memory | 440 MB | 410 | 400 MB | NOT met, 10.0% above |"


def test_the_page_has_a_place_for_the_report_and_the_report_has_every_case() -> None:
    assert len(PART.findall(PAGE.read_text())) == 1
    everything = results(FULL)
    text = page(
        everything, KERNELS, reached(targets("10 million"), everything, KERNELS), "performance.svg"
    )
    assert text.count("\n### ") == len(FULL)
    assert "(performance.svg)" in text
    assert not Path("performance.svg").exists()
