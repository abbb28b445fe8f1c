"""The kinds of event there are: `noun.happened`. A kind that is not listed cannot be written."""

from __future__ import annotations

from enum import StrEnum


class EventKind(StrEnum):
    """What happened. The comment after each says when it is written."""

    SITE_STARTED = "site.started"  # the service came up; its unsafe settings are named
    PERSON_APPOINTED = "person.appointed"  # a person got an account, an organisation and roles
    RESPONSIBLE_APPOINTED = "responsible.appointed"  # someone answers for a department's data from now or a later day
    RESPONSIBLE_ENDED = "responsible.ended"  # that came to its end before its day
    TRAINING_RECORDED = "training.recorded"  # until when a person is trained and bound to confidentiality was entered
    PERSON_SIGNED_IN = "person.signed_in"  # someone came in by two factors; with their organisation's licences
    PERSON_SIGNED_OUT = "person.signed_out"  # everything a person had open was ended
    SIGN_IN_ENROLLED = "sign_in.enrolled"  # a person set their password and authenticator
    SIGN_IN_CHANGED = "sign_in.changed"  # a person replaced their password, authenticator or recovery codes
    SIGN_IN_RESET = "sign_in.reset"  # the bureau voided how a person signed in
    SIGN_IN_HANDED_OVER = "sign_in.handed_over"  # the bureau issued a first password
    ORGANISATION_FOUNDED = "organisation.founded"  # the bureau entered an organisation
    ORGANISATION_MOVED = "organisation.moved"  # it was admitted, merged or dissolved
    CHANGE_PROPOSED = "change.proposed"  # an officer proposed a change of an account that takes two
    CHANGE_DECIDED = "change.decided"  # another officer confirmed or declined it
    ROLES_CHANGED = "roles.changed"  # the roles of a person, before and after
    INTERESTS_DECLARED = "interests.declared"  # in which organisations a person declared an interest, before and after
    PERSON_CLOSED = "person.closed"  # an account was closed for good
    OFFICER_RECOVERED = "officer.recovered"  # the server's administrator let an officer back in, for some days
    ACTION_REFUSED = "action.refused"  # someone asked and was refused; the reason codes say why
    FILE_RECEIVED = "file.received"  # a department's file arrived in the raw zone
    TABLE_REGISTERED = "table.registered"  # a steward described a table
    TABLE_PUBLISHED = "table.published"  # the bureau put it into the catalog
    TABLE_BARRED = "table.barred"  # a table was marked as concerning state secrets; all use of it stops
    SCENARIO_FILED = "scenario.filed"  # an operator filed a scenario
    OPINION_GIVEN = "opinion.given"  # a body signed its opinion on a scenario
    SCENARIO_DECIDED = "scenario.decided"  # the bureau approved or refused it
    LICENCE_DRAFTED = "licence.drafted"  # a version of an agreement was written; earlier decisions on it count no more
    LICENCE_DELIBERATED = "licence.deliberated"  # the collective decision on one version was entered
    LICENCE_SIGNED = "licence.signed"  # one side signed the digest of one version
    LICENCE_FILED = "licence.filed"  # number and day of the filing were entered
    LICENCE_GRANTED = "licence.granted"  # the bureau put a filed licence into force
    LICENCE_SUSPENDED = "licence.suspended"  # the bureau stopped it
    LICENCE_RESUMED = "licence.resumed"  # the bureau let it go on
    PERSONNEL_PROPOSED = "personnel.proposed"  # the operator wants a person on a licence's personnel list
    PERSONNEL_DECIDED = "personnel.decided"  # the bureau acknowledged or declined that person
    PERSONNEL_REMOVED = "personnel.removed"  # a person was taken off a licence's personnel list
    LICENCE_TERMINATED = "licence.terminated"  # the bureau ended it for good
    CONSENT_REQUESTED = "consent.requested"  # the department that shared a table was asked for its consent
    CONSENT_DECIDED = "consent.decided"  # it gave or refused it
    CONSENT_WITHDRAWN = "consent.withdrawn"  # it took it back; what depends on it stops
    EXTRACT_REQUESTED = "extract.requested"  # an operator asked for one rung of one table
    EXTRACT_DECIDED = "extract.decided"  # a seat, or the licence itself by rule, decided on it, or it was taken back
    EXTRACT_BEGUN = "extract.begun"  # the centre, or the platform by rule, began to build it
    EXTRACT_ISSUED = "extract.issued"  # an extract met its target and was kept
    EXTRACT_REFUSED = "extract.refused"  # the target was not met or the source could not be read; nothing was written
    EXTRACT_REVOKED = "extract.revoked"  # the data's department took an issued extract out of use
    BUDGET_GRANTED = "budget.granted"  # the bureau granted a privacy budget on a table under a licence
    BUDGET_SPENT = "budget.spent"  # an analyst asked for noisy statistics; written before noise is drawn
    NOISY_ANSWERED = "noisy.answered"  # they were answered; the files are named by digest, no figure is
    NOISY_REFUSED = "noisy.refused"  # they were not; where noise may have been drawn, the price stays spent
    NOISY_MOUNTED = "noisy.mounted"  # the results of an answer were bound into a workspace, read-only
    WORKSPACE_OPENED = "workspace.opened"  # an analyst's workspace was allowed to start
    EXTRACT_MOUNTED = "extract.mounted"  # an extract was bound into a workspace, read-only
    KERNEL_STARTED = "kernel.started"  # a kernel of an open workspace was allowed to start, or to start again
    RUNG_CHOSEN = "rung.chosen"  # an analyst chose how high a rung of a table they work on
    WORKSPACE_CLOSED = "workspace.closed"  # the workspace stopped
    RUN_REQUESTED = "run.requested"  # an analyst asked for a sealed run of a frozen notebook
    RUN_DECIDED = "run.decided"  # a compliance reviewer decided on its code
    RUN_WITHDRAWN = "run.withdrawn"  # the analyst took it back before it began
    RUN_STARTED = "run.started"  # the centre started it; notebook, environment and extracts are named by digest
    RUN_ENDED = "run.ended"  # it ended with an export request, or with the reason why there is none
    EXPORT_SUBMITTED = "export.submitted"  # bytes were frozen by digest
    EXPORT_CHECKED = "export.checked"  # the machine checks ran on the frozen bytes
    EXPORT_LOOKED_AT = "export.looked_at"  # someone was shown the frozen contents; once a person and day
    EXPORT_WITHDRAWN = "export.withdrawn"  # the author took the request back
    VOTE_CAST = "vote.cast"  # a reviewer voted on a digest
    EXPORT_APPROVED = "export.approved"  # the votes that the licence asks for are there
    EXPORT_REFUSED = "export.refused"  # a reviewer objected
    EXPORT_EXPIRED = "export.expired"  # an approved request was not released in time
    RELEASE_DELIVERED = "release.delivered"  # the release officer delivered; written before any byte is
    GRANT_ISSUED = "grant.issued"  # a named person may download once
    GRANT_REDEEMED = "grant.redeemed"  # the grant was used; written before the first byte
    PRODUCT_PROPOSED = "product.proposed"  # the operator entered a released request as a product
    REGISTRATION_APPLIED = "registration.applied"  # the operator applied for a product's registration
    REGISTRATION_DECIDED = "registration.decided"  # the bureau entered how the registration goes on
    AMENDMENT_APPLIED = "amendment.applied"  # the operator applied for a change, correction, renewal or cancellation
    AMENDMENT_DECIDED = "amendment.decided"  # the bureau entered how a later registration goes on
    OBJECTION_RAISED = "objection.raised"  # someone objected, by real name and with evidence, in the public notice
    OBJECTION_DECIDED = "objection.decided"  # the bureau upheld or dismissed an objection
    REGISTRATION_RENEWED = "registration.renewed"  # the bureau renewed a registration before it ended
    PRICE_CAPPED = "price.capped"  # the bureau entered the highest price of a unit
    PRICE_SET = "price.set"  # the operator set a price
    INCOME_PERMITTED = "income.permitted"  # the bureau entered the maximum permitted income of a licence in a year
    ACCOUNT_ENTERED = "account.entered"  # the operator entered what a licence brought and cost in a year
    PAPER_PUBLISHED = "paper.published"  # a yearly disclosure or operating report was published as it is kept
    USAGE_METERED = "usage.metered"  # the operator entered how much of a product was used
    CLOSING_BEGUN = "closing.begun"  # nothing of an ended licence can be mounted or submitted any more
    GRANT_REVOKED = "grant.revoked"  # an unused download grant ended with its licence
    EVIDENCE_DISCARDED = "evidence.discarded"  # a released package was deleted after its time of keeping
    LICENCE_CLOSED = "licence.closed"  # what an ended licence left behind is destroyed; the certificate is signed


