"""This module declares the settings of a job, the frozen `JobConfig`.

Each setting is declared once: its name, type, rule, default and help.
"""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args

from rollsignal.config.request import MOST_WORKERS, EngineName, Workers
from rollsignal.config.rules import (
    AUTO,
    NO_SYMBOLS,
    NO_TIMESTAMPS,
    Column,
    DateAndTime,
    DayInPath,
    OneOf,
    Switch,
    SymbolFrom,
    Text,
    TimestampFormat,
    UsualName,
    Whole,
    WholeOrAuto,
)
from rollsignal.config.sections import Section, mapping_schema
from rollsignal.config.yaml_nodes import BadSettingError
from rollsignal.core.ledger import Missing, Rules
from rollsignal.core.timestamps.reader import LocalZone
from rollsignal.messages import shown

if TYPE_CHECKING:
    import yaml

TIMESTAMP_FORMATS = ("iso", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "excel", "ms_of_day")

Level = Literal["error", "warn", "off"]
Warmup = Literal["exclude", "zero"]
OnRestatement = Literal["error", "recompute"]
FooterPolicy = Literal["error", "skip"]
Repeats = Literal["keep", "same", "last"]
RowOrder = Literal["oldest_first", "newest_first"]

# Settings that say how a run works, and not what it decides.
OF_CONDUCT = frozenset({"engine", "workers"})
# Settings of this section are recorded, and decide no signal.
OF_FIGURES = "evaluate."


class TimeZone(NamedTuple):
    """A time zone: a place, an offset from UTC, or null."""

    help: str

    def read(self, node: "yaml.Node", name: str) -> str | None:
        """Read the name of the zone; raises `BadSettingError`."""
        text = Text(self.help, optional=True).read(node, name)
        if text is None:
            return None
        from rollsignal.core.timestamps.local_rules import ZoneNameError, named_zone

        try:
            named_zone(text)
        except ZoneNameError as problem:
            what = f"{name} is {shown(text)}, not a time zone known here: {problem}"
            raise BadSettingError(node, what) from None
        return text

    def schema(self) -> dict[str, object]:
        """Describe the name in JSON Schema."""
        return Text(self.help, optional=True).schema()


class RuleOf(NamedTuple):
    """The rule of a setting in this section, by its key there; it is loaded where it is used."""

    section: Literal["columns", "table", "evaluate"]
    help: str
    key: str

    def read(self, node: "yaml.Node", name: str) -> Any:
        """Read the setting; raises `BadSettingError`."""
        return self._rule.read(node, name)

    def schema(self) -> dict[str, object]:
        """Describe the setting in JSON Schema."""
        schema: dict[str, object] = self._rule.schema()
        return schema

    @property
    def _rule(self) -> Any:
        if self.section == "columns":
            from rollsignal.config.column_rules import COLUMN_RULES

            return COLUMN_RULES[self.key]
        if self.section == "table":
            from rollsignal.config.table_rules import RULES

            return RULES[self.key]
        from rollsignal.config.evaluate_rules import EVALUATE_RULES

        return EVALUATE_RULES[self.key]


OfColumns = partial(RuleOf, "columns")
OfTable = partial(RuleOf, "table")
OfEvaluation = partial(RuleOf, "evaluate")


