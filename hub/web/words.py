"""What a code of the machine is called in front of people: one word for each member of each closed list.

A member without a word is an error when the page is shown, and a test walks all lists so that it never comes to that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from hub.message import Message, msg
from hub.people.actor import OrgKind, Role
from hub.people.rules import Verb

WORDS: Mapping[type[StrEnum], Mapping[StrEnum, Message]] = {
    Role: {
        Role.BUREAU_OFFICER: msg("bureau officer"),
        Role.CENTRE_OPERATOR: msg("centre operator"),
        Role.DEPT_STEWARD: msg("data steward"),
        Role.LICENSEE_ADMIN: msg("licensee administrator"),
        Role.ANALYST: msg("analyst"),
        Role.PROVIDER_REVIEWER: msg("provider reviewer"),
        Role.COMPLIANCE_REVIEWER: msg("compliance reviewer"),
        Role.SECURITY_REVIEWER: msg("security reviewer"),
        Role.RELEASE_OFFICER: msg("release officer"),
        Role.AUDITOR: msg("auditor"),
    },
    OrgKind: {
        OrgKind.BUREAU: msg("district data bureau"),
        OrgKind.CENTRE: msg("district urban-operation centre"),
        OrgKind.DEPARTMENT: msg("district department"),
        OrgKind.OPERATOR: msg("operating institution"),
        OrgKind.AUDIT: msg("audit body"),
        OrgKind.SYSTEM: msg("system"),
    },
    Verb: {
        Verb.APPOINT_PERSON: msg("appoint a person"),
        Verb.RECEIVE_FILE: msg("receive a file"),
        Verb.REGISTER_TABLE: msg("register a table"),
        Verb.PUBLISH_TABLE: msg("publish a table"),
        Verb.FILE_SCENARIO: msg("file a scenario"),
        Verb.DECIDE_SCENARIO: msg("decide on a scenario"),
        Verb.GRANT_LICENCE: msg("grant a licence"),
        Verb.SUSPEND_LICENCE: msg("suspend a licence"),
        Verb.RESUME_LICENCE: msg("resume a licence"),
        Verb.BUILD_EXTRACT: msg("build an extract"),
        Verb.OPEN_WORKSPACE: msg("open a workspace"),
        Verb.SUBMIT_EXPORT: msg("submit an export request"),
        Verb.WITHDRAW_EXPORT: msg("withdraw an export request"),
        Verb.CAST_VOTE: msg("vote"),
        Verb.DELIVER_RELEASE: msg("deliver a release"),
        Verb.REDEEM_GRANT: msg("use a download grant"),
        Verb.READ_LEDGER: msg("read the ledger"),
    },
}

SPOKEN_VALUES = frozenset({"role", "roles", "verb", "status", "state"})
"""Names of values in the sentences of the rules that are codes of a closed list."""

TONES: Mapping[type[StrEnum], Mapping[StrEnum, str]] = {}


def word(value: StrEnum) -> Message:
    """The word for a member of a closed list."""
    return WORDS[type(value)][value]


def say(message: Message | StrEnum | str, translate: Callable[[str], str]) -> str:
    """A sentence or word in the language of `translate`; roles, verbs and states inside it by their words as well.

    Text that is no message (a title, a name, a reason someone wrote) stays as it is.
    """
    if isinstance(message, StrEnum):
        message = word(message)
    if isinstance(message, str):
        return message
    values = {name: _spoken(name, value, translate) for name, value in message.values}
    return translate(message.source).format_map(values)


def _spoken(name: str, value: str | int, translate: Callable[[str], str]) -> str | int:
    if name not in SPOKEN_VALUES or not isinstance(value, str):
        return value
    words = [_word_of_code(code) for code in value.split(", ")]
    if None in words:
        return value
    return translate(", ").join(translate(found.source) for found in words if found is not None)


def _word_of_code(code: str) -> Message | None:
    for kind, members in WORDS.items():
        if code in kind._value2member_map_:
            return members[kind(code)]
    return None


def tone(value: StrEnum) -> str:
    """How the badge of a state looks: `good`, `wait`, `bad` or `calm`."""
    return TONES.get(type(value), {}).get(value, "calm")