DECIDED_BY_RULES = frozenset(
    {
        EventKind.SCENARIO_DECIDED,
        EventKind.LICENCE_DRAFTED,
        EventKind.LICENCE_GRANTED,
        EventKind.CONSENT_DECIDED,
        EventKind.EXTRACT_REQUESTED,
        EventKind.EXTRACT_DECIDED,
        EventKind.EXTRACT_BEGUN,
        EventKind.EXTRACT_ISSUED,
        EventKind.VOTE_CAST,
        EventKind.EXPORT_APPROVED,
        EventKind.EXPORT_REFUSED,
        EventKind.EXPORT_EXPIRED,
        EventKind.RELEASE_DELIVERED,
        EventKind.GRANT_ISSUED,
        EventKind.REGISTRATION_APPLIED,
        EventKind.REGISTRATION_DECIDED,
        EventKind.REGISTRATION_RENEWED,
        EventKind.AMENDMENT_APPLIED,
        EventKind.AMENDMENT_DECIDED,
        EventKind.OBJECTION_RAISED,
        EventKind.OBJECTION_DECIDED,
        EventKind.PRICE_CAPPED,
        EventKind.PRICE_SET,
        EventKind.INCOME_PERMITTED,
        EventKind.ACCOUNT_ENTERED,
        EventKind.PAPER_PUBLISHED,
        EventKind.EVIDENCE_DISCARDED,
        EventKind.LICENCE_CLOSED,
    }
)
"""Decisions that thresholds had a part in: their events name the version of the rule pack (`details.rules`)."""