class Columns(NamedTuple):
    """The columns that are read: each by its name, or by its place, a whole number from 1 on."""

    close: Annotated[
        str | int, Column("the column of closes, by its name, or by its place, counted from 1")
    ] = UsualName("close")
    timestamp: Annotated[
        str | int | DateAndTime | None,
        OfColumns(
            "the column of timestamps, or the two columns [date, time], of which the date may be"
            ' {from: path, pattern: "([0-9]{8})_"};'
            " null: found by its name or its cells; none: there are no timestamps",
            "timestamp",
        ),
    ] = None
    symbol: Annotated[
        SymbolFrom | None,
        OfColumns(
            "the column of symbols, or a list of columns, which are joined with a colon,"
            " or {from: filename}, {from: folder} or"
            ' {from: path, pattern: "([A-Z0-9]+)-1m-"}, in which the group is the symbol;'
            " {from: header}: each symbol has a column of closes;"
            " {from: key}: a key of a JSON document, with its bars below;"
            " null: found by its name; none: all bars are one series",
            "symbol",
        ),
    ] = None

    @property
    def day(self) -> DayInPath | None:
        """Return where the day is, if it is in the path."""
        stamp = self.timestamp
        has_day = isinstance(stamp, DateAndTime) and isinstance(stamp.date, DayInPath)
        return stamp.date if has_day else None  # type: ignore[union-attr,return-value]

    @property
    def is_wide(self) -> bool:
        """Return whether each symbol has a column of closes, which is called as the symbol."""
        return self.symbol is not None and self.symbol.header is not None

    @property
    def places(self) -> dict[str, object]:
        """Return the settings that are places, or lists with one."""
        stamp = self.timestamp
        stamps = stamp.columns if isinstance(stamp, DateAndTime) else (stamp,)
        given = {
            "close": (self.close, [self.close]),
            "timestamp": (self.timestamp, stamps),
            "symbol": (self.symbol, self.symbol.columns if self.symbol else ()),
        }
        return {
            name: value
            for name, (value, columns) in given.items()
            if any(isinstance(column, int) for column in columns)
        }

    def are_one_series(self, symbol: str | None) -> bool:
        """Return whether all bars of a file are of one series, by its symbol or by the config."""
        return symbol is not None or self.symbol == NO_SYMBOLS

    def is_named(self, setting: str) -> bool:
        """Return whether a setting, close or timestamp, names a column."""
        value = getattr(self, setting)
        columns = value.columns if isinstance(value, DateAndTime) else (value,)
        return any(isinstance(column, str) and column != NO_TIMESTAMPS for column in columns)


class Table(NamedTuple):
    """How text tables and JSON documents are written, where that is not found out."""

    header: Annotated[
        int | str,
        OfTable("the line of the header, counted from 1; none: there is none; auto: found", "line"),
    ] = AUTO
    first_row: Annotated[
        int | None,
        OfTable("the line of the first bar; null: the one below the header", "first_row"),
    ] = None
    footer: Annotated[
        FooterPolicy,
        OneOf(
            "rows below the last bar: error; skip: passed over",
            get_args(FooterPolicy),
        ),
    ] = "error"
    comment: Annotated[
        str | None, OfTable("lines that begin with this are passed over", "comment")
    ] = None
    delimiter: Annotated[
        str, OfTable("the sign between fields, tab, or blanks; auto: found", "delimiter")
    ] = AUTO
    decimal: Annotated[str, OfTable("the sign before decimals", "decimal")] = "."
    thousands: Annotated[
        str | None, OfTable("the sign between groups of three digits", "thousands")
    ] = None
    strip: Annotated[
        str | None, OfTable('what stands before or after numbers, such as "$"', "strip")
    ] = None
    encoding: Annotated[
        str,
        OfTable("such as cp1252, gbk; auto: UTF-8, or UTF-16 by its first bytes", "encoding"),
    ] = AUTO
    missing_values: Annotated[
        tuple[str, ...] | None,
        OfTable("more words, or numbers, that mean a missing close, in any format", "missing"),
    ] = None
    records: Annotated[
        str | None,
        OfTable(
            "where the bars are in a JSON document: the names above them, such as data.items;"
            " null: found",
            "records",
        ),
    ] = None

    sheet: Annotated[
        int | str | None,
        OfTable("the sheet of a workbook, by its name, or its place, counted from 1", "sheet"),
    ] = None

    @property
    def says_of_closes(self) -> bool:
        """Return whether something is said of how closes are written, or which are missing."""
        return self.writes_numbers or self.missing_values is not None

    @property
    def writes_numbers(self) -> bool:
        """Return whether numbers of text tables are written in another way than usual."""
        return (self.decimal, self.thousands, self.strip) != (".", None, None)

    @property
    def lines(self) -> int:
        """Return how many lines at least are needed to find the first row."""
        return max(self.header if isinstance(self.header, int) else 1, self.first_row or 1)


