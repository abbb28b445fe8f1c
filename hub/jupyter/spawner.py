"""A workspace as JupyterHub sees it: a named server whose name is the licence it works under.

What must hold:
1. Nothing starts before the hub's rooms said yes: the licence is asked when the workspace opens, again when the
   extracts are mounted, directly before the boxes are built, and again before each kernel starts or starts again.
2. A refusal reaches the person in words, with its rule; never as a stack trace.
3. The server gets a token for itself alone, and reaches the hub through its own gateway alone.
4. However it ends (stopped, crashed, hub restarted), gateway and ledger learn of it: `workspace.closed`.
5. A workspace whose licence or person's access ended while it ran is stopped at the next look.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from jupyterhub.spawner import Spawner, SpawnException
from markupsafe import Markup
from traitlets import default

from hub.errors import HubError, NotAllowed, Refusal, Unavailable
from hub.jupyter.gateway import Caller, Gateway
from hub.jupyter.proxy import unix_address
from hub.jupyter.site import site
from hub.jupyter.words import both, refusals_as_html, refusals_as_text, sandbox_error_as_html
from hub.message import Message, msg
from hub.people import actions as people
from hub.people.model import Person
from hub.people.sign_in import has_ended
from hub.settings import PROJECT
from hub.web.language import LANGUAGE_COOKIE
from hub.workspaces import actions as rooms
from hub.workspaces.kernels import start_kernel
from sandbox.errors import Language, SandboxError
from sandbox.spec import HUB_SOCKET_DIR, Limits, ReadOnlyMount, WorkspaceSpec
from sandbox.uids import allot_uid
from sandbox.workspace import UNCONFIRMED, Workspace

SOCKET_NAME = "hub.sock"
NOTEBOOKS = PROJECT / "notebooks"
"""The walk-throughs that a new workspace begins with."""
HOME_FACTOR = 1
"""The home of a workspace may hold as much as its memory: notebooks, and one frame written out."""


class ZhakouSpawner(Spawner):
    """Starts, finds again and stops the split sandbox of one analyst under one licence."""

    # Only what the server needs to know who looks at it and to say that it is alive (3).
    server_token_scopes = ["users:activity!user", "access:servers!server"]  # noqa: RUF012 - a trait's value
    hub_connect_url = "http+unix://" + f"{HUB_SOCKET_DIR}/{SOCKET_NAME}".replace("/", "%2F")
    http_timeout = 60
    start_timeout = 120
    poll_interval = 20

    workspace: Workspace | None = None
    gateway: Gateway | None = None
    room_id: str = ""
    _starting: bool = False
    _end_reason: str = "crashed"
    _step: tuple[int, Message] = (0, Message(""))

    @default("env_keep")
    def _no_host_environment(self) -> list[str]:
        return []

    @default("post_stop_hook")
    def _tidy_at_the_end(self) -> Callable[[Spawner], Any]:
        return lambda _spawner: self._tidy()

    async def start(self) -> str:
        """Ask, mount, start; the address of the workspace's socket (1).

        Raises:
            SpawnException: the words of whoever refused (2).
        """
        self._starting, self._end_reason = True, "crashed"
        _ENDED.pop((self.user.name, self.name), None)
        try:
            return unix_address(await self._open_and_start())
        except HubError as error:
            raise SpawnException(
                refusals_as_text(error.refusals),
                reason=error.code,
                message_html=str(refusals_as_html(error.refusals)),
                status_code=error.http_status,
            ) from error
        except SandboxError as error:
            raise SpawnException(
                str(error), reason=error.code, message_html=str(sandbox_error_as_html(error)), status_code=503
            ) from error
        finally:
            self._starting = False

    async def _open_and_start(self) -> Path:
        hub = site()
        if not self.name:
            raise NotAllowed(_NO_LICENCE_NAMED)
        self._say(10, msg("Asking the licence…"))
        person = await asyncio.to_thread(people.account_of, hub, self.user.name)
        room = await asyncio.to_thread(rooms.open_workspace, hub, person.actor, licence_id=self.name)
        self.room_id = room.workspace_id
        self._say(30, msg("Comparing the extracts with their digests and mounting them…"))
        mounted = await asyncio.to_thread(rooms.mount_extracts, hub, person.actor, workspace_id=room.workspace_id)
        extracts = tuple(ReadOnlyMount(name=one.name, source=one.path, level=str(one.level)) for one in mounted)
        self.workspace = Workspace(self._spec(room.workspace_id, room.state_dir, extracts, person))
        self.workspace.prepare()
        self.workspace.offer_notebooks(sorted(NOTEBOOKS.glob("*.ipynb")))
        await self._open_gateway(self.workspace)
        self._say(50, msg("Building the two boxes without a network…"))
        socket = await self.workspace.start()
        self._say(90, msg("Ready; opening JupyterLab…"))
        return socket

    def _spec(
        self, workspace_id: str, state_dir: Path, extracts: tuple[ReadOnlyMount, ...], person: Person | None
    ) -> WorkspaceSpec:
        settings = site().settings
        uid: int | None = None
        if os.geteuid() == 0:
            uid = allot_uid(settings.state_dir / "uids", workspace_id, first=settings.workspace_uid_base)
        language = self._language()
        name = "" if person is None else (person.name_zh if language == "zh" else person.name_en)
        return WorkspaceSpec(
            workspace_id=workspace_id,
            state_dir=state_dir,
            uid=uid,
            gid=uid,
            extracts=extracts,
            limits=Limits(
                memory_bytes=settings.workspace_memory,
                processes=settings.workspace_processes,
                cpu_percent=settings.workspace_cpu_percent,
                file_bytes=settings.workspace_file,
                scratch_bytes=settings.workspace_scratch,
                home_bytes=settings.workspace_memory * HOME_FACTOR,
            ),
            unconfirmed_seconds=settings.workspace_unasked,
            server_env=self.get_env(),
            hub_socket=state_dir / "gateway" / SOCKET_NAME,
            language=language,
            display_name=name,
        )

    def _language(self) -> Language:
        asked = self.handler.get_cookie(LANGUAGE_COOKIE) if self.handler is not None else None
        chosen = asked or site().settings.language
        return "en" if chosen == "en" else "zh"

    async def _open_gateway(self, workspace: Workspace) -> None:
        self.gateway = Gateway(
            socket=workspace.gateway_dir / SOCKET_NAME,
            hub_address=f"http://127.0.0.1:{site().settings.hub_port}",
            caller=Caller(
                user=self.user.name, client_id=self.oauth_client_id, prefix=self.hub.base_url.rstrip("/") + "/api"
            ),
            against_kernel=self._against_kernel,
        )
        await self.gateway.open()

    async def _against_kernel(self) -> Sequence[Refusal]:
        """Everything that stands against a kernel starting now; nothing: it is written down that one does (1)."""
        try:
            person = await asyncio.to_thread(people.account_of, site(), self.user.name)
            await asyncio.to_thread(start_kernel, site(), person.actor, workspace_id=self.room_id)
        except HubError as error:
            return error.refusals
        return ()

    async def poll(self) -> int | None:
        """None while it runs. After a restart of the hub this is where the gateway is opened anew."""
        if self._starting:
            return None
        if self.workspace is None:
            return 0
        status = await self.workspace.poll()
        if status is None:
            return await self._look()
        if status == UNCONFIRMED:
            self._end_reason = "unasked"
            _remember(self, (_UNASKED,))
        return status

    async def _look(self) -> int | None:
        """Ask everything again for a workspace that runs; None if it goes on (5)."""
        if self.workspace is None:
            return 0
        if self.gateway is None:
            await self._open_gateway(self.workspace)
        try:
            against = await self._against_going_on()
        except Unavailable as error:
            self.log.warning("cannot ask whether %s may go on: %s", self._log_name, error.code)
            return None  # 6
        if not against:
            self.workspace.confirm()
            return None
        self.log.warning("stopping %s: %s", self._log_name, refusals_as_text(against))
        self._end_reason = "licence"
        _remember(self, against)
        await self.workspace.stop()
        return 0

    async def _against_going_on(self) -> Sequence[Refusal]:
        """Everything against the person opening this workspace now; and that they were signed out since it was."""
        try:
            person = await asyncio.to_thread(people.account_of, site(), self.user.name)
            opened = await asyncio.to_thread(rooms.opened_at, site(), self.room_id)
            if opened is not None:
                ended = await asyncio.to_thread(has_ended, site(), self.user.name, opened_at=opened)
                if ended:
                    return await asyncio.to_thread(people.lapses_of, site(), person.actor) or (_SIGNED_OUT,)
            return await asyncio.to_thread(rooms.open_refusals, site(), person.actor, self.name)
        except Unavailable:
            raise
        except HubError as error:
            return error.refusals

    async def stop(self, now: bool = False) -> None:
        """End both boxes."""
        self._end_reason = "stopped"
        if self.workspace is not None:
            await self.workspace.stop()

    async def _tidy(self) -> None:
        """Whatever happened, leave nothing open and let the ledger know (4)."""
        gateway, self.gateway = self.gateway, None
        workspace, self.workspace = self.workspace, None
        room_id, self.room_id = self.room_id, ""
        if workspace is not None:
            await workspace.stop()
        if gateway is not None:
            await gateway.close()
        if room_id:
            await asyncio.to_thread(rooms.close_workspace, site(), workspace_id=room_id, reason=self._end_reason)

    def get_state(self) -> dict[str, Any]:
        """What finds a running workspace again after a restart of the hub; no secret."""
        state: dict[str, Any] = super().get_state()
        if self.room_id:
            state["workspace_id"] = self.room_id
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        workspace_id = state.get("workspace_id", "")
        if workspace_id:
            self.room_id = workspace_id
            folder = rooms.workspace_dir(site(), workspace_id)
            self.workspace = Workspace(self._spec(workspace_id, folder, (), None))

    def clear_state(self) -> None:
        super().clear_state()
        self.room_id = ""

    def _say(self, percent: int, message: Message) -> None:
        self._step = (percent, message)

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """What is being done, in words, as it happens."""
        said = 0
        while self._starting:
            percent, message = self._step
            if percent > said:
                said = percent
                yield {"progress": percent, "message": str(message), "html_message": str(both(message))}
            await asyncio.sleep(0.1)


_ENDED: dict[tuple[str, str], Markup] = {}
"""Why a workspace was ended, by person and licence, until it is started again or the hub is."""


def _remember(spawner: ZhakouSpawner, refusals: Sequence[Refusal]) -> None:
    _ENDED[spawner.user.name, spawner.name] = refusals_as_html(refusals)


def why_ended(person_id: str, licence_id: str) -> Markup:
    """For the page of a workspace that does not run: why it was ended, in both languages; empty if it was not."""
    return _ENDED.get((person_id, licence_id), Markup(""))


_SIGNED_OUT = Refusal(
    rule="workspace.signed_out",
    subject="",
    text=msg("The person was signed out everywhere, and the workspace was ended with it."),
    next_step=msg("Sign in and start it again. Notebooks and the outbox are kept."),
)
_UNASKED = Refusal(
    rule="workspace.unasked",
    subject="",
    text=msg("The hub could not ask for too long whether the licence still holds; the workspace was ended."),
    next_step=msg("Start it again: the licence is asked then. Notebooks and the outbox are kept."),
)


def against_starting(user_name: str, licence_id: str) -> str:
    """What stands against a person's workspace starting now, for the hub's own list of workspaces; or nothing."""
    try:
        person = people.find_person(site(), user_name)
        refusals = rooms.open_refusals(site(), person.actor, licence_id)
    except HubError as error:
        refusals = error.refusals
    return str(refusals_as_html(refusals))


_NO_LICENCE_NAMED = Refusal(
    rule="workspace.no_licence",
    subject="",
    text=msg("A workspace belongs to a licence; none was named."),
    next_step=msg("Open it from the page of the licence in the portal."),
)
