"""May a sealed run be asked for, approved, started or taken back, and if not, why.

The notebook itself is judged in `hub.runs.notebook`, the licence in `hub.licensing.rules`, at every step.

Rules here: `run.author` (only the analyst whose workspace it is), `run.incomplete`, `run.outputs` (the files are
named before the run, so that a name can carry nothing out), `run.no_full` (no full extract to run on), `run.rate`
(how a run ends tells its analyst something; so many a week), `run.waiting` (so many wait for their review at once),
`run.own` (nobody of the applicant's institution decides or runs), `run.builder` (who built an extract or runs the
code does not review it), `run.reviewer` (who reviewed does not run), `run.digest`, `run.reason_missing`,
`run.status`, `run.changed` (the frozen notebook is not the one that was reviewed).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hub.errors import Refusal
from hub.message import Message, msg
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_of_interest, refusals_to_act
from hub.runs.model import RUN_MOVES, RunStatus

MIN_REASON = 10
MOST_OUTPUTS = 20
BASIS = "公共数据资源授权运营实施规范(试行) 第二十一条"
KEY_BASIS = "DOMAIN §0.7, 上海市数据条例 第七十八条"
_OUTPUT = re.compile(r"[^\W_][\w-]{0,80}\.(csv|json|png|txt|md)")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What of a sealed run decides who may do what with it."""

    id: str
    status: RunStatus
    digest: str
    author_id: str
    author_org: str
    operator_org: str
    builders: frozenset[str]
    """Who built the extracts of its licence."""
    reviewers: frozenset[str] = frozenset()


def refusals_to_request(
    *,
    actor: Actor,
    owner_id: str,
    workspace_id: str,
    title: str,
    purpose: str,
    outputs: Sequence[str],
    full_extracts: int,
) -> tuple[Refusal, ...]:
    """Everything against this person asking for a sealed run from this workspace."""
    found = list(refusals_to_act(actor, Verb.REQUEST_RUN))
    if actor.person_id != owner_id:
        found.append(
            _refusal(
                "run.author",
                workspace_id,
                msg("Only the analyst whose workspace it is can ask for a run of its notebooks."),
                msg("Ask from your own workspace."),
                BASIS,
            )
        )
    if not title.strip() or len(purpose.strip()) < MIN_REASON:
        found.append(
            _refusal(
                "run.incomplete",
                workspace_id,
                msg("A sealed run needs a title and a purpose of at least {count} characters.", count=MIN_REASON),
                msg("Say what comes of it, for whom, and why it is safe to leave."),
                BASIS,
            )
        )
    plain = all(_OUTPUT.fullmatch(name) for name in outputs)
    if not plain or not 1 <= len(outputs) <= MOST_OUTPUTS or len(set(outputs)) != len(outputs):
        found.append(
            _refusal(
                "run.outputs",
                workspace_id,
                msg("The run names 1 to {count} files it puts into the outbox, each once.", count=MOST_OUTPUTS),
                msg("Write names like demand.csv: letters, digits, - and _, with .csv, .json, .png, .txt or .md."),
                BASIS,
            )
        )
    found.extend(refusals_without_full(workspace_id, full_extracts))
    return tuple(found)


def refusals_without_full(subject: str, full_extracts: int) -> tuple[Refusal, ...]:
    """Everything against running where no full extract is in use."""
    if full_extracts:
        return ()
    return (
        _refusal(
            "run.no_full",
            subject,
            msg("No full extract is in use under this licence."),
            msg("Ask for the full rung on the ladder of the licence first."),
            BASIS,
        ),
    )


def refusals_of_rate(subject: str, *, started: int, most: int) -> tuple[Refusal, ...]:
    """Everything against one more run of this licence in these seven days.

    How a run ends (its state, a cell's number, a class) is chosen by code that sees the data: some bits a run.
    """
    if started < most:
        return ()
    return (
        _refusal(
            "run.rate",
            subject,
            msg("{count} sealed runs were started under this licence within seven days; more are not.", count=started),
            msg("Wait until the first of them is a week old; try the code on a lower rung meanwhile."),
            "DOMAIN §6.6",
        ),
    )


def refusals_of_waiting(subject: str, *, waiting: int, most: int) -> tuple[Refusal, ...]:
    """Everything against one more run of this licence asking for its review: people read the code of each."""
    if waiting < most:
        return ()
    return (
        _refusal(
            "run.waiting",
            subject,
            msg(
                "{count} sealed runs of this licence wait for the review of their code; more are not taken.",
                count=waiting,
            ),
            msg("Wait for a decision, or take back a run that is not needed."),
            "DOMAIN §6.6",
        ),
    )


