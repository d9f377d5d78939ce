"""A sheet of a workbook is read as the table that it shows, or refused with sheet and cell."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.rules import DateAndTime
from rollsignal.config.settings import Columns, JobConfig, Table
from rollsignal.core.timestamps.reader import iso
from rollsignal.errors import DataError
from rollsignal.readers import sheet_rows, sheet_text, workbook
from rollsignal.readers.sheet_dates import date_text, kind_of_format
from rollsignal.readers.text import TextReader
from tests.support.oracle import price
from tests.support.tables import CONFIG, Bars, Cut, bars_of, opened
from tests.support.workbooks import (
    CLOCK,
    DATED,
    DAY,
    ELAPSED,
    MONEY,
    Cell,
    Rows,
    Sheet,
    number,
)
from tests.support.workbooks import workbook as written

Row = tuple[Cell | str | None, ...]

HEAD: Row = ("Date", "Close")
# 1 to 3 January 2024.
DAYS = [number(str(day), DAY) for day in (45292, 45293, 45294)]
CLOSES = ("100.10", "99.95", "100.1")
BARS: list[Row] = [HEAD, *((day, number(close)) for day, close in zip(DAYS, CLOSES, strict=True))]
TIMES = ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"]
FOLDER = Path(__file__).parent / "workbooks"


def with_table(**settings: object) -> JobConfig:
    return CONFIG._replace(table=Table()._replace(**settings))  # type: ignore[arg-type]


def read(data: bytes, config: JobConfig = CONFIG) -> Bars:
    with opened(data, config) as reader:
        return bars_of(reader)


def times(bars: Bars) -> list[str]:
    return list(map(iso, bars.times_ns))


def refusal(rows: Rows | list[Sheet] | bytes, config: JobConfig = CONFIG) -> str:
    with pytest.raises(DataError) as caught:
        read(rows if isinstance(rows, bytes) else written(rows), config)
    message = str(caught.value)
    return message[message.index("bars.csv") :]


def described(data: bytes, config: JobConfig = CONFIG) -> str:
    with opened(data, config) as reader:
        bars_of(reader)
        return reader.describe()


def with_close(cell: Cell | str | None) -> list[Row]:
    return [HEAD, (DAYS[0], number("1")), (DAYS[1], cell), (DAYS[2], number("3"))]


def with_time(*cells: Cell | str | None) -> list[Row]:
    return [HEAD, *((cell, number("1")) for cell in cells)]


def test_a_sheet_is_read_with_its_dates_and_closes() -> None:
    bars = read(written(BARS))
    assert bars.closes == list(map(price, CLOSES))
    assert times(bars) == TIMES
    assert bars.lines == [2, 3, 4]
    assert described(written(BARS)) == "xlsx, sheet Prices, close from Close, timestamp from Date"


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
def test_a_number_is_the_shortest_decimal_of_its_double(value: float) -> None:
    # Excel writes up to 17 digits, other programs as many as they like.
    for text in (repr(value), f"{value:.16E}", f"{value:.40g}"):
        (_, close, _) = read(written(with_close(number(text)))).closes
        assert close == Fraction(repr(value)) == price(repr(value))


@pytest.mark.parametrize("value", ["1E999", "INF", "0x10", "1_0", "1,5"])
def test_what_is_no_double_is_refused_with_its_cell(value: str) -> None:
    message = refusal(with_close(number(value)))
    assert "bars.csv (sheet Prices) cell B3: " in message
    assert "not a number that a cell can have" in message


def test_numbers_and_dates_as_texts_are_read_as_in_a_text_table() -> None:
    texts = ((f"2024-01-0{at}", close) for at, close in enumerate(CLOSES, start=1))
    rows: list[Row] = [HEAD, *texts]
    bars = read(written(rows))
    assert (times(bars), bars.closes) == (TIMES, list(map(price, CLOSES)))


def test_texts_that_cells_share_are_those_that_excel_shows() -> None:
    texts = (
        "<sst><si><t>Date</t></si><si><r><t>Clo</t></r><r><t>se</t></r>"
        "<rPh><t>spoken</t></rPh></si></sst>"
    )
    rows = [(Cell("0", "s"), Cell("1", "s")), *BARS[1:]]
    parts = {"xl/sharedStrings.xml": texts}
    assert read(written(rows, parts=parts)).closes == list(map(price, CLOSES))
    for missing in ("2", "-1", "x"):
        rows = [(Cell("0", "s"), Cell("1", "s"), Cell(missing, "s")), *BARS[1:]]
        assert "cell C1: text number" in refusal(written(rows, parts=parts))


def test_a_text_of_several_lines_is_on_one_line_for_the_config() -> None:
    rows = [("Date", 'Close\n"adjusted"\t_x000D_x'), *BARS[1:]]
    config = CONFIG._replace(columns=Columns('Close "adjusted"  x'))
    assert read(written(rows), config).closes == list(map(price, CLOSES))


def test_empty_rows_and_rows_that_are_not_there_are_passed_over() -> None:
    rows = {3: HEAD, 4: (), 7: BARS[1], 9: (None, Cell(None, style=1)), 12: BARS[2]}
    bars = read(written(rows))
    assert bars.lines == [7, 12]
    assert bars.closes == list(map(price, CLOSES[:2]))


def test_a_table_may_begin_anywhere_below_a_title_and_end_in_a_note() -> None:
    rows = [
        ("Prices of 2024", None, None, None, None, "printed today"),
        (),
        *((None, None, *row) for row in BARS),
        ("Source: nobody",),
    ]
    config = with_table(footer="skip")
    bars = read(written(rows), config)
    assert (times(bars), bars.closes) == (TIMES, list(map(price, CLOSES)))
    assert described(written(rows), config) == (
        "xlsx, sheet Prices, header in row 3, close from Close, timestamp from Date,"
        " 1 row passed over from row 7 on"
    )
    assert "bars.csv (sheet Prices) row 7: Close is ''" in refusal(rows)


def test_settings_of_lines_count_the_rows_of_the_sheet() -> None:
    rows = {2: ("x", "y"), 5: HEAD, 6: ("day", "USD"), 8: BARS[1], 9: BARS[2]}
    bars = read(written(rows), with_table(header=5, first_row=8))
    assert (bars.lines, bars.closes) == ([8, 9], list(map(price, CLOSES[:2])))
    message = refusal(rows, with_table(header=8))
    assert "bars.csv (sheet Prices) row 8: no 'close' column in the header" in message


def test_columns_may_be_places() -> None:
    config = CONFIG._replace(columns=Columns(2, 1))
    assert read(written(BARS[1:]), config).closes == list(map(price, CLOSES))
    assert read(written(BARS), config).closes == list(map(price, CLOSES))


def test_what_stands_right_of_the_table_below_its_first_rows_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sheet_text, "FIRST_ROWS_AT_LEAST", 2)
    rows = [*BARS[:3], (*BARS[3], None, "a note"), (None, None, "another")]
    assert read(written(rows)).closes == list(map(price, CLOSES))


@pytest.mark.parametrize("kind", ["careful", "fast"])
def test_signs_of_a_text_do_not_hold_for_numbers(kind: str) -> None:
    rows = [HEAD, (DAYS[0], "1.234,50 €"), (DAYS[1], number("1.234")), (DAYS[2], number("-1e-7"))]
    config = with_table(decimal=",", thousands=".", strip="€")
    cut = Cut(0) if kind == "fast" else Cut()
    with opened(written(rows), config, cut) as reader:
        assert bars_of(reader).closes == [price("1234.5"), price("1.234"), price("-1e-7")]


@pytest.mark.parametrize(
    ("cell", "time"),
    [
        (number("45292.000694444445", DATED), "2024-01-01T00:01:00Z"),
        (number("45292.00069444444", DATED), "2024-01-01T00:01:00Z"),
        (number("45292.123456789", DATED), "2024-01-01T02:57:46.667Z"),
        (number("45292", DATED), "2024-01-01T00:00:00Z"),
        (number("45292.5", DAY), "2024-01-01T12:00:00Z"),
        (number("45292.999999999", DAY), "2024-01-02T00:00:00Z"),
        (number("45292.5", CLOCK), "2024-01-01T12:00:00Z"),
        (number("1", DAY), "1900-01-01T00:00:00Z"),
        (number("59", DAY), "1900-02-28T00:00:00Z"),
        (number("61", DAY), "1900-03-01T00:00:00Z"),
        (Cell("2024-01-01T09:30:00", "d"), "2024-01-01T09:30:00Z"),
        (number("1704067200000"), "2024-01-01T00:00:00Z"),
    ],
)
def test_a_date_is_the_one_that_excel_shows(cell: Cell, time: str) -> None:
    assert times(read(written(with_time(cell)))) == [time]


def test_days_are_counted_from_1904_where_the_workbook_says_so() -> None:
    rows = with_time(number("0", DAY), number("43830", DAY))
    bars = read(written(rows, properties=' date1904="1"'))
    assert times(bars) == ["1904-01-01T00:00:00Z", "2024-01-01T00:00:00Z"]


def test_plain_days_of_a_workbook_that_counts_from_1904_are_not_those_of_others() -> None:
    config = CONFIG._replace(timestamp_format="excel")
    data = written(with_time(number("43830")), properties=' date1904="1"')
    assert "but this workbook counts its days from 1904 on (give the column" in refusal(
        data, config
    )


@pytest.mark.parametrize("value", ["60", "0", "-1", "2958467", "0.5"])
def test_a_day_that_never_was_is_no_time(value: str) -> None:
    assert "row 2: Date is '########', " in refusal(with_time(number(value, DAY)))


def test_a_span_of_more_than_a_day_is_no_time() -> None:
    assert "row 2: Date is '36:00:00', " in refusal(with_time(number("1.5", ELAPSED)))


def test_dates_and_times_of_day_in_two_columns_are_joined() -> None:
    rows: list[Row] = [
        ("Date", "Time", "Close"),
        (DAYS[0], number("0.5", CLOCK), number("1")),
        (DAYS[0], number("0.75", CLOCK), number("2")),
    ]
    assert times(read(written(rows))) == ["2024-01-01T12:00:00Z", "2024-01-01T18:00:00Z"]
    config = CONFIG._replace(columns=Columns(3, DateAndTime(1, 2)))
    assert times(read(written(rows[1:]), config))[0] == "2024-01-01T12:00:00Z"


def test_days_that_are_plain_numbers_are_refused() -> None:
    whole = refusal(with_time(number("45292"), number("45293")))
    assert "row 2: Date is '45292', not clearly a time" in whole
    assert "row 2: Date is '45292.5'" in refusal(with_time(number("45292.5"), number("45293")))


def test_a_close_in_the_format_of_money_is_its_number() -> None:
    assert read(written(with_close(number("2.5", MONEY)))).closes[1] == price("2.5")


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (Cell("1", "b"), "TRUE"),
        (Cell("#DIV/0!", "e"), "#DIV/0!"),
        (Cell("#DIV/0!", "e", formula="1/0"), "#DIV/0!"),
        (Cell("#N/A", "e", formula="NA()"), "#N/A"),
        (number("45292", DAY), "2024-01-01"),
        ("#N/A N/A", "#N/A N/A"),
        (None, ""),
        (Cell("", "str", formula='""'), ""),
    ],
)
def test_a_close_that_is_no_number_is_refused(cell: Cell | str | None, shown: str) -> None:
    message = refusal(with_close(cell))
    assert message.startswith(f"bars.csv (sheet Prices) row 3: Close is '{shown}', not a number")


def test_only_what_means_a_missing_value_is_left_out_as_one() -> None:
    config = CONFIG._replace(missing="skip")
    for cell in (Cell("#N/A", "e"), "#N/A N/A", None):
        assert read(written(with_close(cell)), config).closes == [price("1"), None, price("3")]
    for kind in (Cell("#DIV/0!", "e"), Cell("#REF!", "e"), Cell("0", "b")):
        assert "not a number" in refusal(with_close(kind), config)


def test_the_value_that_a_formula_was_calculated_to_is_read() -> None:
    assert read(written(with_close(Cell("2", formula="B2*2")))).closes[1] == price("2")


@pytest.mark.parametrize("value", [None, ""])
def test_a_formula_without_a_value_is_refused_also_where_missing_closes_are_left_out(
    value: str | None,
) -> None:
    rows = with_close(Cell(value, formula="B2*2"))
    for config in (CONFIG, CONFIG._replace(missing="skip")):
        assert refusal(rows, config) == (
            "bars.csv (sheet Prices) cell B3: the formula '=B2*2' has no value"
            " (open the workbook in Excel or LibreOffice, and save it)"
        )


def test_the_value_of_a_formula_that_is_still_to_be_calculated_is_refused() -> None:
    # XlsxWriter writes 0, and that the program which opens the workbook shall calculate.
    rows = with_close(Cell("0", formula="B2*2"))
    message = refusal(written(rows, calculation=' fullCalcOnLoad="1"'))
    assert "cell B3: the value of the formula '=B2*2' is still to be calculated (" in message
    assert read(written(BARS, calculation=' fullCalcOnLoad="1"')).closes


OTHER = Sheet("Notes", [("x",), ("y",)])
PRICES = Sheet("Prices", BARS)
CHART = Sheet("Chart", [], kind="chartsheet")


@pytest.mark.parametrize(
    ("sheets", "wanted"),
    [
        ([PRICES, OTHER], None),
        ([PRICES._replace(name="Old", state="hidden"), PRICES], None),
        ([OTHER, PRICES], "Prices"),
        ([OTHER, PRICES], "PRICES"),
        ([OTHER, PRICES], 2),
        ([OTHER, Sheet("Kept", [], "veryHidden"), PRICES], 2),
        ([OTHER, PRICES._replace(state="hidden")], "Prices"),
        ([CHART, PRICES], 2),
    ],
)
def test_the_sheet_is_the_first_that_is_seen_or_the_one_that_is_named(
    sheets: list[Sheet], wanted: str | int | None
) -> None:
    config = with_table(sheet=wanted)
    assert read(written(sheets), config).closes == list(map(price, CLOSES))
    assert described(written(sheets), config).startswith("xlsx, sheet Prices, ")


def test_a_sheet_that_is_not_there_is_refused_with_the_names_of_all() -> None:
    sheets = [OTHER, CHART, PRICES]
    hint = " (set table: {sheet: NAME} with one of 'Notes', 'Prices')"
    named = refusal(sheets, with_table(sheet="prize"))
    assert named == f"bars.csv: no sheet 'prize', which table.sheet names{hint}"
    placed = refusal(sheets, with_table(sheet=4))
    assert placed == f"bars.csv: 3 sheets, but table.sheet is 4{hint}"
    chart = refusal(sheets, with_table(sheet=2))
    assert chart == f"bars.csv: 'Chart' is a sheet without cells, such as a chart{hint}"
    assert "without a sheet that is seen" in refusal([PRICES._replace(state="hidden")])


def test_a_first_sheet_without_bars_names_the_others() -> None:
    for first in (OTHER, Sheet("Notes", [])):
        message = refusal([first, PRICES])
        assert message.startswith("bars.csv (sheet Notes)")
        assert message.endswith(
            "(if the bars are on another sheet, set table: {sheet: NAME} with one of 'Prices')"
        )
    assert "on another sheet" not in refusal([OTHER])
    assert "on another sheet" not in refusal([OTHER, PRICES], with_table(sheet=1))


def test_settings_of_texts_alone_have_no_effect() -> None:
    config = with_table(delimiter=";", encoding="utf-16", records="data")
    assert read(written(BARS), config).closes == list(map(price, CLOSES))


BOMB = '<!DOCTYPE x [<!ENTITY a "1">]><worksheet/>'
SHEET = "xl/worksheets/sheet1.xml"


def rows_xml(*rows: str) -> dict[str, str]:
    return {SHEET: f"<worksheet><sheetData>{''.join(rows)}</sheetData></worksheet>"}


def cells_xml(row: str, *places: str) -> str:
    return f"<row{row}>" + "".join(f'<c r="{at}"><v>1</v></c>' for at in places) + "</row>"


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({SHEET: "<worksheet><sheetData>"}, "a damaged sheet: no element found"),
        ({SHEET: BOMB}, "a damaged sheet: it declares a document type"),
        ({"xl/workbook.xml": BOMB}, "xl/workbook.xml: it declares a document type"),
        (rows_xml(cells_xml(' r="2"', "A2"), cells_xml(' r="2"', "A2")), "row '2' follows row 2"),
        (rows_xml(cells_xml(' r="2"', "A2"), cells_xml(' r="1"', "A1")), "row '1' follows row 2"),
        (rows_xml(cells_xml(' r="0"', "A0")), "row '0' follows row 0"),
        (rows_xml(cells_xml(' r="1048577"')), "row '1048577' follows row 0"),
        (rows_xml(cells_xml(' r="1"', "B1", "A1")), "a cell 'A1' in row 1, out of order"),
        (rows_xml(cells_xml(' r="1"', "A1", "A1")), "a cell 'A1' in row 1, out of order"),
        (rows_xml(cells_xml(' r="1"', "A2")), "a cell 'A2' in row 1, out of order"),
        (rows_xml(cells_xml(' r="1"', "XFE1")), "a cell 'XFE1' in row 1, out of order"),
        (rows_xml('<row><c t="zz"><v>1</v></c></row>'), "cell A1: a cell of type 'zz'"),
    ],
)
def test_a_damaged_workbook_is_refused(parts: Mapping[str, str], what: str) -> None:
    assert what in refusal(written(BARS, parts=parts))


def test_cells_without_places_follow_each_other() -> None:
    head = "<row><c t='str'><v>Date</v></c><c t='str'><v>Close</v></c></row>"
    row = "<x:row><x:c t='str'><x:v>2024-01-01</x:v></x:c><x:c><x:v>2.50</x:v></x:c></x:row>"
    assert read(written([], parts=rows_xml(head, row))).closes == [price("2.50")]


def test_a_workbook_that_needs_too_much_memory_or_time_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = {"xl/sharedStrings.xml": "<sst><si><t>" + "x" * 9000 + "</t></si></sst>"}
    monkeypatch.setattr(sheet_rows, "MOST_CELL_CHARS", 5000)
    long = refusal([("Date", "Close", "y" * 200_000), *BARS[1:]])
    assert "cell C1: more than 5,000 characters" in long
    monkeypatch.setattr(workbook, "MOST_TAG_BYTES", 70_000)
    tag = {SHEET: "<worksheet x='" + "x" * 200_000 + "'/>"}
    assert "a tag of more than 70,000 bytes" in refusal(written(BARS, parts=tag))
    monkeypatch.setattr(workbook, "MOST_HELD_BYTES", 8000)
    assert "sharedStrings.xml: 9,027 bytes, of which" in refusal(written(BARS, parts=texts))


def test_a_part_that_is_missing_or_there_twice_is_refused() -> None:
    moved = {"xl/_rels/workbook.xml.rels": "<x/>"}
    assert "'Prices' is a sheet without cells" in refusal(written(BARS, parts=moved))
    file = io.BytesIO(written(BARS))
    with zipfile.ZipFile(file, "a") as zipped, pytest.warns(UserWarning, match="Duplicate"):
        zipped.writestr(SHEET, "<worksheet/>")
    assert "two of its files are called alike" in refusal(file.getvalue())


def test_a_cut_or_changed_workbook_is_refused() -> None:
    data = written(BARS)
    assert "cannot be read as zip" in refusal(data[:-9])
    assert "bytes after the archive" in refusal(data + b"x")
    at = data.index(b"sheet1.xml") + 40
    assert "cannot be read as zip" in refusal(data[:at] + b"\0\0\0" + data[at + 3 :])


def test_a_compressed_workbook_is_refused() -> None:
    assert "a zip file inside another compression" in refusal(gzip.compress(written(BARS)))


@pytest.mark.parametrize("name", ["openpyxl", "xlsxwriter"])
def test_workbooks_of_other_programs_are_read(name: str) -> None:
    bars = read((FOLDER / f"{name}.xlsx").read_bytes())
    assert bars.closes == list(map(price, ("0.1", "0.2", "0.3", "100.1", "99.95")))
    assert times(bars)[-1] == "2024-01-01T00:28:00Z"


def test_the_fast_parser_reads_what_the_careful_one_reads() -> None:
    count = 3000
    rows = [HEAD]
    rows += [
        (number(str(45000 + at / 1440), DATED), number(f"{at % 97 / 4}")) for at in range(count)
    ]
    data = written(rows)
    with opened(data, CONFIG, Cut(0, 4096, 4096)) as fast, opened(data) as careful:
        assert isinstance(fast, TextReader)
        assert bars_of(fast) == bars_of(careful)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("General", None),
        ("0.00", None),
        ("#,##0.00 [$kr-41D]", None),
        ('[Red]0.00" days"', None),
        ("0.00E+00", None),
        ("@", None),
        (r"0\d", None),
        ("yyyy-mm-dd", "date"),
        ("mmm yy", "date"),
        ("[$-409]d. mmmm yyyy;@", "date"),
        ("dd/mm/yyyy hh:mm:ss.000", "both"),
        ("m/d/yy h:mm AM/PM", "both"),
        ('yyyy"年"m"月"d"日"', "date"),
        ("h:mm:ss", "clock"),
        ("mm:ss.0", "clock"),
        ("[h]:mm", "span"),
        ("[mm]:ss", "span"),
    ],
)
def test_the_format_of_a_cell_tells_what_it_shows(code: str, kind: str | None) -> None:
    assert kind_of_format("164", code) == kind


def test_formats_that_every_program_knows_are_told_by_their_numbers() -> None:
    kinds = {number: kind_of_format(str(number), None) for number in range(0, 60)}
    assert [at for at, kind in kinds.items() if kind == "both"] == [22]
    assert [at for at, kind in kinds.items() if kind == "clock"] == [18, 19, 20, 21, 45, 47]
    assert kinds[46] == "span"
    dates = [at for at, kind in kinds.items() if kind == "date"]
    assert dates == [14, 15, 16, 17, *range(27, 37), *range(50, 59)]
    assert kind_of_format("x", None) is None


@given(st.integers(61, 2_958_465), st.integers(0, 86_399_999))
def test_every_millisecond_of_a_day_is_found_in_the_double_of_its_days(day: int, ms: int) -> None:
    text = date_text(day + ms / 86_400_000, "both", from_1904=False)
    seconds, milliseconds = divmod(ms, 1000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    assert text.endswith(clock + (f".{milliseconds:03}" if milliseconds else ""))
