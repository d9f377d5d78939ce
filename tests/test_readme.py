"""README and docs are true: generated parts are up to date, examples run, links lead."""

import contextlib
import fcntl
import io
import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import rollsignal
from docs import generate
from docs.sandbox import ROOT, Sandbox
from rollsignal import errors
from rollsignal.errors import JobError

GUIDES = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", *GUIDES]
LINKED = [*PAGES, *(ROOT / f"{name}.md" for name in ("CONTRIBUTING", "CHANGELOG", "SECURITY"))]
LINKED += sorted(set((ROOT / "docs").rglob("*.md")) - set(GUIDES))
# Where a call of the program ends in a line of shell commands.
ENDS = ("|", "||", "&&", ">")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(language: str) -> list[object]:
    """Return the code blocks in a language of all pages, each as a parameter of a test."""
    return [
        pytest.param(block, id=f"{page.name}-{number}")
        for page in PAGES
        for number, (tag, block) in enumerate(FENCE.findall(page.read_text(encoding="utf-8")))
        if tag == language
    ]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.mark.parametrize("page", generate.pages(), ids=lambda page: page.name)
def test_generated_parts_are_what_the_program_prints_now(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    # Whoever runs the job in a checkout changes the example's latency, and the locks have another
    # NumPy for a later Python.
    differing = re.compile(r'"latency_ms": \d+|NumPy cumsum +\d+\.\d+\.\d+')
    assert differing.sub("", generate.rendered(text)) == differing.sub("", text), "run `make docs`"


def test_the_picture_of_the_rooms_is_that_of_the_contract() -> None:
    assert generate.PICTURE.read_text(encoding="utf-8") == generate.picture(), "run `make docs`"


def test_the_plot_of_the_sample_is_what_report_draws_now() -> None:
    assert generate.PLOT.read_text(encoding="utf-8") == generate.plot(), "run `make docs`"


def test_a_part_that_nothing_generates_is_an_error() -> None:
    with pytest.raises(KeyError, match="nothing generates 'metricks'"):
        generate.rendered("<!-- generated: metricks -->\n<!-- end -->\n")


def test_a_part_that_would_be_empty_is_an_error() -> None:
    page = "```bash\ntrue\n```\n\n<!-- generated: stdout -->\n<!-- end -->\n"
    with pytest.raises(ValueError, match="empty"):
        generate.rendered(page)


@pytest.mark.parametrize("block", blocks("python"))
def test_a_python_example_prints_what_its_comments_say(
    block: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sandbox.folder)
    expected = [line.partition("  # ")[2] for line in block.splitlines() if "print(" in line]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block, "page", "exec"), {})
    lines = printed.getvalue().splitlines()
    assert len(lines) == len(expected) > 0
    for line, comment in zip(lines, expected, strict=True):
        assert line == comment.partition(", but")[0]