AS_FOUND = Table()
"""What a config says of text tables if it says nothing."""


class Evaluate(NamedTuple):
    """How `evaluate` reckons; nothing here changes what a run decides."""

    horizons: Annotated[
        tuple[int, ...], OfEvaluation("how many bars ahead returns are looked at", "horizons")
    ] = (1, 5, 20)
    delay: Annotated[
        int,
        OfEvaluation("bars from a signal's close to the close at which it is acted on", "delay"),
    ] = 1
    cost_bp: Annotated[
        float,
        OfEvaluation("cost of a change of position, in basis points of what is held", "cost_bp"),
    ] = 1
    bars_per_year: Annotated[
        float | None, OfEvaluation("bars in a year; null: found from the times", "bars_per_year")
    ] = None


class Checks(NamedTuple):
    """What each check does with its findings."""

    order: Annotated[Level, OneOf("a timestamp before the one above it", get_args(Level))] = "error"
    duplicates: Annotated[
        Level, OneOf("a timestamp equal to the one above it", get_args(Level))
    ] = "error"
    ohlc: Annotated[
        Level, OneOf("high below another price, low above one, volume below 0", get_args(Level))
    ] = "off"
    gaps: Annotated[
        Level, OneOf("a time step longer than the most common one of the series", get_args(Level))
    ] = "off"
    values: Annotated[
        Level,
        OneOf("a close that can hardly be a price: not above 0, or 2147483647", get_args(Level)),
    ] = "warn"


