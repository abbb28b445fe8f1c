"""The Java that Spark would start. Standard library only: `hub.doctor` asks before anything is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import Final

OLDEST_JAVA: Final = 17
"""Source: Apache Spark 4 runs on Java 17 and 21."""


def java_version() -> int | None:
    """The major version of the Java that Spark would start; None if there is none."""
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else shutil.which("java")
    if java is None:
        return None
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(\d+)', done.stderr)
    return int(found[1]) if found else None
