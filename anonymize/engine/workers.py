"""What a worker process does first. Imports nothing of polars, which counts its threads when it is imported."""

from __future__ import annotations

import os


def limit_threads(threads: int) -> None:
    """Let polars use so many threads in this process."""
    os.environ["POLARS_MAX_THREADS"] = str(threads)
