"""Write the generated parts of README.md: `python docs/readme.py`; a test holds them true."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

sys.path.insert(0, str(ROOT))


def rendered(readme: str) -> str:
    """Return the README with its generated parts made anew."""
    makers = {
        "help": help_text,
        "settings": settings_table,
        "metrics": lambda: fenced("json", (ROOT / "metrics.json").read_text()),
        "log": lambda: fenced("text", first_run((ROOT / "run.log").read_text())),
        "failure": failure,
        "explain": explanation,
        "diff": comparison,
        "check": check,
    }
    return PART.sub(lambda part: part[1] + makers[part[2]]() + part[3], readme)


def first_run(log: str) -> str:
    """Return a log's first run: whoever runs the job in a checkout adds to the example."""
    head, end, rest = log.partition(" job ended ")
    return head + end + rest.partition("\n")[0]


def fenced(language: str, text: str) -> str:
    """Put text into a code block."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def help_text() -> str:
    """Return what `rollsignal run --help` prints."""
    command = [sys.executable, str(ROOT / "run.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return fenced("text", done.stdout)


def failure() -> str:
    """Return what the run with a missing input prints."""
    command = [sys.executable, str(ROOT / "run.py"), "--input", "wrong.csv"]
    command += ["--config", str(ROOT / "config.yaml")]
    folder = subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True)
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder.stdout.strip()
    )
    return fenced("json", done.stdout)


def explanation() -> str:
    """Return what `rollsignal explain` says of a bar where floats are wrong."""
    command = [sys.executable, "-m", "rollsignal", "explain", "--at", "2024-01-04T23:45"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return fenced("text", done.stdout)


def comparison() -> str:
    """Return what `rollsignal diff` says of two runs, one with a close that was corrected."""
    bars = (ROOT / "data.csv").read_text()
    line = bars.splitlines()[5746]
    with TemporaryDirectory() as folder:
        Path(folder, "config.yaml").write_text((ROOT / "config.yaml").read_text())
        Path(folder, "yesterday.csv").write_text(bars)
        Path(folder, "today.csv").write_text(
            bars.replace(line, line.replace("42518.01", "42518.1"))
        )
        command = [sys.executable, "-m", "rollsignal"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        for day in ("yesterday", "today"):
            paths = ["--input", f"{day}.csv", "--signals", f"{day}.parquet"]
            run = [*command, "run", *paths]
            subprocess.run(run, capture_output=True, check=True, cwd=folder, env=environment)
        command += ["diff", "yesterday.parquet", "today.parquet"]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=folder, env=environment
        )
    return fenced("text", done.stdout)


def check() -> str:
    """Return a part of what `rollsignal check` reports of the sample without some of its lines."""
    lines = (ROOT / "data.csv").read_text().splitlines(keepends=True)
    with TemporaryDirectory() as folder:
        Path(folder, "broken.csv").write_text("".join(lines[:499] + lines[520:]))
        done = subprocess.run(
            [sys.executable, "-m", "rollsignal", "check", "--input", "broken.csv"],
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=False,
            cwd=folder,
        )
    return fenced("json", check_part(done.stdout))


def check_part(report: str | bytes) -> str:
    """Take out of a report how it ended, and the gaps."""
    found = json.loads(report)
    part = {"status": found["status"], "rows": found["rows"]}
    return json.dumps(part | {"checks": {"gaps": found["checks"]["gaps"]}}, indent=2)


def settings_table() -> str:
    """List every setting with its default and meaning."""
    from rollsignal.config.settings import config_schema

    rows = ["| setting | default | meaning |", "|---|---|---|", *setting_rows(config_schema())]
    return "\n".join(rows) + "\n"


def setting_rows(schema: dict[str, Any], prefix: str = "") -> list[str]:
    """List the settings that a section's schema has, and those of sections in it."""
    rows = []
    for name, setting in schema["properties"].items():
        if "properties" in setting:
            rows += setting_rows(setting, f"{prefix}{name}.")
            continue
        default = setting.get("default", "")
        written = default if isinstance(default, str) else json.dumps(default)
        shown = "required" if name in schema["required"] else f"`{written}`"
        rows.append(f"| `{prefix}{name}` | {shown} | {setting['description']} |")
    return rows


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(rendered(path.read_text()))