def refusals_to_decide(run: RunFacts, actor: Actor, *, digest: str, reason: str) -> tuple[Refusal, ...]:
    """Everything against this person deciding on the code of this run now.

    What must hold: (1) nobody of the applicant's institution or with an interest in it, (2) a compliance reviewer, (3)
    who built no extract of the licence, (4) while it is in review, (5) for exactly the bytes shown, (6) with a written
    reason.
    """
    found: list[Refusal] = []
    if actor.person_id == run.author_id or _sides_with_applicant(run, actor):  # (1), before the role
        found.append(_own(run))
    else:
        found.extend(refusals_of_interest(actor, run.operator_org))
    found.extend(refusals_to_act(actor, Verb.DECIDE_RUN))  # (2)
    if actor.person_id in run.builders:  # (3)
        found.append(
            _refusal(
                "run.builder",
                run.id,
                msg("Who built an extract of the licence does not review the code that runs on it."),
                msg("Another reviewer must decide."),
                KEY_BASIS,
            )
        )
    found.extend(_refusals_to_move(run, RunStatus.APPROVED))  # (4)
    if digest != run.digest:  # (5)
        found.append(
            _refusal(
                "run.digest",
                run.id,
                msg("Your decision is for another digest than the one under review."),
                msg("Load the page again and read the code once more."),
            )
        )
    if len(reason.strip()) < MIN_REASON:  # (6)
        found.append(
            _refusal(
                "run.reason_missing",
                run.id,
                msg("A decision needs a written reason of at least {count} characters.", count=MIN_REASON),
                msg("Write what of the code you looked at, and why it may run."),
                KEY_BASIS,
            )
        )
    return tuple(found)


def refusals_to_start(run: RunFacts, actor: Actor) -> tuple[Refusal, ...]:
    """Everything against this person starting this run. Licence, extracts and notebook are asked besides."""
    found = list(refusals_to_act(actor, Verb.START_RUN))
    if _sides_with_applicant(run, actor):
        found.append(_own(run))
    else:
        found.extend(refusals_of_interest(actor, run.operator_org))
    if actor.person_id in run.reviewers:
        found.append(
            _refusal(
                "run.reviewer",
                run.id,
                msg("Who reviewed the code does not run it."),
                msg("Another operator of the centre must start it."),
                KEY_BASIS,
            )
        )
    return (*found, *_refusals_to_move(run, RunStatus.RUNNING))


def refusals_to_withdraw(run: RunFacts, actor: Actor) -> tuple[Refusal, ...]:
    """Everything against the author taking the run back."""
    found = list(refusals_to_act(actor, Verb.REQUEST_RUN))
    if actor.person_id != run.author_id:
        found.append(
            _refusal(
                "run.author", run.id, msg("Only the author can take a sealed run back."), msg("Ask the author."), BASIS
            )
        )
    return (*found, *_refusals_to_move(run, RunStatus.WITHDRAWN))


def refusals_to_end(run: RunFacts) -> tuple[Refusal, ...]:
    """Everything against writing down how this run ended."""
    return _refusals_to_move(run, RunStatus.FAILED)


def refusals_of_notebook(run_id: str, *, reviewed: str, found: str) -> tuple[Refusal, ...]:
    """Everything against running these bytes for those that were reviewed; digests in hexadecimal."""
    if reviewed == found:
        return ()
    return (
        _refusal(
            "run.changed",
            run_id,
            msg("The notebook that is kept for run {run} is not the one that was reviewed.", run=run_id),
            msg("Nothing is run. Tell the auditor; the analyst asks for a new run."),
            KEY_BASIS,
        ),
    )


def _sides_with_applicant(run: RunFacts, actor: Actor) -> bool:
    return actor.sides_with(run.author_org) or actor.sides_with(run.operator_org)


def _own(run: RunFacts) -> Refusal:
    return _refusal(
        "run.own",
        run.id,
        msg("Nobody of the applicant's institution decides on a sealed run or starts it."),
        msg("A compliance reviewer of another institution reviews the code, the operations centre runs it."),
        KEY_BASIS,
    )


def _refusals_to_move(run: RunFacts, to: RunStatus) -> tuple[Refusal, ...]:
    if to in RUN_MOVES[run.status]:
        return ()
    return (
        _refusal(
            "run.status",
            run.id,
            msg("Sealed run {run} is {status}.", run=run.id, status=run.status),
            msg("This step belongs to another state; a run that has ended can be asked for anew."),
        ),
    )


def _refusal(rule: str, subject: str, text: Message, next_step: Message, basis: str = "") -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=basis)