@pytest.mark.parametrize("block", blocks("yaml"))
def test_a_yaml_example_is_a_config_or_a_part_of_one(block: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(block)
    (tmp_path / "bars.csv").write_text("close,adj_close,closed_at,symbol,day,minute\n")
    with contextlib.suppress(errors.DataError):
        # The bars do not matter: of the config, anything wrong is a `ConfigError`.
        rollsignal.check(input=str(tmp_path / "bars.csv"), config=str(tmp_path / "config.yaml"))


def test_the_check_example_reports_what_the_page_shows(sandbox: Sandbox) -> None:
    page = text_of("docs/check.md")
    (block,) = [block for block in generate.BASH.findall(page) if "rollsignal check" in block]
    done = sandbox.run(block)
    assert done.returncode == 65
    assert done.stdout in page
    checks = json.loads(done.stdout)["checks"]
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(checks)


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings_of_the_project(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for path, _, anchor in re.findall(r"\]\((?!https?://)([^)#]*)(#?)([^)]*)\)", text):
        target = page.parent / path if path else page
        assert target.exists(), path
        if anchor:
            assert anchor in anchors(target), f"{path}#{anchor}"


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_anchors_are_those_of_the_forge(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Diff: which signals, and why\n```bash\n# a comment\n```\n## Two `runs` at_once\n"
    )
    assert anchors(page) == {"diff-which-signals-and-why", "two-runs-at_once"}


def test_the_readme_is_one_screen_that_leads_to_every_guide() -> None:
    readme = text_of("README.md")
    assert len(readme.splitlines()) <= 100
    linked = set(re.findall(r"\]\((docs/\w+\.md)", readme))
    assert linked == {f"docs/{page.name}" for page in GUIDES}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_lines_of_prose_have_at_most_120_characters(page: Path) -> None:
    text = FENCE.sub("", generate.PART.sub("", page.read_text(encoding="utf-8")))
    assert [line for line in text.splitlines() if len(line) > 120 and line[0] != "|"] == []


@pytest.mark.parametrize(
    "command",
    [
        "pip install -r requirements.txt",
        "python run.py --input data.csv --config config.yaml --output metrics.json"
        " --log-file run.log",
        "python run.py --input wrong.csv --config config.yaml --output metrics.json"
        " --log-file run.log",
        "docker build -t mlops-task .",
        "docker run --rm mlops-task",
    ],
)
def test_the_published_commands_stand_verbatim(command: str) -> None:
    assert command in text_of("README.md").splitlines()


@cache
def help_of(command: str) -> str:
    with Sandbox() as sandbox:
        return sandbox.run(f"rollsignal {command} --help").stdout


def commands() -> list[str]:
    return re.findall(r"^    (\w+)  ", help_of(""), re.MULTILINE)


def test_every_command_is_in_the_readme_and_has_its_help_on_a_page() -> None:
    assert len(commands()) > 1
    listed = re.findall(r"^\| `(\w+)` \|", text_of("README.md"), re.MULTILINE)
    assert sorted(listed) == sorted(commands())
    for command in commands():
        assert f"\n```text\n{help_of(command)}```\n" in text_of("docs/command.md")


@pytest.mark.parametrize("block", blocks("bash"))
def test_every_flag_in_an_example_is_one_of_its_command(block: str) -> None:
    for words in calls(block):
        command = "run" if words[0] == "run.py" else words[1]
        if command.startswith("--"):
            command = ""
        flags = {word.partition("=")[0] for word in words if re.match("--?[a-z]", word)}
        for flag in flags:
            assert re.search(rf"(?<![\w-]){flag}(?![\w-])", help_of(command)), (words, flag)


def calls(block: str) -> Iterator[list[str]]:
    """Return each call of the program in a block of commands, as words."""
    for line in block.replace("\\\n", "").splitlines():
        words = shlex.split(line, comments=True)
        for start, word in enumerate(words):
            if word in ("rollsignal", "run.py"):
                ends = [at for at, end in enumerate(words) if at > start and end in ENDS]
                yield words[start : min(ends, default=None)]


def test_every_guide_of_keys_has_all_keys(sandbox: Sandbox) -> None:
    record = json.loads(sandbox.run("rollsignal schema record").stdout)
    metrics = json.loads(sandbox.run("rollsignal schema metrics").stdout)
    for page, keys in (
        ("docs/record.md", record["properties"]),
        ("docs/metrics.md", metrics["oneOf"][0]["properties"]),
    ):
        assert re.findall(r"^\| `(\w+)` \|", text_of(page), re.MULTILINE) == list(keys)


def test_the_guide_to_the_log_has_every_event_of_a_run(sandbox: Sandbox) -> None:
    sandbox.run("rollsignal run --log-format json")
    sandbox.run("rollsignal run --log-format json --input wrong.csv")
    lines = (sandbox.folder / "run.log").read_text().splitlines()
    events = {json.loads(line)["message"] for line in lines}
    assert events == set(re.findall(r"^\| `([\w ]+)` \|", text_of("docs/log.md"), re.MULTILINE))


def exit_codes() -> dict[int, str]:
    """Return the rows of the table of exit codes, by their codes."""
    rows = re.findall(r"^\| ([\d, ]+) \|(.*)$", text_of("docs/metrics.md"), re.MULTILINE)
    return {int(code): row for codes, row in rows for code in codes.split(",")}


def test_the_failure_table_has_every_exit_code() -> None:
    family = [
        error
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, JobError)
    ]
    assert set(exit_codes()) == {0, 130, 143} | {error.exit_code for error in family}


@pytest.mark.parametrize(
    ("code", "flags"),
    [
        (2, "--inptu data.csv"),
        (65, "--input data.csv"),
        (66, "--input wrong.csv"),
        (73, "--output folder"),
        (75, "--summary locked.csv"),
        (78, ""),
    ],
)
def test_the_failure_table_has_the_messages_of_the_program(
    code: int, flags: str, sandbox: Sandbox
) -> None:
    lines = (ROOT / "data.csv").read_text().splitlines()
    lines[811] = re.sub(r",[\d.]+(,[\d.]+,[\d.]+)$", r",n/a\1", lines[811])
    if code == 65:
        (sandbox.folder / "data.csv").write_text("\n".join(lines) + "\n")
    if code == 78:
        (sandbox.folder / "config.yaml").write_text('seed: 42\nwindow: 010\nversion: "v1"\n')
    (sandbox.folder / "folder").mkdir()
    with (sandbox.folder / ".locked.csv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = sandbox.run(f"rollsignal run {flags}")
    assert done.returncode == code
    (example,) = re.findall("`(.*)`", exit_codes()[code].rpartition("|")[0].rpartition("|")[2])
    assert example.partition("…")[0].strip() in json.loads(done.stdout)["error_message"]


def test_a_sandbox_is_gone_afterwards() -> None:
    with Sandbox() as sandbox:
        assert sandbox.run("ls").stdout.split() == [
            *("bdh.xlsx", "config.yaml", "data.csv", "kurse.xlsx", "run.py"),
        ]
    assert not sandbox.folder.exists()
