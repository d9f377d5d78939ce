"""Facts about signs in numbers, missing values, comments, footers, delimiters and encodings."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.settings import Columns, JobConfig, Table
from rollsignal.core.ticks import MISSING_WORDS
from tests.support import oracle
from tests.support.strategies import SPIKE, written
from tests.support.tables import CONFIG, Cut, bars_of, opened, read, refusal

DAYS = [f"2024-01-{day:02}" for day in range(1, 29)]
SKIP = CONFIG._replace(missing="skip")


def declared(**settings: object) -> JobConfig:
    return CONFIG._replace(table=Table(**settings))  # type: ignore[arg-type]


def table(cells: list[str], delimiter: str = ";", end: str = "\n") -> str:
    rows = [f"{day}{delimiter}{cell}" for day, cell in zip(DAYS, cells, strict=False)]
    return "\n".join([f"date{delimiter}close", *rows]) + end


def closes_of(cells: list[str], config: JobConfig) -> list[Fraction | None]:
    return read(table(cells), config).closes


def grouped(number: str, sign: str) -> str:
    """Write a number with a sign between groups of three digits."""
    whole, point, decimals = number.partition(".")
    minus, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return minus + f"{int(digits):,}".replace(",", sign) + point + decimals


@given(
    st.lists(st.integers(-SPIKE, SPIKE), min_size=1, max_size=9),
    st.integers(0, 8),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'"), (",", "\u202f"), (".", "_")]),
    st.sampled_from([None, "$", "USD", "€"]),
    st.sampled_from(
        [
            lambda n, m: m + n,
            lambda n, m: f"{n} {m}",
            lambda n, m: f"{n}\u00a0{m}" if m else n,
            lambda n, m: n,
        ]
    ),
)
def test_signs_in_numbers_change_no_close(
    ticks: list[int],
    scale: int,
    signs: tuple[str, str],
    mark: str | None,
    put: Callable[[str, str], str],
) -> None:
    decimal, thousands = signs
    plain = [written(tick, scale) for tick in ticks]
    cells = [grouped(number, "T").replace(".", decimal).replace("T", thousands) for number in plain]
    cells = [put(cell, mark or "") for cell in cells]
    config = declared(decimal=decimal, thousands=thousands, strip=mark)
    assert closes_of(cells, config) == oracle.prices(plain)


@pytest.mark.parametrize(
    ("cell", "settings"),
    [
        ("1.5", {"decimal": ","}),
        ("1,23", {"thousands": ","}),
        ("1234,567", {"thousands": ","}),
        ("1,2345", {"thousands": ","}),
        ("1,234,56", {"thousands": ","}),
        (",234", {"thousands": ","}),
        ("1.234.567,5", {"decimal": ",", "thousands": " "}),
        ("1 234\u202f567", {"thousands": " "}),
        ("$5$", {"strip": "$"}),
        ("5$", {"strip": "€"}),
        ("$ $5", {"strip": "$"}),
        ("-$-5", {"strip": "$"}),
        ("0x10", {"strip": "$"}),
        ("1.234", {"decimal": ",", "thousands": " "}),
        ("5,5,5", {"decimal": ","}),
        ("\u0661,5", {"decimal": ","}),
    ],
)
def test_a_number_in_another_form_than_declared_is_refused_with_its_line(
    cell: str, settings: dict[str, str]
) -> None:
    message = refusal(table(["1", cell]), declared(**settings))
    assert message.startswith(f"bars.csv line 3: close is {cell!r}"[:26])
    assert "not a number" in message


@pytest.mark.parametrize("word", sorted(MISSING_WORDS - {"\\n", ""}))
def test_the_usual_words_mean_a_missing_close_beside_signs(word: str) -> None:
    config = declared(decimal=",", thousands=".", strip="$")._replace(missing="gap")
    assert closes_of(["1", word, "2"], config) == [1, None, 2]


@pytest.mark.parametrize("careful", [True, False])
@pytest.mark.parametrize("cell", ["-9999", "-9999.00", "-9.999e3", "closed", " CLOSED "])
def test_declared_words_and_numbers_mean_a_missing_close(cell: str, careful: bool) -> None:
    config = declared(missing_values=("-9999", "closed"))._replace(missing="gap")
    text = table(["1", "-999.9", cell, "-99990"] * 5)
    cut = Cut() if careful else Cut(0, 30, 30)
    with opened(text, config, cut) as reader:
        assert bars_of(reader).closes == [1, Fraction("-999.9"), None, -99990] * 5
    assert "set missing: skip" in refusal(text, config._replace(missing="error"))


def test_a_missing_number_of_more_decimals_than_the_closes_is_none_of_them() -> None:
    config = declared(missing_values=("0.5", "10.0"))._replace(missing="gap")
    assert closes_of(["1", "5", "10"], config) == [1, 5, None]


COMMENTED = '# a, "note\ndate,close,n\n2024-01-01,1,"a\n#b"\n#2024-01-02,7,x\n2024-01-03,2,\n# end'


def test_comments_are_passed_over_and_count_as_lines() -> None:
    bars = read(COMMENTED, declared(comment="#"))
    assert bars.closes == [1, 2]
    assert bars.lines == [3, 6]


def test_comments_between_closes_alone_are_no_missing_ones() -> None:
    config = declared(comment="//")._replace(columns=Columns(timestamp="none"))
    assert read("close\n1\n// x\n2\n", config).closes == [1, 2]
    assert "a blank line among closes" in refusal("close\n1\n\n// x\n2\n", config)


@pytest.mark.parametrize("size", [16, 64, 4096])
def test_comments_in_any_block_are_passed_over(size: int) -> None:
    rows = [f"A,{day},{number}\n" for number, day in enumerate(DAYS)]
    text = "symbol,date,close\n" + "".join(f"{row}#{row}" for row in rows)
    config = declared(comment="#")
    with opened(text, config, Cut(0, size, size)) as reader:
        assert bars_of(reader).closes == list(range(28))


def test_blanks_part_fields_however_many_there_are() -> None:
    text = "date  close\tn\n 2024-01-01   1  5\n2024-01-02\t2 6 \n"
    assert read(text, declared(delimiter="blanks")).closes == [1, 2]
    text = text.replace("2 6", "2")
    assert "line 3: 2 fields instead of 3" in refusal(text, declared(delimiter="blanks"))
    text = text.replace("2 ", '"2" 6')
    assert "line 3: a quote, where blanks are" in refusal(text, declared(delimiter="blanks"))


@pytest.mark.parametrize("sign", ["tab", ":", " ", "~", "#", "|"])
@pytest.mark.parametrize("size", [32, 4096])
def test_any_sign_that_is_declared_parts_fields(sign: str, size: int) -> None:
    text = table([str(number) for number in range(28)], "\t" if sign == "tab" else sign)
    with opened(text, declared(delimiter=sign), Cut(0, size, size)) as reader:
        assert bars_of(reader).closes == list(range(28))


def test_another_delimiter_than_declared_is_refused() -> None:
    assert "line 1: no 'close' column" in refusal(table(["1"]), declared(delimiter=","))
    text = "sep=;\n" + table(["1"])
    assert refusal(text, declared(delimiter=",")) == (
        "bars.csv line 1: sep=;, but table.delimiter is ,"
    )


FOOTERS = ["Total;;5\n", '\n"Source: x; y"\n', "Average;3\n", ";;;\n", "© vendor\n\n"]


@pytest.mark.parametrize("footer", [*FOOTERS, "".join(FOOTERS), "Total;7"])
@pytest.mark.parametrize("size", [40, 4096])
def test_rows_below_the_last_bar_are_passed_over_and_told(footer: str, size: int) -> None:
    text = table(["1", "2", "3"]) + footer
    assert refusal(text)
    with opened(text, declared(footer="skip"), Cut(0, size, size)) as reader:
        assert bars_of(reader).closes == [1, 2, 3]
        assert "passed over from line" in reader.describe()


@pytest.mark.parametrize(
    "rows",
    [
        "Total;5\n2024-01-05;6\n",
        "2024-01-05;x\n",
        "2024-01-05\n",
        "2024-01;5\n",
        "2024-13-01;5\n",
        ";5\n",
        "5 rows\n",
    ],
)
def test_a_row_that_may_be_a_damaged_bar_is_no_footer(rows: str) -> None:
    assert "bars.csv line 5" in refusal(table(["1", "2", "3"]) + rows, declared(footer="skip"))


def test_in_a_table_without_times_a_footer_has_a_text_in_place_of_a_close() -> None:
    config = declared(footer="skip")._replace(columns=Columns(timestamp="none"))
    assert read("close;n\n1;2\nTotal;x\n", config).closes == [1]
    assert "line 3" in refusal("close;n\n1;2\n;5\n", config)
    assert "line 3: close is 'nan'" in refusal("close;n\n1;2\nnan;5\n", config)


def test_a_table_of_footers_alone_is_refused() -> None:
    text = "date;close\nx;1\ny;2\n"
    assert "line 2: date is 'x'" in refusal(text, declared(footer="skip"))


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("cp1252", "café"), ("gbk", "平安银行"), ("utf-16-le", "é"), ("utf-16-be", "é"),
     ("utf-8", "é"), ("cp037", "e")],
)  # fmt: skip
def test_a_declared_encoding_is_read(encoding: str, name: str) -> None:
    text = f"{name},date,close\nx,2024-01-01,1\n{name},2024-01-02,2\n"
    config = declared(encoding=encoding)
    assert read(text.encode(encoding), config).closes == [1, 2]
    symbols = config._replace(columns=Columns("close", 2, None))
    assert read(text.encode(encoding), symbols).closes == [1, 2]


@pytest.mark.parametrize(
    ("data", "encoding", "message"),
    [
        (table(["1"]).encode("utf-8-sig"), "cp1252", ": UTF-8 by its first bytes, but table.enc"),
        (table(["1"]).encode("utf-16"), "gbk", ": UTF-16 by its first bytes, but table.encoding"),
        (table(["1"]).encode("utf-16-le"), "utf-16", ": no byte order mark, so utf-16 may be of"),
        (table(["1"]).encode() + b"\xff", "gbk", ": not GBK as table.encoding says"),
        (table(["1"]).encode(), "utf-16-be", " line 1: no 'close' column"),
    ],
)
def test_an_encoding_that_the_bytes_contradict_is_refused(
    data: bytes, encoding: str, message: str
) -> None:
    assert refusal(data, declared(encoding=encoding)).startswith(f"bars.csv{message}")


def test_bytes_that_are_not_utf8_do_not_matter_in_a_column_that_is_not_read() -> None:
    text = "date,close,\xe9\n2024-01-01,1,\xff\n2024-01-02,2,x\n"
    assert read(text.encode("latin-1")).closes == [1, 2]
    assert "n is 'a\\x00', contains a NUL" in refusal(table(["1;a\0"]).replace("close", "close;n"))
    piped = text.replace(",", "|").encode("latin-1")
    assert "is not UTF-8" in refusal(piped)
