"""Let a kernel start in an open workspace: the licence is asked again, at the time of asking."""

from __future__ import annotations

from hub.context import Hub
from hub.errors import NotAllowed, NotFound, unknown
from hub.extracts.rules import refusals_to_use_extract
from hub.ledger.events import EventKind
from hub.licensing.actions import licence_to_work
from hub.people.actor import Actor
from hub.workspaces.actions import lying_in
from hub.workspaces.model import Workspace
from hub.workspaces.rules import refusals_of_closed, refusals_to_open

VERB = "start_kernel"


def start_kernel(hub: Hub, actor: Actor, *, workspace_id: str) -> None:
    """Write down that a kernel starts, or starts again, in the person's open workspace.

    Raises:
        NotFound: There is no such workspace, or it is another's.
        NotAllowed: The workspace is not open, or could not be opened now: licence, consent, training, account, role; or
            an extract that lies in it is out of use.
    """
    with hub.transaction(actor, VERB, workspace_id) as tx:
        workspace = tx.session.get(Workspace, workspace_id)
        if workspace is None or workspace.person_id != actor.person_id:
            raise NotFound(unknown(workspace_id))
        tx.refuse(refusals_of_closed(workspace_id, workspace.status), NotAllowed)
        licence = licence_to_work(tx.session, workspace.licence_id, actor, tx.now)
        tx.refuse(
            refusals_to_open(
                actor=actor,
                licence_id=licence.id,
                operator_org=licence.operator_org,
                developers=licence.developers,
                extracts=1,
            ),
            NotAllowed,
        )
        for one in lying_in(tx.session, workspace):
            tx.refuse(
                refusals_to_use_extract(extract_id=one.id, status=one.status, expires_at=one.expires_at, now=tx.now),
                NotAllowed,
            )
        tx.record(EventKind.KERNEL_STARTED, "workspace", workspace_id, licence_id=licence.id)
