"""Box A's program: `python -P -s -m sandbox.server`. Its settings come in one variable, forgotten at once."""

import json
import os
import sys

from sandbox.server.app import RUNTIME, Settings, serve


def main() -> None:
    settings = Settings(**json.loads(os.environ.pop("ZHAKOU_SERVER")))
    RUNTIME.mkdir(mode=0o700)
    for name in ("config", "data", "runtime"):
        (RUNTIME / name).mkdir(mode=0o700)
        os.environ[f"JUPYTER_{name.upper()}_DIR"] = str(RUNTIME / name)
    os.environ |= {"JUPYTER_PLATFORM_DIRS": "1", "JUPYTERHUB_DISABLE_USER_CONFIG": "1"}
    os.dup2(1, 2)  # from here on the log, not the pipe on which a failing start is explained
    serve(settings, sys.argv[1:])


if __name__ == "__main__":
    main()
