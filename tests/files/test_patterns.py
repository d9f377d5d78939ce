"""Which paths match a pattern, and that no folder is passed over in silence."""

import errno
import glob
import os
from pathlib import Path

import pytest

from rollsignal.errors import InputError
from rollsignal.files.find import find_paths
from rollsignal.files.fingerprints import stat_of
from rollsignal.files.patterns import matching
from tests.support.calls import FailingCalls

FILES = (
    *("a.csv", "b.csv", ".c.csv", "[d].csv", "in/e.csv", "in/more/f.csv", "in/.g/h.csv"),
    *("in/.g/.i.csv", ".j/k.csv", "x=1/signals.csv", "x=2/signals.csv", "x=2/other.csv"),
)
PATTERNS = (
    *("*", "*.csv", ".*", ".*.csv", "**", "**/*", "**/*.csv", "in/**", "in/**/f.csv", "**/.g/*"),
    *(
        "*/",
        "**/",
        "in/*/",
        "a.csv/*",
        "none/*",
        "*/none",
        "?.csv",
        "[ab].csv",
        "[[]d].csv",
        "[!a]*",
    ),
    *("x=*/signals.*", "x=*/*", "*=*/signals.csv", "./*.csv", "in/../*.csv", "**/more/**", "l*/*"),
    *("[!a]*", "loop/*", "broken*", "**.csv", "in/m**e/*"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for link, target in (("link", "in"), ("broken", "nothing"), ("loop", "loop")):
        (tmp_path / link).symlink_to(target)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_pattern_matches_what_it_matches_in_the_standard_library(folder: Path) -> None:
    for pattern in PATTERNS:
        for whole in (pattern, os.path.join(glob.escape(str(folder)), pattern)):
            assert sorted(matching(whole)) == sorted(glob.glob(whole, recursive=True)), whole


@pytest.mark.parametrize("pattern", ["**/*.csv", "*/signals.csv", "in/*.csv"])
@pytest.mark.parametrize("call", ["listdir", "scandir", "stat", "lstat"])
def test_no_call_that_fails_leaves_a_file_of_a_pattern_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, call: str
) -> None:
    # By a link the same file would be found twice.
    (folder / "link").unlink()
    expected = find_paths([pattern])
    calls = FailingCalls(monkeypatch, call, errno.EIO)
    for number in range(1, 100):
        calls.fail_at(number)
        try:
            assert find_paths([pattern]) == expected
        except InputError as error:
            assert "Input/output error" in error.message  # noqa: PT017  # or nothing failed
        if calls.count < number:
            break
    else:
        pytest.fail("it makes too many calls")


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EACCES])
def test_what_the_system_does_not_say_is_not_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    calls = FailingCalls(monkeypatch, "stat", number)
    calls.fail_at(1)
    with pytest.raises(InputError, match=f"cannot be opened: {os.strerror(number)}"):
        stat_of("a.csv")
    assert stat_of("nothing.csv") is None
