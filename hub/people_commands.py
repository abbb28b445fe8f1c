"""Commands about accounts for the server's administrator: first officers, the way back in, demonstration codes.

They are run on the machine that holds the state folder, by its owner, who could change the database anyway; so they ask
for no password. What they do is an event of the ledger.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import click
from sqlalchemy import select

from hub import doctor as machine
from hub.context import Hub, open_hub
from hub.demo.codes import code_for
from hub.message import Message, msg
from hub.people.account_rules import RECOVERY_TERM
from hub.people.accounts import appoint_person, first_password_of_officer
from hub.people.accounts import recover_officer as recover
from hub.people.actor import SYSTEM, OrgKind, Role
from hub.people.model import Organisation
from hub.people.organisations import found_organisation
from hub.web.language import translator


@click.command("demo-code")
@click.argument("account")
def demo_code(account: str) -> None:
    """Print a one-time code that opens the demonstration account ACCOUNT once. Refused on a site that is none."""
    click.echo(code_for(open_hub(), account))


@click.command("open-officer")
@click.argument("person")
@click.option("--name-zh", required=True, help="The officer's name in Chinese.")
@click.option("--name-en", required=True, help="The officer's name in English.")
@click.option(
    "--bureau-zh", default="区数据局", show_default=True, help="The bureau's name, where it is not there yet."
)
@click.option("--bureau-en", default="District data bureau", show_default=True, help="The same in English.")
def open_officer(person: str, name_zh: str, name_en: str, bureau_zh: str, bureau_en: str) -> None:
    """Open the account PERSON of an officer of the bureau, on a site with fewer than two; print its first password.

    The two first officers open every other account in the portal. They count as trained for seven days; within these
    each enters the other's training.
    """
    hub = open_hub()
    bureau = (
        _bureau(hub)
        or found_organisation(
            hub, SYSTEM, org_id="bureau", name_zh=bureau_zh, name_en=bureau_en, kind=OrgKind.BUREAU
        ).id
    )
    until = hub.clock() + timedelta(days=RECOVERY_TERM.days)
    appoint_person(
        hub,
        SYSTEM,
        person_id=person,
        name_zh=name_zh,
        name_en=name_en,
        org_id=bureau,
        roles=frozenset({Role.BUREAU_OFFICER}),
        trained_until=until,
        confidentiality_until=until,
    )
    _print_first_password(first_password_of_officer(hub, person_id=person), hub)


@click.command("recover-officer")
@click.argument("person")
@click.confirmation_option(
    prompt="This is written into the ledger and resets the officer's sign-in. Go on?",
    help="Do not ask whether to go on.",
)
def recover_officer(person: str) -> None:
    """Let the officer PERSON of the bureau back in when the officers cannot, and print a first password.

    That is when none can act, or when one alone can and PERSON has no sign-in: a new one takes two officers.

    Training and confidentiality count for seven days, nothing more; the ledger says who was let in and until when.
    """
    hub = open_hub()
    done = recover(hub, person_id=person)
    _say(
        msg(
            "LET BACK IN by the administrator of this server: {person}, for {days} days. This is in the ledger.",
            person=person,
            days=RECOVERY_TERM.days,
        )
    )
    _print_first_password(done.first_password, hub)


def _bureau(hub: Hub) -> str:
    with hub.reading() as session:
        return session.scalar(select(Organisation.id).where(Organisation.kind == OrgKind.BUREAU)) or ""


def _print_first_password(password: str, hub: Hub) -> None:
    _say(
        msg(
            "First password, shown once, good for {hours} hours: {password}",
            hours=hub.settings.first_password_hours,
            password=password,
        )
    )
    _say(msg("The person opens the sign-in page, follows the link for the first sign-in, and sets their own."))


def _say(message: Message) -> None:
    click.echo(message.render(translator(machine.terminal_language())))


COMMANDS: Final[list[click.Command]] = [demo_code, open_officer, recover_officer]