class JobConfig(NamedTuple):
    """All settings of a job."""

    seed: Annotated[
        int, Whole("seeds every random draw; the job itself draws nothing", 0, 2**32 - 1, "42")
    ]
    window: Annotated[
        int, Whole("bars in the rolling mean, the current one included", 1, 10**9, "5")
    ]
    version: Annotated[
        str,
        Text("your name for this pipeline's version, copied to the metrics", example='"v1"'),
    ]
    warmup: Annotated[
        Warmup,
        OneOf(
            "exclude: value = ones / bars that have a signal; zero: ones / all bars",
            get_args(Warmup),
        ),
    ] = "exclude"
    missing: Annotated[
        Missing,
        OneOf(
            "a bar without a close: error; skip: left out; gap: windows with it have no signal",
            get_args(Missing),
        ),
    ] = "error"
    on_restatement: Annotated[
        OnRestatement,
        OneOf(
            "bars of a state that were changed since: error; recompute: decide everything again",
            get_args(OnRestatement),
        ),
    ] = "error"
    open_bars: Annotated[
        int,
        Whole(
            "the newest bars of each series that wait: they are not decided before later bars are"
            " there; 1: vendors whose last bar is unfinished",
            0,
            10**6,
            "1",
        ),
    ] = 0
    sort: Annotated[bool, Switch("sort the bars by time first, on disk if need be")] = False
    order: Annotated[
        RowOrder,
        OneOf(
            "how the bars of a series stand in each file: oldest_first; newest_first: reversed",
            get_args(RowOrder),
        ),
    ] = "oldest_first"
    duplicates: Annotated[
        Repeats,
        OneOf(
            "rows of a series at one time: keep, which checks.duplicates judges; same: equal ones"
            " count once; last: the last one counts",
            get_args(Repeats),
        ),
    ] = "keep"
    columns: Annotated[Columns, Section("the columns, by name or by place", Columns)] = Columns()
    table: Annotated[Table, Section("how the files are written", Table)] = AS_FOUND
    timestamp_format: Annotated[
        str | None,
        TimestampFormat(
            f"how timestamps are written: {', '.join(TIMESTAMP_FORMATS)},"
            ' or a pattern such as "%d/%m/%Y %H:%M"; null: detected',
            TIMESTAMP_FORMATS,
        ),
    ] = None
    timezone: Annotated[
        str | None,
        TimeZone(
            "the place whose clock shows the times without a zone, such as America/New_York,"
            " or their offset, such as -05:00; null: they are in UTC"
        ),
    ] = None
    checks: Annotated[
        Checks, Section("what each check does with its findings: error, warn or off", Checks)
    ] = Checks()
    evaluate: Annotated[
        Evaluate, Section("how rollsignal evaluate reckons; no signal depends on it", Evaluate)
    ] = Evaluate()
    engine: Annotated[
        EngineName,
        OneOf(
            "who decides: local, this machine; plain, row by row, slow; spark, a cluster",
            get_args(EngineName),
        ),
    ] = "local"
    workers: Annotated[
        Workers,
        WholeOrAuto(
            "processes that decide a large input together; auto: as many as cores may be used",
            1,
            MOST_WORKERS,
            "4",
        ),
    ] = "auto"

    @property
    def needs_timestamps(self) -> bool:
        """Return whether sorting or a check needs timestamps, and there may be some."""
        checks = self.checks
        if self.columns.timestamp == NO_TIMESTAMPS:
            return False
        by_time = self.sort or self.is_newest_first or self.duplicates != "keep"
        return by_time or (checks.order, checks.duplicates, checks.gaps) != ("off", "off", "off")

    @property
    def is_newest_first(self) -> bool:
        """Return whether each file is read from its last bar to its first."""
        return self.order == "newest_first"

    @property
    def compares_rows(self) -> bool:
        """Return whether rows are compared by more columns than symbol, time and close."""
        return self.duplicates == "same" and self.checks.ohlc != "off"

    @property
    def seeks_timestamps(self) -> bool:
        """Return whether the column of timestamps is needed, and not declared."""
        return self.needs_timestamps and self.columns.timestamp is None

    @property
    def declares_layout(self) -> bool:
        """Return whether a place of a column, or something of the table's lines, is declared."""
        layout = self.table.header, self.table.first_row, self.table.comment, self.table.delimiter
        return bool(self.columns.places) or layout != (AUTO, None, None, AUTO)

    @property
    def local_zone(self) -> LocalZone | None:
        """Return the place of times without a zone; None if they are UTC."""
        if self.timezone is None:
            return None
        in_order = not self.sort and self.checks.order == "error"
        return LocalZone(self.timezone, in_order, self.is_newest_first)

    @property
    def rules(self) -> Rules:
        """Return the rules that decide the signals."""
        return Rules(self.window, self.missing, self.checks.gaps != "off")

    def plain_by_name(self) -> dict[str, object]:
        """Return every setting that may change a result as a JSON value, by its dotted name."""
        return {
            name: _as_plain(value)
            for name, value in self.by_name().items()
            if name not in OF_CONDUCT
        }

    def deciding_by_name(self) -> dict[str, object]:
        """Return every setting that may change a signal or the metrics, as `plain_by_name` does."""
        return deciding(self.plain_by_name())

    def by_name(self) -> dict[str, object]:
        """Return every setting by its dotted name."""
        settings: dict[str, object] = {}
        for name, value in self._asdict().items():
            if hasattr(value, "_asdict"):
                settings |= {f"{name}.{key}": item for key, item in value._asdict().items()}
            else:
                settings[name] = value
        return settings


def deciding(settings: dict[str, object]) -> dict[str, object]:
    """Return which of some settings, by their dotted names, may change a signal or the metrics."""
    return {name: value for name, value in settings.items() if not name.startswith(OF_FIGURES)}


def _as_plain(value: object) -> object:
    if isinstance(value, SymbolFrom | DateAndTime):
        return value.plain()
    return list(value) if isinstance(value, tuple) else value


def config_schema() -> dict[str, object]:
    """Build the JSON Schema of a config."""
    return mapping_schema(JobConfig)
