"""Jupyter's server for one analyst, with every way out that the sandbox does not want taken away.

Two front doors: JupyterHub's OAuth when the hub started us, a token otherwise. Everything else is the same.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.serverapp import ServerApp
from jupyterhub.singleuser.extension import JupyterHubSingleUser
from tornado.web import RequestHandler
from traitlets import Int, Unicode
from traitlets.config import Config

from sandbox.server.meter import Meter
from sandbox.server.paths import is_allowed
from sandbox.server.permission import KernelRefused
from sandbox.server.policy import (
    LAB,
    SERVICES,
    content_security_policy,
    inline_script_hashes,
    write_lab_settings,
)
from sandbox.server.quiet import answer_to
from sandbox.server.words import Language, say

HOME = "/home/analyst"
RUNTIME = Path("/tmp/jupyter")  # noqa: S108 - the box's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the supervisor hands to box A."""

    listen_fd: int
    agent_fd: int
    ready_fd: int
    language: Language
    hub: bool
    budget_bytes: int
    memory_bytes: int
    permission_socket: str
    """Who is asked before a kernel starts; empty: nobody."""


class RefusedHandler(RequestHandler):
    """Answers whatever is not on the path list, whoever asks."""

    def prepare(self) -> None:
        language = self.settings["zhakou_language"]
        self.set_status(403)
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish({"message": say("path_refused", language), "reason": "zhakou.path_refused"})

    def check_xsrf_cookie(self) -> None:
        return  # nothing is done here


def say_why_no_kernel() -> None:
    """Upstream answers a kernel that does not start with an error of its own; let the words through instead."""
    upstream = APIHandler.write_error

    def write_error(self: Any, status_code: int, **kwargs: Any) -> None:
        error = (kwargs.get("exc_info") or (None, None))[1]
        while error is not None and not isinstance(error, KernelRefused):
            error = error.__cause__ or error.__context__
        if error is None:
            upstream(self, status_code, **kwargs)
            return
        self.set_status(403)
        self.set_header("Content-Type", "application/json")
        self.finish({"message": str(error), "reason": "zhakou.kernel_refused", "traceback": ""})

    APIHandler.write_error = write_error


class ConfinedServerApp(ServerApp):
    """ServerApp on a listening socket it was handed, answering only what the path list allows."""

    name = "zhakou-server"
    default_services = tuple(SERVICES)
    tornado_settings: dict[str, Any]
    listen_fd = Int(config=True)
    ready_fd = Int(config=True)
    budget_bytes = Int(config=True)
    memory_bytes = Int(config=True)
    language = Unicode(config=True)

    def init_webapp(self) -> None:
        meter = Meter(limit_bytes=self.budget_bytes)
        self.contents_manager.meter = meter
        self.tornado_settings = {
            **self.tornado_settings,
            "zhakou_meter": meter,
            "zhakou_language": self.language,
            "zhakou_memory_bytes": self.memory_bytes,
        }
        super().init_webapp()
        say_why_no_kernel()
        self._filter_paths()

    def _filter_paths(self) -> None:
        look_up = self.web_app.find_handler

        def find_handler(request: Any, **kwargs: Any) -> Any:
            allowed = is_allowed(method=request.method, path=request.path, query=request.query, base_url=self.base_url)
            if allowed:
                return look_up(request, **kwargs)
            quiet = answer_to(method=request.method, path=request.path, base_url=self.base_url)
            if quiet is not None:
                return self.web_app.get_handler_delegate(request, *quiet)
            return self.web_app.get_handler_delegate(request, RefusedHandler)

        self.web_app.find_handler = find_handler

    def _find_http_port(self) -> None:
        """There is no port: the host holds the socket."""

    def _bind_http_server(self) -> None:
        listener = socket.socket(fileno=self.listen_fd)
        if listener.family != socket.AF_UNIX:
            raise RuntimeError("the socket that was handed in is not a unix socket")
        listener.setblocking(False)
        self.http_server.add_socket(listener)
        os.write(self.ready_fd, b"r")
        os.close(self.ready_fd)


class ConfinedSingleUser(JupyterHubSingleUser):
    """JupyterHub's door in front of the same server."""

    serverapp_class = ConfinedServerApp
    load_other_extensions = True

    @classmethod
    def get_extension_package(cls) -> str:
        return "sandbox.server.hub_extension"


def configuration(settings: Settings) -> Config:
    """All of it, in one place."""
    home = Path(os.environ["HOME"])
    write_lab_settings(RUNTIME / "lab-settings", settings.language)
    page = (LAB / "static" / "index.html").read_text("utf-8")
    config = Config()

    app = config.ServerApp
    app.contents_manager_class = "sandbox.server.contents.BeneathContents"
    app.kernel_manager_class = "sandbox.server.kernels.BoxKernels"
    app.kernel_spec_manager_class = "sandbox.server.kernels.OneKernelSpec"
    app.kernel_websocket_connection_class = "sandbox.server.connection.MeteredConnection"
    app.root_dir = HOME
    app.jpserver_extensions = {"jupyterlab": True}
    app.reraise_server_extension_failures = True
    app.tornado_settings = {"headers": {"Content-Security-Policy": content_security_policy(inline_script_hashes(page))}}
    app.terminals_enabled = False
    app.quit_button = False
    app.open_browser = False
    app.allow_remote_access = True  # by name: only the proxy reaches the socket
    app.disable_check_xsrf = False
    app.log_level = "WARN"
    app.answer_yes = True
    app.cookie_secret = os.urandom(32)
    app.listen_fd = settings.listen_fd
    app.ready_fd = settings.ready_fd
    app.budget_bytes = settings.budget_bytes
    app.memory_bytes = settings.memory_bytes
    app.language = settings.language
    app.max_body_size = 16 * 2**20

    config.BeneathContents.language = settings.language
    config.BeneathContents.root_dir = HOME
    config.BoxKernels.agent_fd = settings.agent_fd
    config.BoxKernels.permission_socket = settings.permission_socket
    config.BoxKernels.language = settings.language
    config.OneKernelSpec.ensure_native_kernel = False

    lab = config.LabApp
    lab.app_dir = str(LAB)
    lab.app_settings_dir = str(RUNTIME / "lab-settings")
    lab.user_settings_dir = str(home / "lab" / "user-settings")
    lab.workspaces_dir = str(home / "lab" / "workspaces")
    lab.extension_manager = "readonly"
    lab.news_url = None
    lab.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
    lab.extra_labextensions_path = []
    lab.labextensions_path = []
    lab.custom_css = False
    lab.expose_app_in_browser = False
    if not settings.hub:
        config.IdentityProvider.token = os.environ.pop("ZHAKOU_TOKEN")
    return config


def serve(settings: Settings, argv: list[str]) -> None:
    """Serve until told to stop."""
    config = configuration(settings)
    if settings.hub:
        del config.ServerApp.jpserver_extensions
        ConfinedSingleUser.serverapp_config = {"jpserver_extensions": {"jupyterlab": True}}
        server = ConfinedSingleUser.initialize_server(argv=argv, config=config)
    else:
        server = ConfinedServerApp.instance(config=config)
        server.initialize(argv=argv, find_extensions=False)
    server.start()
