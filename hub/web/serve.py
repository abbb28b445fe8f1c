"""Serve the portal as a managed service of the hub: `python -m hub.web.serve`.

One worker process, because sessions and half-finished logins live in its memory. Address and prefix come from the hub
(`JUPYTERHUB_SERVICE_URL`, `JUPYTERHUB_SERVICE_PREFIX`); everything else from the settings.
"""

from __future__ import annotations

import os
import sys
import tempfile
from urllib.parse import urlsplit

import uvicorn

from hub.context import open_hub
from hub.rulebook.start import require_rulebook
from hub.web.app import create_app
from hub.web.login import HubLogin

DEFAULT_PREFIX = "/services/portal/"


def main() -> int:
    """Serve until told to stop."""
    hub = open_hub()
    require_rulebook(hub.clock())
    # Uploads that do not fit into memory must lie in the hub's own folder, not in /tmp where others look.
    uploads = hub.folders.raw / ".uploads"
    uploads.mkdir(mode=0o700, exist_ok=True)
    tempfile.tempdir = str(uploads)
    address = urlsplit(os.environ.get("JUPYTERHUB_SERVICE_URL", ""))
    app = create_app(hub, HubLogin(), prefix=os.environ.get("JUPYTERHUB_SERVICE_PREFIX", DEFAULT_PREFIX))
    uvicorn.run(
        app,
        host=address.hostname or "127.0.0.1",
        port=address.port or hub.settings.portal_port,
        workers=1,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
