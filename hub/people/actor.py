"""Who acts: the person, their organisation, their roles. A value; rules take it instead of a database row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may be appointed to (DOMAIN.md §1.2)."""

    BUREAU_OFFICER = "bureau_officer"
    CENTRE_OPERATOR = "centre_operator"
    DEPT_STEWARD = "dept_steward"
    LICENSEE_ADMIN = "licensee_admin"
    ANALYST = "analyst"
    PROVIDER_REVIEWER = "provider_reviewer"
    COMPLIANCE_REVIEWER = "compliance_reviewer"
    SECURITY_REVIEWER = "security_reviewer"
    RELEASE_OFFICER = "release_officer"
    AUDITOR = "auditor"


REVIEWERS = frozenset({Role.PROVIDER_REVIEWER, Role.COMPLIANCE_REVIEWER, Role.SECURITY_REVIEWER})
"""The seats from which a vote can be cast."""


class OrgKind(StrEnum):
    """What an organisation is in the walk."""

    BUREAU = "bureau"
    CENTRE = "centre"
    DEPARTMENT = "department"
    OPERATOR = "operator"
    AUDIT = "audit"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person in the moment of acting."""

    person_id: str
    org_id: str
    org_kind: OrgKind
    roles: frozenset[Role]

    def has(self, *roles: Role) -> bool:
        """Whether the person holds any of `roles`."""
        return not self.roles.isdisjoint(roles)


SYSTEM = Actor(person_id="system", org_id="", org_kind=OrgKind.SYSTEM, roles=frozenset())
"""The service itself: machine checks, start-up, closing of workspaces. Holds no role, so no rule lets it decide."""
