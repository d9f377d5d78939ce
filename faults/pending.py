"""Kill a run at the moment when the state has its signals, and none of them is in its place."""

import shutil
from pathlib import Path

from faults import traces
from faults.runs import run


def kill_once_saved(line: list[str], folder: Path, env: dict[str, str]) -> None:
    """Run in a folder and kill; the calls of the run are listed in a copy of the folder before."""
    kept = Path(shutil.copytree(folder, folder.with_name(f"{folder.name}, kept")))
    log = folder.with_name("trace of the pending run")
    run(traces.traced(line, log), env)
    renames = [call for call in traces.calls(log, folder) if call.kind == "rename"]
    saved = next(at for at, call in enumerate(renames) if '/s.state"' in call.arguments)
    shutil.rmtree(folder)
    kept.rename(folder)
    ended = run(traces.killed(line, renames[saved + 1]), env)
    if ended.code != -9:
        raise RuntimeError(f"a run that was to be killed ended with {ended.code}: {ended.stderr}")
