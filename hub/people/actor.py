"""Who acts: the person, their organisation, their roles. A value; rules take it instead of a database row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may be appointed to (DOMAIN.md §1.2)."""

    BUREAU_OFFICER = "bureau_officer"
    CENTRE_OPERATOR = "centre_operator"
    DEPT_CHIEF = "dept_chief"
    DEPT_CDO = "dept_cdo"
    DEPT_STEWARD = "dept_steward"
    LICENSEE_ADMIN = "licensee_admin"
    ANALYST = "analyst"
    PROVIDER_REVIEWER = "provider_reviewer"
    COMPLIANCE_REVIEWER = "compliance_reviewer"
    SECURITY_REVIEWER = "security_reviewer"
    RELEASE_OFFICER = "release_officer"
    AUDITOR = "auditor"
    CAC_SUPERVISOR = "cac_supervisor"
    DATA_EXPERT = "data_expert"
    THIRD_PARTY_ASSESSOR = "third_party_assessor"


REVIEWERS = frozenset({Role.PROVIDER_REVIEWER, Role.COMPLIANCE_REVIEWER, Role.SECURITY_REVIEWER})
"""The seats from which a vote can be cast."""


class OrgKind(StrEnum):
    """What an organisation is in the walk."""

    BUREAU = "bureau"
    CENTRE = "centre"
    DEPARTMENT = "department"
    OPERATOR = "operator"
    DEVELOPER = "developer"
    ASSESSOR = "assessor"
    AUDIT = "audit"
    CYBERSPACE = "cyberspace"
    EXPERTS = "experts"
    SYSTEM = "system"


class Post(StrEnum):
    """The three responsibilities that a department fills before its data go anywhere (the Measures, Art. 6)."""

    FIRST_RESPONSIBLE = "first_responsible"
    CHIEF_DATA_OFFICER = "chief_data_officer"
    DATA_STEWARD = "data_steward"


ROLE_OF_POST: Mapping[Post, Role] = {
    Post.FIRST_RESPONSIBLE: Role.DEPT_CHIEF,
    Post.CHIEF_DATA_OFFICER: Role.DEPT_CDO,
    Post.DATA_STEWARD: Role.DEPT_STEWARD,
}
"""The role that the holder of a post has. One person may not hold two of the three (`rules.APART`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person in the moment of acting."""

    person_id: str
    org_id: str
    org_kind: OrgKind
    roles: frozenset[Role]
    attached_to: str = ""
    """The operator that the person's organisation develops for, if it is a developer."""
    interests: frozenset[str] = frozenset()
    """Organisations in which the person has declared an interest of their own."""

    @property
    def is_outside(self) -> bool:
        """Whether the person is of a licensee or works for one: they see nothing of other licensees."""
        return self.org_kind in (OrgKind.OPERATOR, OrgKind.DEVELOPER)

    def sides_with(self, org_id: str) -> bool:
        """Whether the person's organisation is this one or works for it: their interests count as one."""
        return bool(org_id) and org_id in (self.org_id, self.attached_to)

    def is_partial_to(self, org_id: str) -> bool:
        """Whether the person may not decide on a matter of this organisation: they side with it or have an interest."""
        return self.sides_with(org_id) or org_id in self.interests

    def has(self, *roles: Role) -> bool:
        """Whether the person holds any of `roles`."""
        return not self.roles.isdisjoint(roles)


SYSTEM = Actor(person_id="system", org_id="", org_kind=OrgKind.SYSTEM, roles=frozenset())
"""The service itself: machine checks, start-up, closing of workspaces. Holds no role, so no rule lets it decide."""
