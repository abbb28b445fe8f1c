"""The actors of the demonstration district (DOMAIN.md §6.2, §6.4)."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from hub.context import Hub, open_hub
from hub.demo.people import account_lines, accounts_by_organisation, appoint_everyone
from hub.people.actor import OrgKind, Post
from hub.people.appointments import posts_filled
from hub.people.model import Organisation, Person
from hub.people.rules import refusals_of_lapse
from tests import factories

TEN = frozenset({"mz", "rs", "sj", "ga", "wj", "rx", "fg", "jy", "cg", "fr"})


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    hub = open_hub(factories.empty(tmp_path_factory.mktemp("people") / "s"), clock=factories.Watch())
    appoint_everyone(hub)
    return hub


def test_each_of_the_departments_has_its_three_responsible_people(hub: Hub) -> None:
    with hub.reading() as session:
        departments = set(session.scalars(select(Organisation.id).where(Organisation.kind == OrgKind.DEPARTMENT)).all())
        assert departments >= TEN
        for department in sorted(departments):
            assert set(posts_filled(session, department, hub.clock())) == set(Post), department


def test_training_has_lapsed_for_one_account_alone(hub: Hub) -> None:
    with hub.reading() as session:
        people = session.scalars(select(Person)).all()
        lapsed = [
            one.id
            for one in people
            if refusals_of_lapse(
                person_id=one.id,
                trained_until=one.trained_until,
                confidentiality_until=one.confidentiality_until,
                now=hub.clock(),
            )
        ]
    assert lapsed == ["centre-reviewer-2"]


def test_every_account_is_listed_once_under_its_organisation(hub: Hub) -> None:
    listed = [account.id for _, _, accounts in accounts_by_organisation() for account in accounts]
    with hub.reading() as session:
        assert sorted(listed) == sorted(session.scalars(select(Person.id)))
    said = " ".join(account_lines(lambda text: text, hub.settings.state_dir)).split()
    assert [account for account in listed if said.count(account) != 1] == []


def test_a_second_seeding_adds_nothing(hub: Hub) -> None:
    def people() -> list[str]:
        with hub.reading() as session:
            return sorted(session.scalars(select(Person.id)))

    before = people()
    appoint_everyone(hub)
    assert people() == before


def test_terminal_is_silent_without_a_demonstration(tmp_path: Path) -> None:
    assert account_lines(lambda text: text, tmp_path) == ()
