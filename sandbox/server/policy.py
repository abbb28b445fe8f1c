"""Settings of the server that decide what may leave, and the policy the browser is told to keep.

Each line answers one finding; nothing here is a preference. The interface's switches (`DISABLED_EXTENSIONS`) only spare
people a refusal: what holds is the path list and the contents of this box.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

LAB = Path("/opt/jupyter/lab")

SERVICES = (
    "api auth contents events kernels kernelspecs sessions shutdown".split()  # noqa: SIM905
)
"""Without files, nbconvert, view, config, metrics and security. `events` and `shutdown` stay behind the path list."""

DISABLED_EXTENSIONS = (
    "@jupyterlab/docmanager-extension:download",
    "@jupyterlab/filebrowser-extension:download",
    "@jupyterlab/filebrowser-extension:open-browser-tab",
    "@jupyterlab/filebrowser-extension:share-file",
    "@jupyterlab/notebook-extension:export",
    "@jupyterlab/notebook-extension:copy-output",
    "@jupyterlab/notebook-extension:log-output",
    "@jupyterlab/terminal-extension",
    "@jupyterlab/extensionmanager-extension",
    "@jupyterlab/apputils-extension:announcements",
    "@jupyterlab/apputils-extension:licenses-plugin",
    "@jupyterlab/debugger-extension",
    "@jupyterlab/lsp-extension",
    "@jupyterlab/fileeditor-extension:language-server",
    "@jupyterlab/notebook-extension:language-server",
    "@jupyterlab/htmlviewer-extension",
    "@jupyterlab/pdf-extension",
    "@jupyterlab/javascript-extension",
)

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def inline_script_hashes(page: str) -> list[str]:
    """The CSP sources of Lab's own inline snippets: those of its page template, and no other script."""
    digests = (hashlib.sha256(script.encode("utf-8")).digest() for script in _INLINE.findall(page))
    return [f"'sha256-{base64.b64encode(digest).decode('ascii')}'" for digest in digests]


def content_security_policy(hashes: list[str]) -> str:
    """What the browser may load and run. Lab needs 'unsafe-eval'; nothing inline but its own snippet may run.

    Source: W3C Content Security Policy Level 3. Not covered by it: WebRTC, top-level navigation.
    """
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'unsafe-eval' {' '.join(hashes)}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-src 'none'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def write_lab_settings(folder: Path, language: str) -> None:
    """Lab's application settings for this session: language and no calls home. Users' own settings lie elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    overrides = {
        "@jupyterlab/translation-extension:plugin": {"locale": "zh_CN" if language == "zh" else "default"},
        "@jupyterlab/apputils-extension:notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
        },
        "@jupyterlab/docmanager-extension:plugin": {"autosaveInterval": 30, "renameUntitledFileOnSave": False},
    }
    (folder / "overrides.json").write_text(json.dumps(overrides), "utf-8")
    disabled = {name: True for name in DISABLED_EXTENSIONS}
    (folder / "page_config.json").write_text(json.dumps({"disabledExtensions": disabled}), "utf-8")
