"""May a workspace be opened, and if not, why. The licence's own rules are in `hub.licensing.rules`.

Rules here: `workspace.organisation` (only people of the licensed operator), `workspace.no_extract` (nothing to work
on), `extract.changed` (an extract's bytes are not those that were issued), `extract.stale` (an extract was made from
another source or by another policy than the licence and catalog name now), `workspace.level` (a rung that this
licence does not let into a workspace), `workspace.owner` (another person's).

`workspace.destroyed` (the licence was closed) is asked wherever a workspace is used; `workspace.closed` before a kernel
starts in one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hub.errors import Refusal
from hub.licensing.model import ExtractLevel
from hub.message import msg
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_to_act
from hub.workspaces.model import WorkspaceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Digests of an extract's file, of the source it was made from and of the policy it was made by."""

    digest: str
    source: str
    policy: str


def refusals_to_open(
    *, actor: Actor, licence_id: str, operator_org: str, extracts: int, developers: Collection[str] = ()
) -> tuple[Refusal, ...]:
    """Everything against this person opening a workspace under this licence.

    Args:
        developers: Development entities that the agreement names; their people work under it as the operator's do.
    """
    found = list(refusals_to_act(actor, Verb.OPEN_WORKSPACE))
    if actor.org_id != operator_org and actor.org_id not in developers:
        found.append(
            Refusal(
                rule="workspace.organisation",
                subject=licence_id,
                text=msg("Licence {licence} belongs to another institution.", licence=licence_id),
                next_step=msg(
                    "Only analysts of the operator, or of a development entity that the agreement names, can open one."
                ),
                basis="公共数据资源授权运营实施规范(试行) 第二十一条",
            )
        )
    if extracts == 0:
        found.append(
            Refusal(
                rule="workspace.no_extract",
                subject=licence_id,
                text=msg(
                    "No extract that may be opened in a workspace has been issued under licence {licence} yet.",
                    licence=licence_id,
                ),
                next_step=msg(
                    "Ask for the synthetic sample on the page of the licence; the platform builds it at once."
                ),
            )
        )
    return tuple(found)


def may_be_mounted(level: ExtractLevel, *, full_in_workspace: bool) -> bool:
    """Whether a rung may lie in a workspace at all; the full one only where the licence agreed on it."""
    return level is not ExtractLevel.FULL or full_in_workspace


def rung_to_mount(
    issued: Collection[ExtractLevel], *, full_in_workspace: bool, chosen: ExtractLevel | None
) -> ExtractLevel | None:
    """The best rung there is for a workspace, no higher than the analyst chose; None: there is none."""
    for level in reversed(ExtractLevel):
        wanted = chosen is None or list(ExtractLevel).index(level) <= list(ExtractLevel).index(chosen)
        if level in issued and wanted and may_be_mounted(level, full_in_workspace=full_in_workspace):
            return level
    return None


def refusals_to_choose(
    *, actor: Actor, workspace_id: str, owner_id: str, level: ExtractLevel, full_in_workspace: bool
) -> tuple[Refusal, ...]:
    """Everything against this person choosing this rung for a table of the workspace's licence."""
    found = list(refusals_to_act(actor, Verb.OPEN_WORKSPACE))
    if actor.person_id != owner_id:
        found.append(
            Refusal(
                rule="workspace.owner",
                subject=workspace_id,
                text=msg("Workspace {workspace} is another person's.", workspace=workspace_id),
                next_step=msg("Choose in your own workspace."),
            )
        )
    if not may_be_mounted(level, full_in_workspace=full_in_workspace):
        found.append(
            Refusal(
                rule="workspace.level",
                subject=workspace_id,
                text=msg("This licence keeps the full extract out of workspaces."),
                next_step=msg("Write the code on a lower rung, then ask for a sealed run; the names are the same."),
                basis="公共数据资源授权运营实施规范(试行) 第二十一条",
            )
        )
    return tuple(found)


def refusals_of_destroyed(workspace_id: str, status: WorkspaceStatus) -> tuple[Refusal, ...]:
    """Everything against using a workspace that was destroyed with its licence."""
    if status is not WorkspaceStatus.DESTROYED:
        return ()
    return (
        Refusal(
            rule="workspace.destroyed",
            subject=workspace_id,
            text=msg("Workspace {workspace} was destroyed when its licence was closed.", workspace=workspace_id),
            next_step=msg("Nothing can be opened or taken from it; work goes on under another licence."),
            basis="公共数据资源授权运营实施规范(试行) 第十四条",
        ),
    )


def refusals_of_closed(workspace_id: str, status: WorkspaceStatus) -> tuple[Refusal, ...]:
    """Everything against a kernel starting in a workspace that does not run."""
    if status is WorkspaceStatus.OPEN:
        return ()
    return (
        Refusal(
            rule="workspace.closed",
            subject=workspace_id,
            text=msg("Workspace {workspace} is not open.", workspace=workspace_id),
            next_step=msg("Open it from the portal."),
            basis="公共数据资源授权运营实施规范(试行) 第二十一条",
        ),
    )


def refusals_to_mount(*, extract_id: str, issued: Origin, found: Origin) -> tuple[Refusal, ...]:
    """Everything against binding this extract's file into a workspace: as it was issued, and as it is found now."""
    refusals = []
    if found.digest != issued.digest:
        refusals.append(
            Refusal(
                rule="extract.changed",
                subject=extract_id,
                text=msg("The file of extract {extract} is not the one that was issued.", extract=extract_id),
                next_step=msg(
                    "Tell the operations centre: the extract must be built anew and the case be looked into."
                ),
            )
        )
    if (found.source, found.policy) != (issued.source, issued.policy):
        refusals.append(
            Refusal(
                rule="extract.stale",
                subject=extract_id,
                text=msg(
                    "Extract {extract} was made of another source or by another policy than catalog and licence name.",
                    extract=extract_id,
                ),
                next_step=msg("Ask the operations centre to build it anew."),
                basis="公共数据资源授权运营实施规范(试行) 第二十一条",
            )
        )
    return tuple(refusals)
