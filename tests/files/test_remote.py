"""Inputs in object stores and on web servers: the answers of local files, and no secrets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Columns
from rollsignal.errors import DiskError, InputError, UsageError
from rollsignal.files import remote
from rollsignal.files.find import find_paths, input_of
from rollsignal.files.remote import find_remote, location_of, name_of, remote_error, waited
from rollsignal.readers.opening import symbol_of
from tests.support.frames import FRAMES, TEXTS, arrow, csv, parquet
from tests.support.shell import CONFIG as YAML
from tests.support.shell import ROOT, Job, command, error, process_arguments, published
from tests.support.stores import KEY, KEY_ID, Served, plainly_serving, refusing, silence
from tests.support.tables import CONFIG

BY_FILE = CONFIG._replace(columns=Columns(symbol=SymbolFrom(filename=True)))
TABLE = FRAMES["float64"]
TREE = [
    *("x.csv", "a.csv", "b1.csv", "[ab].csv", "q?.csv", ".hidden.csv", "_SUCCESS", "a/b/c/x.csv"),
    *("day=1/x.csv", "day=1/a.csv", "day=2/x.csv", "day=10/x.csv", "day=2/.git/x.csv"),
    *("day=2/_temporary/x.csv", "Ä ö/x y.csv", "a/x.csv", "a.csv.d/x.csv", "a%20b/x.csv"),
]


@pytest.fixture(autouse=True, scope="module")
def tree(store: Served) -> None:
    for path in TREE:
        store.put(f"tree/{path}", csv())


@pytest.fixture
def bucket(store: Served, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the name of a bucket for this test alone."""
    # The libraries cache the clients of a bucket with their keys, so every test has a new bucket.
    name = f"bucket-{len(list(store.root.iterdir()))}"
    (store.root / name).mkdir()
    yield name
    store.before = lambda handler: None
    store.cut_after = None
    store.folder_markers = False


def deciding(folder: Path, *inputs: str, config: str = YAML) -> str:
    """Run the job; return all outputs without the latency, with FILE for the inputs' name."""
    folder.mkdir(exist_ok=True)
    job = Job(folder, config=config)
    outputs = [folder / "signals.csv", folder / "summary.json"]
    flags = job.arguments(f"--signals={outputs[0]}", f"--summary={outputs[1]}")
    code = command("run", *flags[1:], "--input", *inputs)
    metrics = job.metrics()
    metrics.pop("latency_ms", None)
    left = repr((code, metrics, *(path.read_bytes() for path in outputs if path.exists())))
    for path in inputs:
        left = left.replace(path, "FILE")
    return left


