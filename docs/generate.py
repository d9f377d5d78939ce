"""Write the generated parts of README.md and docs/: `python -m docs.generate`.

A generated part of a page is between `<!-- generated: NAME -->` and `<!-- end -->`. `stdout` and
`stderr` are what the bash block above them prints in a `Sandbox`, where a page's blocks run in
their order; the other names are those of `FACTS`. The tests compare all parts, the picture of the
rooms, and the completions and the manual page in docs/shell with what this module generates.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docs.picture import drawn, rooms
from docs.sandbox import ROOT, Sandbox
from docs.shell import FOLDER, shell_files
from rollsignal.errors import EXIT_CODES

PART = re.compile(r"^(<!-- generated: (\w+) -->\n)(.*?)^(<!-- end -->)$", re.DOTALL | re.MULTILINE)
BASH = re.compile(r"^```bash\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PICTURE = ROOT / "docs/architecture.svg"
PLOT = ROOT / "docs/report.svg"
# `make bench` writes these parts, which takes half an hour.
NOT_HERE = ("bench",)


def pages() -> list[Path]:
    """List the pages that may have generated parts."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def rendered(page: str) -> str:
    """Return a page with its generated parts made again."""
    with Sandbox() as sandbox:

        def made(part: re.Match[str]) -> str:
            above = page[: part.start()]
            return part[1] + _content(part[2], part[3], above, sandbox) + part[4]

        return PART.sub(made, page)


def _content(name: str, former: str, above: str, sandbox: Sandbox) -> str:
    if name in NOT_HERE:
        return former
    if name in FACTS:
        return FACTS[name]()
    if name not in ("stdout", "stderr"):
        raise KeyError(f"nothing generates {name!r}")
    done = sandbox.run(BASH.findall(above)[-1])
    return fenced(done.stdout if name == "stdout" else done.stderr)


def fenced(text: str) -> str:
    """Return text as a code block, with its language; raises `ValueError` for empty text."""
    if not text.strip():
        raise ValueError("a part of a page would be empty")
    return f"```{_language(text)}\n{text.rstrip()}\n```\n"


def _language(text: str) -> str:
    try:
        return "json" if isinstance(json.loads(text), dict) else "text"
    except ValueError:
        return "text"


def sample_metrics() -> str:
    """Return the example metrics of the sample job."""
    return fenced((ROOT / "metrics.json").read_text("utf-8"))


def sample_log() -> str:
    """Return the first run in the example log; later runs in a checkout are appended to it."""
    head, end, rest = (ROOT / "run.log").read_text("utf-8").partition(" job ended ")
    return fenced(head + end + rest.partition("\n")[0])


def settings() -> str:
    """List every setting with its default and meaning, as a table."""
    with Sandbox() as sandbox:
        schema = json.loads(sandbox.run("rollsignal schema config").stdout)
    rows = ["| setting | default | meaning |", "|---|---|---|", *_setting_rows(schema)]
    return "\n".join(rows) + "\n"


def _setting_rows(schema: dict[str, Any], prefix: str = "") -> list[str]:
    rows = []
    for name, setting in schema["properties"].items():
        if "properties" in setting:
            rows += _setting_rows(setting, f"{prefix}{name}.")
            continue
        default = setting.get("default", "")
        written = default if isinstance(default, str) else json.dumps(default)
        shown = "required" if name in schema["required"] else f"`{written}`"
        rows.append(f"| `{prefix}{name}` | {shown} | {setting['description']} |")
    return rows


def picture() -> str:
    """Draw the rooms of the program."""
    return drawn(rooms((ROOT / "pyproject.toml").read_text("utf-8"), ROOT / "rollsignal"))


def plot() -> str:
    """Draw the growth of the sample, as `report --plot` does."""
    with Sandbox() as sandbox:
        sandbox.run("rollsignal run --signals s.parquet --record r.json --quiet")
        sandbox.run("rollsignal report r.json --plot plot.svg")
        return (sandbox.folder / "plot.svg").read_text("utf-8")


EXAMPLES_OF_CODES = {
    2: "`unknown argument '--inptu': did you mean --input?`",
    65: "`data.csv line 812: close is 'n/a', not a number (set missing: skip …)`",
    66: "`Input data file not found`",
    71: "`not enough memory: Unable to allocate 585. KiB for an array`",
    73: "`Output cannot be created: it exists and is not a regular file`",
    74: "`Output could not be written: No space left on device`",
    75: "`Another run is writing the same file`",
    78: "`config.yaml line 2: window is 010: write it without leading zeros (window: 10)`",
    143: "`Stopped by SIGTERM before the end`",
}


def exit_codes() -> str:
    """List every exit code, and whether trying again can help."""
    rows = ["| exit code | meaning | again | for example |", "|---|---|---|---|"]
    for code, meaning, again in EXIT_CODES:
        helps = {True: "yes", False: "no", None: ""}[again]
        rows.append(f"| {code} | {meaning} | {helps} | {EXAMPLES_OF_CODES.get(code, '')} |")
    return "\n".join(rows).replace(" |  |", " | |") + "\n"


FACTS: dict[str, Callable[[], str]] = {
    "metrics": sample_metrics,
    "log": sample_log,
    "settings": settings,
    "exit_codes": exit_codes,
}


if __name__ == "__main__":
    for path in pages():
        path.write_text(rendered(path.read_text("utf-8")), "utf-8")
    PICTURE.write_text(picture(), "utf-8")
    PLOT.write_text(plot(), "utf-8")
    for name, text in shell_files().items():
        (FOLDER / name).write_text(text, "utf-8")
