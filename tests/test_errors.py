"""Facts about the errors' exit codes, and about how data is shown to people."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.errors import (
    EXIT_CODES,
    BusyError,
    ConfigError,
    DataError,
    DiskError,
    InputError,
    JobError,
    OutputError,
    ScarcityError,
    StoppedError,
    UsageError,
    foreign,
)
from rollsignal.messages import (
    did_you_mean,
    escaped,
    plural,
    shown,
    shown_path,
    text_without_secrets,
    without_secrets,
)

CODES = {
    JobError: 1,
    UsageError: 2,
    DataError: 65,
    InputError: 66,
    ScarcityError: 71,
    OutputError: 73,
    DiskError: 74,
    BusyError: 75,
    ConfigError: 78,
}
AGAIN = {66, 71, 74, 75, 130, 143}


def test_every_exit_code_says_whether_trying_again_can_help() -> None:
    codes = {each.code: each.again for each in EXIT_CODES}
    assert list(codes) == sorted({0, 130, 143} | set(CODES.values()))
    assert codes.pop(0) is None
    assert {code for code, again in codes.items() if again} == AGAIN


@pytest.mark.parametrize(("error_type", "code"), CODES.items())
def test_each_type_of_error_has_its_published_exit_code(
    error_type: type[JobError], code: int
) -> None:
    assert error_type("it failed").exit_code == code


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
def test_a_signal_ends_a_run_with_128_and_its_number(number: int, code: int) -> None:
    stopped = StoppedError(number, "SIGNAL")
    assert isinstance(stopped, JobError)
    assert (stopped.exit_code, stopped.message) == (code, "Stopped by SIGNAL before the end")


def test_a_detail_is_shown_to_people_but_is_not_part_of_the_message() -> None:
    missing = InputError("Input data file not found", "path: x.csv")
    assert missing.message == "Input data file not found"
    assert str(missing) == "Input data file not found (path: x.csv)"


def test_an_error_without_a_detail_is_its_message() -> None:
    assert str(DataError("no rows")) == "no rows"


def test_short_data_is_shown_whole_and_quoted() -> None:
    assert shown("n/a") == "'n/a'"
    assert shown("x" * 40) == repr("x" * 40)


def test_long_data_is_shown_by_its_beginning_and_its_length() -> None:
    assert shown("x" * 41) == repr("x" * 40 + "…") + " (41 characters)"
    assert shown("9" * 1_000_000, limit=3) == "'999…' (1,000,000 characters)"


@given(st.text())
def test_shown_data_is_printable_and_short(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) < 500


@given(st.text())
def test_escaped_text_is_printable(text: str) -> None:
    assert escaped(text).isprintable()


@given(st.text().filter(str.isprintable))
def test_printable_text_is_not_changed_by_escaping(text: str) -> None:
    assert escaped(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[2J\x07\x7f", r"\x1b[2J\x07\x7f"),
        ("\x85\x9b", r"\x85\x9b"),
        ("\u2028\u202e\ufeff", r"\u2028\u202e\ufeff"),
        ("\udcff", r"\udcff"),
        ("it's Zoë's 'x'", "it's Zoë's 'x'"),
    ],
)
def test_line_ends_controls_and_direction_marks_are_escaped_and_letters_are_not(
    text: str, expected: str
) -> None:
    assert escaped(text) == expected


@pytest.mark.parametrize("path", ["data.csv", "/a b/c.csv", "Größe/データ.csv", "it's.csv"])
def test_a_plain_path_is_shown_as_it_is(path: str) -> None:
    assert shown_path(path) == path


@pytest.mark.parametrize("path", ["", " ", "a\nb", "a ", "\tb", "\x1b[31m", "caf\udce9"])
def test_a_path_that_would_be_misread_is_shown_quoted(path: str) -> None:
    assert shown_path(path) == repr(path)
    assert shown_path(path).isprintable()


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (10_000, "10,000 rows")]
)
def test_a_count_has_its_noun_in_the_right_number(count: int, expected: str) -> None:
    assert plural(count, "row") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("windw", "did you mean window?"),
        ("WINDOW", "did you mean window?"),
        ("sead", "did you mean seed?"),
        ("zzz", "known: seed, window"),
        ("", "known: seed, window"),
    ],
)
def test_the_nearest_name_is_offered_or_all_are_listed(name: str, expected: str) -> None:
    assert did_you_mean(name, ["seed", "window"]) == expected


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("data.csv?x=1", "data.csv?x=1"),
        ("a@b:c/x.csv", "a@b:c/x.csv"),
        ("s3://bucket/a b/day=1/x?.csv", "s3://bucket/a b/day=1/x?.csv"),
        ("s3://bucket/x.csv?sig=a", "s3://bucket/x.csv?…"),
        ("s3://key:se/cret@bucket/x.csv", "s3://…"),
        ("gs://bucket", "gs://bucket"),
        (
            "abfss://box@account.dfs.core.windows.net/x",
            "abfss://box@account.dfs.core.windows.net/x",
        ),
        ("abfss://box:pw@account.dfs.core.windows.net/x", "abfss://account.dfs.core.windows.net/x"),
        ("https://host/p@1.0/x.csv", "https://host/p@1.0/x.csv"),
        ("https://host:8080/x.csv#token", "https://host:8080/x.csv?…"),
        ("https://host?a=b/c@d", "https://host?…"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("https://me:p?w@host/x", "https://…"),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(path: str, shown: str) -> None:
    assert without_secrets(path) == shown_path(path) == shown


@given(
    st.sampled_from(["http", "https", "s3", "gs", "az", "abfss"]),
    st.text(min_size=1),
    st.sampled_from(["host", "host:80", "[::1]:443"]),
    st.sampled_from(["", "/", "/a/b.csv"]),
    st.text(),
)
def test_no_password_and_no_query_is_ever_shown(
    scheme: str, password: str, host: str, path: str, query: str
) -> None:
    shown = without_secrets(f"{scheme}://me:★{password}★@{host}{path}?sig=★{query}★")
    assert "★" not in shown
    assert shown in (f"{scheme}://…", f"{scheme}://{host}{path}?…")


def test_every_url_in_a_text_is_shown_without_what_may_be_secret() -> None:
    text = "GET https://me:pw@host/x?sig=a failed, as did s3://bucket/x (path: http://h/y?z)"
    assert text_without_secrets(text) == (
        "GET https://host/x?… failed, as did s3://bucket/x (path: http://h/y?…"
    )


ANSWERS = {
    "not enough memory": (
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        ImportError("libx.so: failed to map segment from shared object"),
        RuntimeError("memory allocation of 64 bytes failed"),
    ),
    "not enough threads or processes": (
        RuntimeError("can't start new thread"),
        BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
        Exception("OS can't spawn worker thread: Resource temporarily unavailable"),
    ),
    "too many open files": (
        OSError(errno.EMFILE, "Too many open files", "bars.csv"),
        OSError(errno.ENFILE, "Too many open files in system"),
        Exception('Os { code: 24, message: "Too many open files" }'),
    ),
}


@pytest.mark.parametrize(
    ("what", "error"), [(what, error) for what, errors in ANSWERS.items() for error in errors]
)
def test_what_the_machine_lacks_is_no_bug(what: str, error: Exception) -> None:
    answer = foreign(error)
    assert answer is not None
    assert answer.exit_code == 71
    assert answer.message.startswith(what)
    assert "raise the limit" in answer.detail


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EACCES, errno.EINTR])
def test_a_call_that_fails_where_nobody_expects_it_is_no_bug(number: int) -> None:
    answer = foreign(OSError(number, os.strerror(number), "bars.csv"))
    assert answer is not None
    assert answer.exit_code == 74
    assert str(answer) == f"Reading or writing failed: {os.strerror(number)} (path: bars.csv)"


@pytest.mark.parametrize("bug", [KeyError("x"), OSError("a library's own"), ImportError("a name")])
def test_everything_else_is_a_bug(bug: Exception) -> None:
    assert foreign(bug) is None


def _refusing(reason: int) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(reason, os.strerror(reason))

    return refuse


def imported(name: str) -> ModuleNotFoundError:
    return ModuleNotFoundError(f"No module named '{name}'", name=name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("rollsignal.outputs.summary", "its file cannot be read"),
        ("polars", "its file cannot be read"),
        ("json.decoder", "its file cannot be read"),
    ],
)
def test_a_module_that_is_there_and_is_not_found_is_the_answer_of_the_disk(
    monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    answer = foreign(imported(name))
    assert isinstance(answer, DiskError)
    assert answer.message == f"the Python module {name} cannot be loaded: {reason}"


def test_a_package_whose_folder_cannot_be_listed_may_be_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "deltalake", raising=False)
    monkeypatch.setattr(os, "listdir", _refusing(errno.EACCES))
    answer = foreign(imported("deltalake"))
    message = "the Python module deltalake cannot be loaded: Permission denied"
    assert isinstance(answer, DiskError)
    assert answer.message == message


def test_a_package_that_is_in_no_folder_of_modules_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "none"), __file__])
    answer = foreign(imported("yaml"))
    assert isinstance(answer, ConfigError)
    assert str(answer) == "the Python package pyyaml is not installed (pip install pyyaml)"
    assert foreign(imported("no_such_module")) is None


def test_a_package_that_was_taken_for_an_empty_folder_is_the_answer_of_the_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def answer() -> JobError | None:
        with pytest.raises(AttributeError) as raised:
            _ = hollow.SafeLoader
        with pytest.raises(ImportError) as named:
            exec("from hollow import SafeLoader")
        first, second = foreign(raised.value), foreign(named.value)
        assert str(first) == str(second)
        return first

    hollow = ModuleType("hollow")
    monkeypatch.setitem(sys.modules, "hollow", hollow)
    hollow.__path__ = [str(tmp_path / "none"), str(tmp_path)]
    assert answer() is None
    (tmp_path / "__init__.py").touch()
    message = "the Python module hollow cannot be loaded: its file cannot be read"
    assert str(answer()).startswith(message)
    monkeypatch.setattr(os, "lstat", _refusing(errno.EIO))
    assert "cannot be loaded: Input/output error" in str(answer())
    hollow.__file__ = "hollow.py"
    assert answer() is None
