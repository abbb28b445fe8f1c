"""The seven steps of the walk, in the order in which data goes through them, and the rooms beside it."""

from __future__ import annotations

from dataclasses import dataclass

from hub.message import Message, msg
from hub.people.rules import Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One room of the house as the reader sees it. `path` is relative to the portal's prefix."""

    key: str
    title: Message
    hint: Message
    path: str
    verb: Verb | None = None
    """What whoever enters must be able to do; None: everybody may enter."""


STEPS = (
    Step(
        key="catalog",
        title=msg("Data catalog"),
        hint=msg("Departments register and grade their tables"),
        path="catalog",
    ),
    Step(
        key="licensing",
        title=msg("Scenarios and licences"),
        hint=msg("One scenario, one application, one licence"),
        path="licences",
    ),
    Step(
        key="extracts",
        title=msg("Extracts"),
        hint=msg("De-identified under the licence's policy"),
        path="extracts",
    ),
    Step(
        key="workspaces",
        title=msg("Workspaces"),
        hint=msg("Isolated notebooks, no network"),
        path="workspaces",
    ),
    Step(
        key="gate",
        title=msg("Export requests"),
        hint=msg("Frozen, machine-checked, reviewed by people"),
        path="requests",
    ),
    Step(
        key="products",
        title=msg("Release and products"),
        hint=msg("Delivered once, verified anywhere"),
        path="products",
    ),
    Step(
        key="ledger",
        title=msg("Evidence"),
        hint=msg("Every step, never changed"),
        path="ledger",
        verb=Verb.READ_LEDGER,
    ),
)

BESIDE = (
    Step(
        key="runs",
        title=msg("Sealed runs"),
        hint=msg("Reviewed code on the full extract"),
        path="runs",
    ),
    Step(
        key="noisy",
        title=msg("Noisy statistics"),
        hint=msg("Figures under differential privacy, out of a budget"),
        path="noisy",
    ),
    Step(
        key="sharing",
        title=msg("Consents"),
        hint=msg("Asked of the departments that shared the data"),
        path="consents",
    ),
    Step(
        key="register",
        title=msg("Product register"),
        hint=msg("Registration, price, use, disclosure"),
        path="register",
    ),
    Step(
        key="closing",
        title=msg("End of a licence"),
        hint=msg("Sealed, destroyed, certified"),
        path="closing",
    ),
    Step(
        key="rulebook",
        title=msg("Rulebook"),
        hint=msg("Thresholds and legal bases in force"),
        path="rulebook",
    ),
    Step(
        key="people",
        title=msg("People and posts"),
        hint=msg("Who answers for what, who may do what"),
        path="people",
    ),
)
"""Rooms that no data passes through; below the steps, without a number."""
