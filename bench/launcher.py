"""Run a command and print its wall seconds, CPU seconds and peak memory in bytes.

The peak memory that the system reports for a process is never less than what its parent held when
the process started. So its parent is this small Python: `python -I -S bench/launcher.py COMMAND …`.
"""

import os
import sys
import time


def main(command: list[str]) -> int:
    nowhere = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    started = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=nowhere)
    _, status, usage = os.wait4(process, 0)
    wall_s = time.perf_counter() - started
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(wall_s, usage.ru_utime + usage.ru_stime, peak)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
