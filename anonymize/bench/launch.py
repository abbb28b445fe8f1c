"""Run one command and say what it took: CPU seconds and peak memory. Standard library only, run by its path.

It is a process of its own because the peak that the kernel reports for a program counts from what its parent held when
it started it (getrusage(2), RUSAGE_CHILDREN; execve(2)): this one holds nothing.

    python -I -S launch.py ANSWER.json PROGRAM [ARGUMENT...]
"""

import json
import os
import sys
import time


def main(argv: list[str]) -> None:
    answer, command = argv[0], argv[1:]
    began = time.monotonic()
    child = os.posix_spawn(command[0], command, os.environ)
    _, status, used = os.wait4(child, 0)
    taken = {
        "exit": os.waitstatus_to_exitcode(status),
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
        "wall_s": time.monotonic() - began,
    }
    with open(answer, "w", encoding="utf-8") as file:
        json.dump(taken, file)


if __name__ == "__main__":
    main(sys.argv[1:])