FORMS = {
    **TEXTS,
    "no rows": b"timestamp,close\n",
    "empty": b"",
    "damaged gz": TEXTS["gz"][:-9],
    "bytes that are not UTF-8": csv() + b"\xff\n",
    "parquet": parquet(TABLE),
    "arrow": arrow(TABLE),
    "large": b"close\n" + b"".join(b"%d.5\n" % (row * row % 991) for row in range(30_000)),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_object_is_decided_as_the_local_file_is(
    store: Served, bucket: str, tmp_path: Path, form: str
) -> None:
    store.put(f"{bucket}/k/bars", FORMS[form])
    local = str(store.root / bucket / "k" / "bars")
    url = f"s3://{bucket}/k/bars"
    assert deciding(tmp_path / "1", local) == deciding(tmp_path / "2", url)


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_a_damaged_columnar_object_is_bad_data(
    store: Served, bucket: str, tmp_path: Path, form: str
) -> None:
    store.put(f"{bucket}/bars", FORMS[form][:-20] + FORMS[form][-6:])
    assert Job(tmp_path).run(input=f"s3://{bucket}/bars") == 65
    message = str(Job(tmp_path).metrics()["error_message"])
    assert message.startswith(f"s3://{bucket}/bars: cannot be read as {form}: ")


KINDS = {
    "google": "gs://{bucket}/",
    "azure": "az://{bucket}/",
    "azure lake": "abfss://{bucket}@devstoreaccount1.dfs.core.windows.net/",
    "web": "{url}/{bucket}/",
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("form", ["csv", "gz", "zip", "parquet", "arrow"])
def test_every_kind_of_store_is_read(
    store: Served, bucket: str, tmp_path: Path, kind: str, form: str
) -> None:
    base = kind.format(bucket=bucket, url=store.url)
    # Azure's emulator has the account before the container.
    account = "devstoreaccount1/" if base.startswith("a") else ""
    store.put(f"{account}{bucket}/k/bars", FORMS[form])
    local = str(store.root / f"{account}{bucket}" / "k" / "bars")
    assert deciding(tmp_path / "1", local) == deciding(tmp_path / "2", f"{base}k/bars")


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_missing_object_is_an_input_error_in_every_kind_of_store(
    store: Served, bucket: str, tmp_path: Path, kind: str
) -> None:
    base = kind.format(bucket=bucket, url=store.url)
    job = Job(tmp_path)
    assert job.run(input=base + "no/such.csv") == 66
    assert job.metrics() == error("v1", "Input data file not found")
    assert f"(path: {base}no/such.csv)" in job.events()[-2]


def test_google_lists_what_a_folder_holds() -> None:
    assert find_remote("gs://tree/day=1/") == ["gs://tree/day=1/a.csv", "gs://tree/day=1/x.csv"]


def test_objects_and_files_are_read_in_the_order_of_their_first_timestamps(
    store: Served, bucket: str, tmp_path: Path
) -> None:
    rows = [f"2024-01-0{day},{day}\n".encode() for day in range(1, 6)]
    head = b"timestamp,close\n"
    for name, row in zip(("day=3/x.csv", "day=2/x.csv", "day=1/x.csv"), rows[1:4], strict=True):
        store.put(f"{bucket}/{name}", head + row)
    (tmp_path / "first.csv").write_bytes(head + rows[4])
    (tmp_path / "last.csv").write_bytes(head + rows[0])
    (tmp_path / "whole.csv").write_bytes(head + b"".join(rows))
    local = [str(tmp_path / name) for name in ("first.csv", "last.csv")]
    whole = deciding(tmp_path / "whole", str(tmp_path / "whole.csv"))
    assert "'rows_processed': 5" in whole
    for given_ in (f"s3://{bucket}/day=*/x.csv", f"s3://{bucket}/", f"s3://{bucket}"):
        assert deciding(tmp_path / "parts", local[0], given_, local[1]) == whole


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_panel_of_objects_is_decided_as_one_of_files_is(
    store: Served, bucket: str, tmp_path: Path, form: str
) -> None:
    for name in (f"BTC.{form}", f"day=1/ETH USD.{form}", f"day=1/=x.{form}"):
        store.put(f"{bucket}/{name}", FORMS[form])
    config = YAML + "columns: {symbol: {from: filename}}\n"
    here = deciding(tmp_path / "1", str(store.root / bucket), config=config)
    assert "ETH USD" in here
    assert deciding(tmp_path / "2", f"s3://{bucket}/", config=config) == here


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_panel_in_one_object_is_decided_as_one_in_a_file_is(
    store: Served, bucket: str, tmp_path: Path, form: str
) -> None:
    panel = pl.concat([TABLE.with_columns(symbol=pl.lit(name)) for name in ("b", "a", "é")])
    data = panel.write_csv().encode() if form == "csv" else parquet(panel)
    store.put(f"{bucket}/bars", data)
    config = YAML + "columns: {symbol: symbol}\n"
    here = deciding(tmp_path / "1", str(store.root / bucket / "bars"), config=config)
    assert "'rows_processed': 36" in here
    assert deciding(tmp_path / "2", f"s3://{bucket}/bars", config=config) == here


def below(urls: list[str], root: str) -> list[str]:
    assert all(path.startswith(root) for path in urls)
    return [path.removeprefix(root) for path in urls]


def either(root: str, pattern: str) -> list[str] | str:
    """Find inputs below a root; return the message if there are no inputs."""
    try:
        return below(find_paths([root + pattern]), root)
    except InputError as nothing:
        return nothing.message


SEGMENTS = st.sampled_from(
    [
        "*",
        "**",
        "?",
        "??",
        "day=*",
        "day=[!1]*",
        "*.csv",
        "[ab]*",
        ".*",
        "a",
        "x.csv",
        "day=1",
        "_*",
    ]
)


@settings(max_examples=150)
@given(st.lists(SEGMENTS, min_size=1, max_size=4).filter(lambda parts: "*" in "".join(parts)))
@example(["[ab].csv"])
@example(["q?.csv"])
@example(["day=*", "**"])
@example(["**", "**", "x.csv"])
@example(["Ä*", "x y.csv"])
@example(["nothing*"])
def test_a_pattern_finds_in_a_bucket_what_it_finds_in_a_folder(
    store: Served, parts: list[str]
) -> None:
    pattern = "/".join(parts)
    assert either("s3://tree/", pattern) == either(f"{store.root}/tree/", pattern)


@pytest.mark.parametrize("folder", ["", "day=2/", "day=1/", "a/", "Ä ö/", "a.csv.d/", "day=3/"])
def test_a_folder_holds_in_a_bucket_what_it_holds_on_disk_in_the_same_order(
    store: Served, folder: str
) -> None:
    (store.root / "tree" / "day=3").mkdir(exist_ok=True)
    assert either("s3://tree/", folder) == either(f"{store.root}/tree/", folder)


def test_an_empty_object_that_marks_a_folder_is_no_input(store: Served, bucket: str) -> None:
    store.put(f"{bucket}/a/b/x.csv", csv())
    store.put(f"{bucket}/a/empty.csv", b"")
    store.folder_markers = True
    for pattern in ("", "**", "a/"):
        keys = below(find_remote(f"s3://{bucket}/{pattern}"), f"s3://{bucket}/")
        assert sorted(keys) == ["a/b/x.csv", "a/empty.csv"]


@pytest.mark.parametrize("path", ["a/", "*/", "b/", "[a]/", "a/b/"])
def test_a_folder_that_is_only_marked_has_no_files(store: Served, bucket: str, path: str) -> None:
    (store.root / bucket / "a").mkdir()
    store.put(f"{bucket}/x.csv", csv())
    store.folder_markers = True
    with pytest.raises(InputError, match="Input folder has no files"):
        find_remote(f"s3://{bucket}/{path}")


def test_a_folder_of_more_objects_than_a_page_is_found_whole(store: Served, bucket: str) -> None:
    names = [f"s3://{bucket}/{number:04}.csv" for number in range(1_001)]
    for name in names:
        store.put(name.removeprefix("s3://"), b"x")
    assert find_remote(f"s3://{bucket}/") == names
    assert len({path for _, path, _ in store.asked if "continuation-token" in path}) == 1


def test_a_web_address_is_one_file_whatever_is_in_it() -> None:
    for url in (
        "https://h/?.csv",
        "https://h/x/",
        "https://h",
        "https://h/[a]*?x=*",
        "http://h?a=b",
    ):
        assert find_remote(url) == find_paths([url]) == [url]


def test_a_store_is_not_asked_where_that_is_not_wanted(store: Served) -> None:
    store.asked.clear()
    assert find_paths(["s3://tree/", "gs://b/*"], ask_stores=False) == ["s3://tree/", "gs://b/*"]
    assert not store.asked


@pytest.mark.parametrize(
    "twice",
    [
        ["s3://tree/x.csv", "s3://tree/x.csv"],
        ["s3://tree/x.csv", "s3://tree/*.csv"],
        ["s3://tree/day=1/", "s3://tree/day=1/x.csv"],
        ["https://h/x.csv", "https://h/x.csv"],
        ["https://h/x.csv?sig=a", "https://h/x.csv?sig=b"],
    ],
)
def test_an_object_that_is_named_twice_is_a_usage_error(twice: list[str]) -> None:
    with pytest.raises(UsageError, match=r"x\.csv\S* is read twice; name it once"):
        find_paths(twice)


def test_objects_of_one_name_in_several_places_are_several() -> None:
    several = [
        "s3://tree/x.csv",
        "gs://tree/x.csv",
        "https://tree/x.csv",
        "s3://tree/a/x.csv",
        "x.csv",
    ]
    assert find_paths(several) == several


@pytest.mark.parametrize(
    ("url", "symbol"),
    [
        ("s3://bucket/day=1/BTC.csv.gz", "BTC"),
        ("s3://bucket/BTC%20USD.csv", "BTC%20USD"),
        ("abfss://box@account.dfs.core.windows.net/BTC.parquet", "BTC"),
        ("https://host/BTC.csv", "BTC"),
        ("https://host/day/BTC%2FUSD.csv?sig=a/b.csv#c/d", "BTC/USD"),
        ("http://host:80/BRK.B", "BRK.B"),
    ],
)
def test_the_symbol_of_an_object_is_its_name_without_the_usual_suffixes(
    url: str, symbol: str
) -> None:
    assert symbol_of(input_of(url), BY_FILE) == symbol
    assert name_of(url).startswith(symbol)


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("ftp://host/x.csv", "ftp:// is not supported; known: s3, gs, az, abfss, http, https"),
        ("S3://bucket/x.csv", "S3:// is not supported; did you mean s3?"),
        ("file://host/x.csv", "file:// is not supported; known: s3, gs, az, abfss, http, https"),
    ],
)
def test_another_scheme_is_refused(url: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        find_paths([url])
    assert str(caught.value) == f"{hint} (path: {url})"


@pytest.mark.parametrize(
    "url",
    [
        f"https://{KEY_ID}:{KEY}@host/x.csv",
        f"https://{KEY_ID}@host/x.csv",
        f"s3://{KEY_ID}:{KEY}@bucket/x.csv",
        f"s3://{KEY_ID}@bucket/x.csv",
        f"abfss://box:{KEY}@account.dfs.core.windows.net/x.csv",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    job = Job(tmp_path)
    done = run(job, url)
    assert done.returncode == 2
    assert "without credentials" in str(job.metrics()["error_message"])
    assert_no_secret(job, done)


def run(
    job: Job, *inputs: str, more: tuple[str, ...] = (), env: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """Run the job as a separate process, with as much logging as possible."""
    return subprocess.run(
        process_arguments(*job.arguments("-v", *more)[1:], "--input", *inputs),
        env=env,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


def without(part: str, **more: str) -> dict[str, str]:
    """Return the environment without the names that contain this part, with others added."""
    return {name: text for name, text in os.environ.items() if part not in name} | more


def assert_no_secret(job: Job, done: subprocess.CompletedProcess[str]) -> None:
    """Check that no output of a run holds a key or a part of one."""
    left = done.stdout + done.stderr + job.log.read_text() + job.output.read_text()
    assert job.log.read_text()
    assert job.output.read_text() == done.stdout
    for secret in (KEY_ID, KEY, "secret", "SIGNATURE"):
        assert secret not in left


def test_wrong_keys_are_an_input_error_that_names_the_variables_and_no_secret(
    bucket: str, tmp_path: Path
) -> None:
    wrong = {"AWS_SECRET_ACCESS_KEY": KEY + "x", "AWS_SESSION_TOKEN": "the-token-is-secret"}
    job = Job(tmp_path)
    for path in ("x.csv", "*.csv", ""):
        done = run(job, f"s3://{bucket}/{path}", env=os.environ | wrong)
        assert done.returncode == 66
        message = "Input data file cannot be opened: access is denied"
        assert job.metrics() == published(done.stdout) == error("v1", message)
        assert "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION" in done.stderr
        assert_no_secret(job, done)


def test_no_keys_are_an_input_error(bucket: str, tmp_path: Path) -> None:
    job = Job(tmp_path)
    assert run(job, f"s3://{bucket}/x.csv", env=without("ACCESS_KEY")).returncode == 66
    message = "Input data file cannot be opened: no credentials were found"
    assert job.metrics() == error("v1", message)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_public_data_are_read_without_keys(
    store: Served, bucket: str, tmp_path: Path, form: str
) -> None:
    store.put(f"{bucket}/bars", FORMS[form])
    public = without("ACCESS_KEY", AWS_SKIP_SIGNATURE="true")
    assert run(Job(tmp_path), f"s3://{bucket}/bars", env=public).returncode == 0


# Runs the command with a stand-in for boto3's reader of AWS config files, which has the keys.
PROFILED = f"""
import sys, types
from rollsignal.cli.main import main

class Profile:
    config = {{}}
    def __call__(self):
        keys = {{"access_key_id": {KEY_ID!r}, "secret_access_key": {KEY!r}}}
        return keys | {{"token": None, "expires_at": None}}

reader = types.SimpleNamespace(Boto3CredentialProvider=Profile)
sys.modules["obstore.auth.boto3"] = reader
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(("in_environment", "code"), [({}, 0), ({"AWS_ACCESS_KEY_ID": KEY_ID}, 66)])
def test_keys_come_from_config_files_only_where_the_environment_has_none(
    store: Served, bucket: str, tmp_path: Path, in_environment: dict[str, str], code: int
) -> None:
    store.put(f"{bucket}/x.csv", csv())
    env = without("ACCESS_KEY", AWS_SECRET_ACCESS_KEY="another", PYTHONPATH=str(ROOT))
    line = [sys.executable, "-c", PROFILED, "run"]
    line += Job(tmp_path).arguments(input=f"s3://{bucket}/x.csv")
    done = subprocess.run(line, env=env | in_environment, check=False)
    assert done.returncode == code


def test_a_signed_web_address_is_read_and_its_signature_is_nowhere(
    store: Served, bucket: str, tmp_path: Path
) -> None:
    job = Job(tmp_path)
    for form, name in (("csv", "x.csv"), ("parquet", "x.parquet"), ("csv", "gone.csv")):
        store.put(f"{bucket}/{name.replace('gone', 'there')}", FORMS[form])
        done = run(job, f"{store.url}/{bucket}/{name}?X-Amz-Signature=SIGNATURE%2Fsecret&Expires=1")
        assert done.returncode == (66 if name == "gone.csv" else 0)
        assert f"{store.url}/{bucket}/{name}?…" in job.log.read_text()
        assert_no_secret(job, done)
    assert any("SIGNATURE" in path for _, path, _ in store.asked)


def test_a_secret_in_a_wrong_command_line_is_not_repeated(tmp_path: Path) -> None:
    job = Job(tmp_path)
    url = f"https://{KEY_ID}:{KEY}@host/x.csv?sig=SIGNATURE"
    for more in (("--log-format", url), ("--inptu", url), (f"--verbose={url}",)):
        done = run(job, "x.csv", more=more)
        assert done.returncode == 2
        assert_no_secret(job, done)


def test_a_dry_run_lists_what_would_be_read(
    store: Served, bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store.put(f"{bucket}/a.csv.gz", TEXTS["gz"])
    store.put(f"{bucket}/b.parquet", FORMS["parquet"])
    assert Job(tmp_path).run("--dry-run", input=f"s3://{bucket}/*") == 0
    form = "close from close, timestamp from timestamp"
    assert capsys.readouterr().out.splitlines()[:2] == [
        f"would read  s3://{bucket}/a.csv.gz: gzip, utf-8, comma, {form}",
        f"would read  s3://{bucket}/b.parquet: parquet, {form}",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Received redirect without LOCATION, this", "the bucket is in another region"),
        ("Content-Length Header missing", "the server does not say how long the file is"),
        ("error: InvalidCertificate(UnknownIssuer)", "the server's certificate is not trusted"),
        ("error sending request: dns error", "there is no server with this name"),
        ("status code: 503 Service Unavailable: <Key>SECRET</Key>", "the server answers 503"),
        ("GET https://h/x?sig=SECRET - what else?\n<Key>SECRET</Key>", "what else?"),
        ("of https://me:SECRET@h/x?sig=SECRET", "of https://h/x?…"),
        ("", "OSError('')"),
    ],
)
def test_the_reason_of_a_failure_holds_no_secret(text: str, reason: str) -> None:
    problem = remote_error("gs://b/x", OSError(text), midway=False)
    assert problem.message == f"Input data file cannot be opened: {reason}"
    web = remote_error("https://me:SECRET@h/x?sig=SECRET", OSError(text), midway=False)
    assert web.detail == "path: https://h/x?…"
    assert "SECRET" not in str(problem) + str(web)


@pytest.mark.parametrize(
    "text", ["PUT latest/api/token in", "status code: 403", "status code: 400"]
)
def test_where_keys_may_help_their_names_are_given(text: str) -> None:
    names = {"s3": "AWS_ACCESS_KEY_ID", "gs": "GOOGLE_APPLICATION", "az": "AZURE_STORAGE"}
    for scheme, name in names.items():
        assert name in remote_error(f"{scheme}://b/x", OSError(text), midway=False).detail
        assert (
            name not in remote_error(f"{scheme}://b/x", OSError("timed out"), midway=False).detail
        )
    assert remote_error("https://h/x", OSError(text), midway=False).detail == "path: https://h/x"


def test_a_secure_address_is_spoken_to_securely(tmp_path: Path) -> None:
    with silence() as (url, server):
        path = url.replace("http:", "https:") + "/x.csv"
        arguments = process_arguments(*Job(tmp_path).arguments(input=path))
        with (
            subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as process,
            server.accept()[0] as connection,
        ):
            # The first record of a TLS handshake.
            assert connection.recv(1) == b"\x16"
            process.terminate()
    assert process.returncode == 143


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("pattern", ["bars", "*", ""])
def test_a_store_like_s3_is_found_by_its_endpoint_in_the_environment(
    store: Served, bucket: str, tmp_path: Path, form: str, pattern: str
) -> None:
    store.put(f"{bucket}/bars", FORMS[form])
    store.asked.clear()
    env = without("AWS_ENDPOINT_URL", AWS_ENDPOINT_URL=store.url)
    done = run(Job(tmp_path), f"s3://{bucket}/{pattern}", env=env)
    assert done.returncode == 0
    assert any(path.startswith(f"/{bucket}/bars") for _, path, _ in store.asked)


@pytest.mark.parametrize("url", ["s3://bucket/x.csv", "s3://bucket/*.csv", "{}/x.csv"])
def test_a_server_that_refuses_connections_is_an_input_error(tmp_path: Path, url: str) -> None:
    nobody = refusing()
    job = Job(tmp_path)
    env = os.environ | {"AWS_ENDPOINT_URL": nobody}
    assert run(job, url.format(nobody), env=env).returncode == 66
    message = "Input data file cannot be opened: no connection to the server"
    assert job.metrics() == error("v1", message)


def test_a_server_that_says_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "REQUEST_SECONDS", 1)
    job = Job(tmp_path)
    with silence() as (url, _):
        assert job.run(input=url + "/x.csv") == 66
    message = "Input data file cannot be opened: the server does not answer"
    assert job.metrics() == error("v1", message)


def test_whatever_waits_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "WAIT_SECONDS", 0.01)
    answered = threading.Event()
    with pytest.raises(TimeoutError) as caught:
        waited(answered.wait)
    answered.set()
    problem = remote_error("s3://bucket/x", caught.value, midway=True)
    assert isinstance(problem, DiskError)
    assert problem.message == "s3://bucket/x: reading failed: the server does not answer"


@pytest.mark.parametrize("what", ["a text", "a folder", "a columnar file"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_that_waits_for_a_server(
    store: Served, bucket: str, tmp_path: Path, what: str, number: signal.Signals, code: int
) -> None:
    store.put(f"{bucket}/x", FORMS["parquet"])
    waiting, ended = threading.Event(), threading.Event()

    def keep_waiting(handler: Any) -> None:
        # Polars reads the end of the file first.
        if what != "a columnar file" or handler.headers.get("Range", "").startswith("bytes=-"):
            waiting.set()
            ended.wait(60)

    store.before = keep_waiting
    job = Job(tmp_path)
    path = "*" if what == "a folder" else "x"
    arguments = process_arguments(*job.arguments(input=f"s3://{bucket}/{path}"))
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert waiting.wait(60)
        process.send_signal(number)
        # Far less than the time to wait for the server.
        printed, _ = process.communicate(timeout=10)
        ended.set()
    assert process.returncode == code
    message = f"Stopped by {number.name} before the end"
    assert job.metrics() == published(printed) == error("v1", message)


def is_midway(handler: Any) -> bool:
    """Return whether a request is for the middle of a file, not its beginning or its end."""
    return not handler.headers.get("Range", "").startswith(("bytes=0-", "bytes=-"))


@pytest.mark.parametrize("form", ["large", "parquet"])
def test_a_server_that_breaks_down_midway_is_a_disk_error(
    store: Served, bucket: str, tmp_path: Path, form: str
) -> None:
    store.put(f"{bucket}/bars", FORMS[form])

    def break_down(handler: Any) -> None:
        if is_midway(handler):
            raise ConnectionAbortedError

    store.before = break_down
    job = Job(tmp_path)
    once = os.environ | {"POLARS_CLOUD_MAX_RETRIES": "1"}
    assert run(job, f"s3://{bucket}/bars", env=once).returncode == 74
    message = f"s3://{bucket}/bars: reading failed: no connection to the server"
    assert job.metrics() == error("v1", message)


def test_an_answer_that_breaks_off_is_not_taken_for_the_end(
    store: Served, bucket: str, tmp_path: Path
) -> None:
    store.put(f"{bucket}/bars", FORMS["large"])
    store.cut_after = 70_000
    local = str(store.root / bucket / "bars")
    there = deciding(tmp_path / "2", f"s3://{bucket}/bars")
    assert there == deciding(tmp_path / "1", local)
    # The second part, which begins at 65,536, is fetched in two halves.
    assert any(wanted.startswith("bytes=135536-") for _, _, wanted in store.asked)


@pytest.mark.parametrize("form", ["large", "gz"])
def test_a_whole_file_that_breaks_off_is_a_disk_error(
    store: Served, bucket: str, tmp_path: Path, form: str
) -> None:
    store.put(f"{bucket}/bars", FORMS[form])
    with plainly_serving(store.root / bucket, cut_after=len(FORMS[form]) - 10) as url:
        job = Job(tmp_path)
        assert job.run(input=f"{url}/bars") == 74
    message = str(job.metrics()["error_message"])
    assert message.startswith(f"{url}/bars: reading failed: ")


@pytest.mark.parametrize("form", ["large", "parquet", "arrow"])
def test_an_object_that_changes_while_it_is_read_is_a_disk_error(
    store: Served, bucket: str, tmp_path: Path, form: str
) -> None:
    store.put(f"{bucket}/bars", FORMS[form])

    def change(handler: Any) -> None:
        if is_midway(handler):
            store.before = lambda handler: None
            store.put(f"{bucket}/bars", FORMS[form].replace(b"1", b"2"))

    store.before = change
    job = Job(tmp_path)
    assert job.run(input=f"s3://{bucket}/bars") == 74
    message = f"s3://{bucket}/bars: it was changed while it was read; run again"
    assert job.metrics() == error("v1", message)


@pytest.mark.parametrize("form", ["large", "gz", "zip", "empty"])
def test_texts_are_read_from_a_web_server_that_does_not_send_parts(
    store: Served, bucket: str, tmp_path: Path, form: str
) -> None:
    store.put(f"{bucket}/bars", FORMS[form])
    with plainly_serving(store.root / bucket) as url:
        there = deciding(tmp_path / "2", f"{url}/bars")
    assert there == deciding(tmp_path / "1", str(store.root / bucket / "bars"))


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_columnar_formats_need_a_web_server_that_sends_parts(
    store: Served, bucket: str, tmp_path: Path, form: str
) -> None:
    store.put(f"{bucket}/bars", FORMS[form])
    job = Job(tmp_path)
    with plainly_serving(store.root / bucket) as url:
        assert job.run(input=f"{url}/bars") == 66
    reason = "the server does not send parts of files, which this format needs"
    assert job.metrics() == error("v1", f"Input data file cannot be opened: {reason}")


def test_without_obstore_a_url_is_an_input_error_that_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    for url in ("s3://bucket/x.csv", "s3://bucket/*", "https://host/x.csv"):
        with pytest.raises(InputError, match=r"\(pip install obstore, or "):
            remote.store_of(url)


def test_a_url_is_split_into_scheme_root_and_key() -> None:
    assert location_of("s3://bucket/a/b?c#d") == ("s3", "bucket", "a/b?c#d")
    assert location_of("s3://bucket") == ("s3", "bucket", "")
    assert location_of("http://[::1]:80?x=a/b") == ("http", "[::1]:80", "x=a/b")
