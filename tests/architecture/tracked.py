"""The files a clone brings along: what git tracks, or, in an unpacked archive, what lies there."""

import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
MADE_HERE = {".git", ".venv", "var", "build", "dist", "node_modules", "__pycache__"}


def tracked_files() -> list[Path]:
    if (PROJECT / ".git").exists():
        listed = subprocess.run(
            ["git", "-c", f"safe.directory={PROJECT}", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True
        )
        return [PROJECT / name for name in listed.stdout.decode().split("\0") if name and (PROJECT / name).is_file()]
    return [
        path
        for path in PROJECT.rglob("*")
        if path.is_file()
        and not any(part in MADE_HERE or part.endswith("_cache") for part in path.relative_to(PROJECT).parts)
    ]
