"""What a code of the machine is called in front of people: one word for each member of each closed list.

A member without a word is an error when the page is shown, and a test walks all lists so that it never comes to that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from hub.catalog.model import ColumnClass, Grade, OpenType, Origin, ShareType, TableStatus, UpdateCycle
from hub.closing.model import ClosingStatus, DestroyedKind
from hub.extracts.model import ExtractDecisionKind, ExtractRequestStatus, ExtractSeat, ExtractStatus, Standing
from hub.gate.model import Decision, EvidencePart, RequestStatus, Seat
from hub.ledger.events import EventKind
from hub.licensing.model import (
    ExtractLevel,
    GrantSource,
    Lane,
    LicenceMode,
    LicenceStatus,
    OpinionBody,
    OutsideData,
    PersonnelKind,
    PersonnelStatus,
    PlatformClass,
    ProductForm,
    ScenarioStatus,
    SigningSide,
    Stance,
    SuspensionTrigger,
)
from hub.message import Message, Value, msg
from hub.noisy.model import AnswerStatus
from hub.people.actor import OrgKind, Post, Role
from hub.people.model import ChangeKind, ChangeStatus, Factor, OrganisationStatus, PersonStatus, SignInState
from hub.people.rules import Verb
from hub.register.clock import Step, Timing
from hub.register.income import Consequence
from hub.register.model import (
    AmendmentStatus,
    ChargeUnit,
    Delivery,
    ObjectionStatus,
    PaperKind,
    RegistrationField,
    RegistrationStatus,
    RegistrationType,
    RiskLevel,
)
from hub.rulebook.model import BasisStatus, Mark, Unit
from hub.runs.model import RunDecisionKind, RunOutcome, RunStatus
from hub.sharing.model import ConsentStatus
from hub.workspaces.model import WorkspaceStatus

WORDS: Mapping[type[StrEnum], Mapping[StrEnum, Message]] = {
    Role: {
        Role.BUREAU_OFFICER: msg("bureau officer"),
        Role.CENTRE_OPERATOR: msg("centre operator"),
        Role.DEPT_CHIEF: msg("head of the department"),
        Role.DEPT_CDO: msg("chief data officer"),
        Role.DEPT_STEWARD: msg("data steward"),
        Role.LICENSEE_ADMIN: msg("licensee administrator"),
        Role.ANALYST: msg("analyst"),
        Role.PROVIDER_REVIEWER: msg("provider reviewer"),
        Role.COMPLIANCE_REVIEWER: msg("compliance reviewer"),
        Role.SECURITY_REVIEWER: msg("security reviewer"),
        Role.RELEASE_OFFICER: msg("release officer"),
        Role.AUDITOR: msg("auditor"),
        Role.CAC_SUPERVISOR: msg("cyberspace supervisor"),
        Role.DATA_EXPERT: msg("data expert"),
        Role.THIRD_PARTY_ASSESSOR: msg("third-party assessor"),
    },
    Post: {
        Post.FIRST_RESPONSIBLE: msg("first responsible person"),
        Post.CHIEF_DATA_OFFICER: msg("chief data officer"),
        Post.DATA_STEWARD: msg("data steward"),
    },
    OrgKind: {
        OrgKind.BUREAU: msg("district data bureau"),
        OrgKind.CENTRE: msg("district urban-operation centre"),
        OrgKind.DEPARTMENT: msg("district department"),
        OrgKind.OPERATOR: msg("operating institution"),
        OrgKind.DEVELOPER: msg("developing institution"),
        OrgKind.ASSESSOR: msg("assessing institution"),
        OrgKind.AUDIT: msg("audit body"),
        OrgKind.CYBERSPACE: msg("cyberspace administration"),
        OrgKind.EXPERTS: msg("data expert committee"),
        OrgKind.SYSTEM: msg("system"),
    },
    Factor: {
        Factor.TOTP: msg("password and one-time code"),
        Factor.RECOVERY: msg("password and recovery code"),
        Factor.OIDC: msg("sign-in service"),
    },
    PersonStatus: {
        PersonStatus.PROPOSED: msg("not confirmed yet"),
        PersonStatus.ACTIVE: msg("in use"),
        PersonStatus.CLOSED: msg("closed for good"),
    },
    OrganisationStatus: {
        OrganisationStatus.PROPOSED: msg("not admitted yet"),
        OrganisationStatus.ACTIVE: msg("in use"),
        OrganisationStatus.MERGED: msg("merged"),
        OrganisationStatus.DISSOLVED: msg("dissolved"),
    },
    SignInState: {
        SignInState.NONE: msg("no sign-in yet: issue a first password"),
        SignInState.HANDED_OVER: msg("first password issued, not used yet"),
        SignInState.RUN_OUT: msg("first password has run out"),
        SignInState.ENROLLED: msg("password and authenticator are set"),
        SignInState.LOCKED: msg("locked after wrong codes: somebody knows the password"),
    },
    ChangeKind: {
        ChangeKind.OPEN: msg("open the account"),
        ChangeKind.ROLES: msg("change the roles"),
        ChangeKind.RESET: msg("reset the sign-in"),
    },
    ChangeStatus: {
        ChangeStatus.PROPOSED: msg("waits for a second officer"),
        ChangeStatus.CONFIRMED: msg("confirmed"),
        ChangeStatus.DECLINED: msg("declined"),
    },
    Verb: {
        Verb.APPOINT_PERSON: msg("appoint a person"),
        Verb.CHANGE_ROLES: msg("change a person's roles"),
        Verb.CLOSE_ACCOUNT: msg("close an account"),
        Verb.DECIDE_CHANGE: msg("confirm or decline a change of an account"),
        Verb.DECLARE_INTERESTS: msg("enter a person's declared interests"),
        Verb.RESET_SIGN_IN: msg("reset a person's sign-in"),
        Verb.END_SESSIONS: msg("sign a person out everywhere"),
        Verb.FOUND_ORGANISATION: msg("enter an organisation"),
        Verb.MOVE_ORGANISATION: msg("admit, merge or dissolve an organisation"),
        Verb.APPOINT_RESPONSIBLE: msg("appoint a responsible person of a department"),
        Verb.END_APPOINTMENT: msg("end an appointment"),
        Verb.RECORD_TRAINING: msg("record a training"),
        Verb.RECEIVE_FILE: msg("receive a file"),
        Verb.REGISTER_TABLE: msg("register a table"),
        Verb.PUBLISH_TABLE: msg("publish a table"),
        Verb.BAR_TABLE: msg("mark a table as concerning state secrets"),
        Verb.FILE_SCENARIO: msg("file a scenario"),
        Verb.GIVE_OPINION: msg("give an opinion on a scenario"),
        Verb.DECIDE_SCENARIO: msg("decide on a scenario"),
        Verb.DRAFT_LICENCE: msg("draft an agreement"),
        Verb.DELIBERATE_LICENCE: msg("enter the collective decision on an agreement"),
        Verb.SIGN_LICENCE: msg("sign an agreement"),
        Verb.FILE_LICENCE: msg("enter the filing of an agreement"),
        Verb.GRANT_LICENCE: msg("put a licence into force"),
        Verb.SUSPEND_LICENCE: msg("suspend a licence"),
        Verb.RESUME_LICENCE: msg("resume a licence"),
        Verb.TERMINATE_LICENCE: msg("terminate a licence"),
        Verb.PROPOSE_PERSONNEL: msg("propose a person to work under a licence"),
        Verb.DECIDE_PERSONNEL: msg("acknowledge a person on a licence's personnel list"),
        Verb.REMOVE_PERSONNEL: msg("take a person off a licence's personnel list"),
        Verb.DECIDE_CONSENT: msg("answer a request for consent"),
        Verb.WITHDRAW_CONSENT: msg("withdraw a consent"),
        Verb.REQUEST_EXTRACT: msg("ask for a rung of a table"),
        Verb.DECIDE_EXTRACT: msg("decide on a request for data"),
        Verb.BUILD_EXTRACT: msg("build an extract"),
        Verb.REVOKE_EXTRACT: msg("take an extract out of use"),
        Verb.GRANT_BUDGET: msg("grant a privacy budget"),
        Verb.ASK_NOISY: msg("ask for noisy statistics"),
        Verb.OPEN_WORKSPACE: msg("open a workspace"),
        Verb.REQUEST_RUN: msg("ask for a sealed run"),
        Verb.DECIDE_RUN: msg("review the code of a sealed run"),
        Verb.START_RUN: msg("start a sealed run"),
        Verb.SUBMIT_EXPORT: msg("submit an export request"),
        Verb.WITHDRAW_EXPORT: msg("withdraw an export request"),
        Verb.CAST_VOTE: msg("vote"),
        Verb.DELIVER_RELEASE: msg("deliver a release"),
        Verb.REDEEM_GRANT: msg("use a download grant"),
        Verb.READ_LEDGER: msg("read the ledger"),
        Verb.DESCRIBE_PRODUCT: msg("enter a product and apply for its registration"),
        Verb.DECIDE_REGISTRATION: msg("decide on a registration"),
        Verb.SET_PRICE: msg("set a price"),
        Verb.ENTER_CAP: msg("enter a price cap"),
        Verb.METER_USAGE: msg("enter the use of a product"),
        Verb.RAISE_OBJECTION: msg("object to a registration"),
        Verb.DECIDE_OBJECTION: msg("decide on an objection"),
        Verb.PERMIT_INCOME: msg("enter a permitted income"),
        Verb.ENTER_ACCOUNT: msg("enter the account of a year"),
        Verb.PUBLISH_PAPER: msg("publish a yearly paper"),
        Verb.CLOSE_LICENCE: msg("close a licence that has ended"),
        Verb.DISCARD_EVIDENCE: msg("delete a released package after its time"),
    },
    ShareType: {
        ShareType.UNCONDITIONAL: msg("unconditional sharing"),
        ShareType.AUTHORIZED: msg("authorized sharing"),
        ShareType.NONE: msg("not shared"),
    },
    OpenType: {
        OpenType.UNCONDITIONAL: msg("open without conditions"),
        OpenType.CONDITIONAL: msg("open with conditions"),
        OpenType.NONE: msg("not open"),
    },
    Origin: {
        Origin.COLLECTED: msg("collected in the course of duty"),
        Origin.SHARED_IN: msg("shared in from another department"),
        Origin.NEGOTIATED: msg("got by negotiation"),
        Origin.PURCHASED: msg("purchased"),
    },
    UpdateCycle: {
        UpdateCycle.REALTIME: msg("real time"),
        UpdateCycle.DAILY: msg("daily"),
        UpdateCycle.WEEKLY: msg("weekly"),
        UpdateCycle.MONTHLY: msg("monthly"),
        UpdateCycle.QUARTERLY: msg("quarterly"),
        UpdateCycle.HALF_YEARLY: msg("half-yearly"),
        UpdateCycle.YEARLY: msg("yearly"),
        UpdateCycle.IRREGULAR: msg("irregular"),
        UpdateCycle.ONCE: msg("once"),
    },
    ColumnClass: {
        ColumnClass.DIRECT_ID: msg("direct identifier"),
        ColumnClass.QUASI_ID: msg("quasi-identifier"),
        ColumnClass.SENSITIVE_ATTR: msg("sensitive attribute"),
        ColumnClass.FREE_TEXT: msg("free text"),
        ColumnClass.NON_SENSITIVE: msg("not sensitive"),
    },
    Grade: {
        Grade.L1: msg("L1 public"),
        Grade.L2: msg("L2 internal"),
        Grade.L3: msg("L3 restricted"),
        Grade.L4: msg("L4 highly sensitive"),
    },
    TableStatus: {
        TableStatus.DRAFT: msg("draft"),
        TableStatus.PUBLISHED: msg("published"),
    },
    Lane: {
        Lane.PUBLIC: msg("public governance and public interest"),
        Lane.INDUSTRY: msg("industry development"),
    },
    GrantSource: {
        GrantSource.CITY_OVERALL: msg("within the city's overall licence"),
        GrantSource.DISTRICT_EXCEPTION: msg("by a provision for the district"),
        GrantSource.PILOT: msg("pilot approved by the competent authority"),
    },
    LicenceMode: {
        LicenceMode.OVERALL: msg("overall licensing"),
        LicenceMode.DOMAIN: msg("licensing by domain"),
        LicenceMode.SCENARIO: msg("licensing by scenario"),
    },
    PlatformClass: {
        PlatformClass.ISOLATED: msg("isolated workspaces and sealed runs"),
        PlatformClass.SEALED: msg("sealed runs alone"),
    },
    OutsideData: {
        OutsideData.FORBIDDEN: msg("no data from outside"),
        OutsideData.OPEN_ONLY: msg("open public data alone"),
        OutsideData.DECLARED: msg("after declaration and review"),
    },
    SuspensionTrigger: {
        SuspensionTrigger.SECURITY_INCIDENT: msg("a security incident"),
        SuspensionTrigger.OUT_OF_SCOPE: msg("use outside of the scope"),
        SuspensionTrigger.CONSENT_WITHDRAWN: msg("withdrawal of a provider's consent"),
        SuspensionTrigger.REPORT_OVERDUE: msg("an overdue report or disclosure"),
        SuspensionTrigger.SECURITY_OFFICER: msg("security officer not in date or not on the list"),
        SuspensionTrigger.AUTHORITY_ORDER: msg("an order of the competent authority"),
    },
    PersonnelKind: {
        PersonnelKind.ADD: msg("added to the list"),
        PersonnelKind.REMOVE: msg("taken off the list"),
    },
    PersonnelStatus: {
        PersonnelStatus.PROPOSED: msg("waits for the bureau"),
        PersonnelStatus.IN_FORCE: msg("acknowledged, in force"),
        PersonnelStatus.DECLINED: msg("declined"),
    },
    SigningSide: {
        SigningSide.IMPLEMENTING_BODY: msg("implementing body"),
        SigningSide.OPERATOR: msg("operating institution"),
    },
    OpinionBody: {
        OpinionBody.BUREAU: msg("district data bureau"),
        OpinionBody.CYBERSPACE: msg("cyberspace administration"),
        OpinionBody.EXPERTS: msg("data expert committee"),
    },
    Stance: {
        Stance.SUPPORT: msg("in favour"),
        Stance.OPPOSE: msg("against"),
    },
    ScenarioStatus: {
        ScenarioStatus.FILED: msg("waits for a decision"),
        ScenarioStatus.APPROVED: msg("approved"),
        ScenarioStatus.REFUSED: msg("not approved"),
    },
    LicenceStatus: {
        LicenceStatus.DRAFTING: msg("being drafted"),
        LicenceStatus.DELIBERATING: msg("collective decision taken"),
        LicenceStatus.SIGNED: msg("signed by both sides"),
        LicenceStatus.FILED: msg("filed"),
        LicenceStatus.ACTIVE: msg("in force"),
        LicenceStatus.SUSPENDED: msg("suspended"),
        LicenceStatus.TERMINATED: msg("terminated"),
        LicenceStatus.EXITED: msg("exited"),
    },
    ExtractLevel: {
        ExtractLevel.METADATA: msg("metadata"),
        ExtractLevel.SYNTHETIC: msg("synthetic sample"),
        ExtractLevel.SAMPLED: msg("sampled extract"),
        ExtractLevel.FULL: msg("full extract"),
    },
    ConsentStatus: {
        ConsentStatus.REQUESTED: msg("waits for an answer"),
        ConsentStatus.GIVEN: msg("consented"),
        ConsentStatus.REFUSED: msg("consent refused"),
        ConsentStatus.WITHDRAWN: msg("consent withdrawn"),
    },
    AnswerStatus: {
        AnswerStatus.COMPUTING: msg("being computed"),
        AnswerStatus.ANSWERED: msg("answered"),
        AnswerStatus.REFUSED: msg("not computed, nothing spent"),
        AnswerStatus.LOST: msg("no answer, spent"),
        AnswerStatus.DESTROYED: msg("destroyed"),
    },
    ExtractStatus: {
        ExtractStatus.BUILDING: msg("being built"),
        ExtractStatus.ISSUED: msg("issued"),
        ExtractStatus.REFUSED: msg("not issued"),
        ExtractStatus.REVOKED: msg("taken out of use"),
        ExtractStatus.DESTROYED: msg("destroyed"),
    },
    ExtractRequestStatus: {
        ExtractRequestStatus.REQUESTED: msg("waits for approval"),
        ExtractRequestStatus.APPROVED: msg("approved"),
        ExtractRequestStatus.REFUSED: msg("not approved"),
        ExtractRequestStatus.WITHDRAWN: msg("taken back"),
    },
    Standing: {
        Standing.NOT_ALLOWED: msg("not in the licence"),
        Standing.OPEN: msg("can be asked for"),
        Standing.WAITING: msg("waits for approval"),
        Standing.GRANTED: msg("to be built"),
        Standing.BUILDING: msg("being built"),
        Standing.FAILED: msg("build failed"),
        Standing.REFUSED: msg("not approved"),
        Standing.IN_USE: msg("in use"),
        Standing.REVOKED: msg("taken out of use"),
        Standing.EXPIRED: msg("expired"),
    },
    ExtractSeat: {
        ExtractSeat.RULE: msg("the licence, by rule"),
        ExtractSeat.PROVIDER: msg("data steward"),
        ExtractSeat.COMPLIANCE: msg("compliance reviewer"),
    },
    ExtractDecisionKind: {
        ExtractDecisionKind.APPROVE: msg("approves"),
        ExtractDecisionKind.REFUSE: msg("refuses"),
    },
    RunStatus: {
        RunStatus.IN_REVIEW: msg("code in review"),
        RunStatus.REFUSED: msg("code not approved"),
        RunStatus.WITHDRAWN: msg("taken back"),
        RunStatus.APPROVED: msg("waits to be run"),
        RunStatus.RUNNING: msg("running"),
        RunStatus.SUBMITTED: msg("outputs at the gate"),
        RunStatus.FAILED: msg("ended without outputs"),
    },
    RunOutcome: {
        RunOutcome.CELL: msg("a cell raised an error"),
        RunOutcome.TIMED_OUT: msg("the time was up"),
        RunOutcome.OVERFULL: msg("the outbox held too much"),
        RunOutcome.ENDED: msg("the code ended by itself or ran out of memory"),
        RunOutcome.NO_OUTPUT: msg("nothing lay in the outbox"),
        RunOutcome.UNEXPECTED_OUTPUT: msg("a file of another name than announced lay in the outbox"),
        RunOutcome.NOT_FROZEN: msg("an output was no plain file, too large, or named twice"),
        RunOutcome.LICENCE: msg("the licence or an extract ended meanwhile"),
        RunOutcome.INTERRUPTED: msg("the platform was stopped while it ran"),
        RunOutcome.NOT_STARTED: msg("the isolated environment did not start"),
    },
    RunDecisionKind: {
        RunDecisionKind.APPROVE: msg("approves"),
        RunDecisionKind.REFUSE: msg("refuses"),
    },
    WorkspaceStatus: {
        WorkspaceStatus.OPEN: msg("running"),
        WorkspaceStatus.CLOSED: msg("stopped"),
        WorkspaceStatus.DESTROYED: msg("destroyed"),
    },
    ClosingStatus: {
        ClosingStatus.BEGUN: msg("closing begun"),
        ClosingStatus.SEALED: msg("closed and destroyed"),
    },
    DestroyedKind: {
        DestroyedKind.EXTRACT: msg("extract"),
        DestroyedKind.ANSWER: msg("answer of noisy statistics"),
        DestroyedKind.WORKSPACE: msg("workspace"),
        DestroyedKind.KEY: msg("pseudonym key"),
        DestroyedKind.PACKAGE: msg("package that was never released"),
        DestroyedKind.RUN: msg("notebook of a sealed run"),
    },
    BasisStatus: {
        BasisStatus.DRAFT: msg("draft"),
        BasisStatus.IN_FORCE: msg("in force"),
        BasisStatus.SUPERSEDED: msg("superseded"),
    },
    Mark: {
        Mark.MEASURES: msg("draft of the Measures"),
        Mark.PRIMARY: msg("text of the rule"),
        Mark.EXCERPT: msg("excerpt"),
        Mark.REPOSITORY: msg("public repository"),
        Mark.KNOWLEDGE: msg("not verified"),
        Mark.DEFAULT: msg("project default"),
    },
    Unit: {
        Unit.YEARS: msg("years"),
        Unit.MONTHS: msg("months"),
        Unit.DAYS: msg("days"),
        Unit.WORKING_DAYS: msg("working days"),
        Unit.HOURS: msg("hours"),
        Unit.SECONDS: msg("seconds"),
        Unit.MONTH_DAY: msg("(month-day)"),
        Unit.ROWS: msg("rows"),
        Unit.PEOPLE: msg("people"),
        Unit.CONTRIBUTORS: msg("contributors"),
        Unit.DEPARTMENTS: msg("departments"),
        Unit.FILES: msg("files"),
        Unit.MEBIBYTES: msg("MiB"),
        Unit.TIMES: msg("times"),
        Unit.UNITS: msg("units"),
        Unit.SHARE: msg("(share)"),
        Unit.PERCENTAGE_POINTS: msg("percentage points"),
    },
    RequestStatus: {
        RequestStatus.CHECKING: msg("machine check"),
        RequestStatus.MACHINE_REFUSED: msg("refused by the machine check"),
        RequestStatus.IN_REVIEW: msg("human review"),
        RequestStatus.REFUSED: msg("refused by the review"),
        RequestStatus.WITHDRAWN: msg("withdrawn"),
        RequestStatus.APPROVED: msg("approved, waits for release"),
        RequestStatus.RELEASED: msg("released"),
        RequestStatus.EXPIRED: msg("approved, not released in time"),
    },
    ProductForm: {
        ProductForm.INDEX: msg("index or statistics"),
        ProductForm.REPORT: msg("report"),
        ProductForm.MODEL: msg("model"),
    },
    RegistrationStatus: {
        RegistrationStatus.DUE: msg("to be applied for"),
        RegistrationStatus.APPLIED: msg("applied for"),
        RegistrationStatus.ACCEPTED: msg("accepted for review"),
        RegistrationStatus.FORM_REVIEWED: msg("reviewed"),
        RegistrationStatus.PUBLIC_NOTICE: msg("in public notice"),
        RegistrationStatus.OBJECTED: msg("objected to"),
        RegistrationStatus.CODED: msg("registered, code assigned"),
        RegistrationStatus.TERMINATED: msg("terminated after an objection"),
        RegistrationStatus.CANCELLED: msg("cancelled"),
    },
    RegistrationType: {
        RegistrationType.FIRST: msg("first registration"),
        RegistrationType.CHANGE: msg("registration of a change"),
        RegistrationType.CORRECTION: msg("registration of a correction"),
        RegistrationType.RENEWAL: msg("renewal"),
        RegistrationType.CANCELLATION: msg("registration of a cancellation"),
    },
    AmendmentStatus: {
        AmendmentStatus.APPLIED: msg("applied for"),
        AmendmentStatus.ACCEPTED: msg("accepted for review"),
        AmendmentStatus.FORM_REVIEWED: msg("reviewed"),
        AmendmentStatus.PUBLIC_NOTICE: msg("in public notice"),
        AmendmentStatus.OBJECTED: msg("objected to"),
        AmendmentStatus.ENTERED: msg("entered"),
        AmendmentStatus.RETURNED: msg("returned"),
        AmendmentStatus.TERMINATED: msg("terminated after an objection"),
    },
    ObjectionStatus: {
        ObjectionStatus.RAISED: msg("waits for a decision"),
        ObjectionStatus.UPHELD: msg("upheld"),
        ObjectionStatus.DISMISSED: msg("dismissed"),
    },
    PaperKind: {
        PaperKind.BODY_DISCLOSURE: msg("disclosure of the implementing body"),
        PaperKind.OPERATOR_DISCLOSURE: msg("disclosure of the operator"),
        PaperKind.OPERATING_REPORT: msg("operating report"),
    },
    Consequence: {
        Consequence.NONE: msg("nothing follows"),
        Consequence.ADJUST_PRICES: msg("the actual prices are to be adjusted"),
        Consequence.ADJUST_CAPS: msg("the caps are to be adjusted"),
    },
    Delivery: {
        Delivery.FILE: msg("as files"),
        Delivery.INTERFACE: msg("by an interface"),
        Delivery.REPORT: msg("as a report"),
        Delivery.ON_SITE: msg("for use on site"),
    },
    RiskLevel: {
        RiskLevel.LOW: msg("low risk"),
        RiskLevel.MEDIUM: msg("medium risk"),
        RiskLevel.HIGH: msg("high risk"),
    },
    RegistrationField: {
        RegistrationField.CONTACT: msg("contact"),
        RegistrationField.DATA_FROM: msg("first day of the data"),
        RegistrationField.DATA_UNTIL: msg("last day of the data"),
        RegistrationField.DATA_ROWS: msg("volume of the data in rows"),
        RegistrationField.DATA_UPDATE: msg("how often the data are updated"),
        RegistrationField.VERSION: msg("version of the product"),
        RegistrationField.INPUT: msg("input of the product"),
        RegistrationField.OUTPUT: msg("output of the product"),
        RegistrationField.DELIVERY: msg("how it is delivered"),
        RegistrationField.UPDATE: msg("how often it is updated"),
        RegistrationField.RISK_REPORT: msg("report of the security risk assessment"),
        RegistrationField.RISK_LEVEL: msg("assessed risk"),
        RegistrationField.RISK_DATE: msg("day of the assessment"),
    },
    ChargeUnit: {
        ChargeUnit.PRODUCT_COUNT: msg("number of products"),
        ChargeUnit.SERVICE_COUNT: msg("number of services"),
        ChargeUnit.HOURS: msg("hours of service"),
        ChargeUnit.CALLS: msg("number of calls"),
    },
    Step: {
        Step.APPLY: msg("apply for registration by"),
        Step.ACCEPT: msg("accept or return the application by"),
        Step.REVIEW: msg("end the formal review by"),
        Step.PUBLISH: msg("begin the public notice by"),
        Step.CODE: msg("enter the code by"),
        Step.OBJECTION: msg("decide on the objection by"),
        Step.RENEW: msg("renew the registration by"),
        Step.CANCEL: msg("enter the cancellation by"),
        Step.PRICE_REVIEW: msg("review the price cap by"),
        Step.DEVIATION: msg("adjust the caps; known since"),
        Step.DISCLOSE: msg("publish the yearly disclosure by"),
        Step.REPORT: msg("hand in the operating report by"),
    },
    Timing: {
        Timing.IN_TIME: msg("in time"),
        Timing.DUE_SOON: msg("due soon"),
        Timing.OVERDUE: msg("overdue"),
    },
    EvidencePart: {
        EvidencePart.SUBMISSION: msg("the submission"),
        EvidencePart.CHECK: msg("the machine check"),
        EvidencePart.VOTES: msg("the votes"),
        EvidencePart.LICENCE: msg("the licence"),
    },
    Decision: {
        Decision.APPROVE: msg("approves"),
        Decision.OBJECT: msg("objects"),
    },
    Seat: {
        Seat.PROVIDER: msg("provider reviewer"),
        Seat.COMPLIANCE: msg("compliance reviewer"),
        Seat.SECURITY: msg("security reviewer"),
    },
    EventKind: {
        EventKind.SITE_STARTED: msg("Service started"),
        EventKind.PERSON_APPOINTED: msg("Appointment entered"),
        EventKind.RESPONSIBLE_APPOINTED: msg("Responsible person appointed"),
        EventKind.RESPONSIBLE_ENDED: msg("Appointment ended"),
        EventKind.TRAINING_RECORDED: msg("Training recorded"),
        EventKind.PERSON_SIGNED_IN: msg("Signed in"),
        EventKind.PERSON_SIGNED_OUT: msg("Signed out everywhere"),
        EventKind.SIGN_IN_ENROLLED: msg("Own password and authenticator set"),
        EventKind.SIGN_IN_CHANGED: msg("Sign-in changed"),
        EventKind.SIGN_IN_RESET: msg("Sign-in reset"),
        EventKind.SIGN_IN_HANDED_OVER: msg("First password issued"),
        EventKind.ORGANISATION_FOUNDED: msg("Organisation entered"),
        EventKind.ORGANISATION_MOVED: msg("State of the organisation changed"),
        EventKind.CHANGE_PROPOSED: msg("Change of an account proposed"),
        EventKind.CHANGE_DECIDED: msg("Change of an account decided on"),
        EventKind.ROLES_CHANGED: msg("Roles changed"),
        EventKind.INTERESTS_DECLARED: msg("Interests entered"),
        EventKind.PERSON_CLOSED: msg("Account closed"),
        EventKind.OFFICER_RECOVERED: msg("Officer let back in by the server's administrator"),
        EventKind.ACTION_REFUSED: msg("Action refused"),
        EventKind.FILE_RECEIVED: msg("File received"),
        EventKind.TABLE_REGISTERED: msg("Table registered"),
        EventKind.TABLE_BARRED: msg("Table marked as concerning state secrets"),
        EventKind.TABLE_PUBLISHED: msg("Table published"),
        EventKind.SCENARIO_FILED: msg("Scenario filed"),
        EventKind.OPINION_GIVEN: msg("Opinion given"),
        EventKind.SCENARIO_DECIDED: msg("Scenario decided"),
        EventKind.LICENCE_DRAFTED: msg("Agreement drafted"),
        EventKind.LICENCE_DELIBERATED: msg("Collective decision entered"),
        EventKind.LICENCE_SIGNED: msg("Agreement signed"),
        EventKind.LICENCE_FILED: msg("Agreement filed"),
        EventKind.LICENCE_GRANTED: msg("Licence put into force"),
        EventKind.LICENCE_SUSPENDED: msg("Licence suspended"),
        EventKind.LICENCE_RESUMED: msg("Licence resumed"),
        EventKind.LICENCE_TERMINATED: msg("Licence terminated"),
        EventKind.PERSONNEL_PROPOSED: msg("Person proposed for the personnel list"),
        EventKind.PERSONNEL_DECIDED: msg("Proposed person decided on"),
        EventKind.PERSONNEL_REMOVED: msg("Person taken off the personnel list"),
        EventKind.CONSENT_REQUESTED: msg("Consent requested"),
        EventKind.CONSENT_DECIDED: msg("Consent decided"),
        EventKind.CONSENT_WITHDRAWN: msg("Consent withdrawn"),
        EventKind.EXTRACT_REQUESTED: msg("Rung requested"),
        EventKind.EXTRACT_DECIDED: msg("Request for data decided on"),
        EventKind.EXTRACT_BEGUN: msg("Build of an extract begun"),
        EventKind.EXTRACT_ISSUED: msg("Extract issued"),
        EventKind.EXTRACT_REFUSED: msg("Extract not issued"),
        EventKind.EXTRACT_REVOKED: msg("Extract taken out of use"),
        EventKind.WORKSPACE_OPENED: msg("Workspace opened"),
        EventKind.BUDGET_GRANTED: msg("Privacy budget granted"),
        EventKind.BUDGET_SPENT: msg("Privacy budget spent"),
        EventKind.NOISY_ANSWERED: msg("Noisy statistics answered"),
        EventKind.NOISY_REFUSED: msg("Noisy statistics not answered"),
        EventKind.NOISY_MOUNTED: msg("Noisy statistics mounted read-only"),
        EventKind.EXTRACT_MOUNTED: msg("Extract mounted read-only"),
        EventKind.KERNEL_STARTED: msg("Kernel started"),
        EventKind.RUNG_CHOSEN: msg("Rung chosen"),
        EventKind.WORKSPACE_CLOSED: msg("Workspace closed"),
        EventKind.RUN_REQUESTED: msg("Sealed run requested, notebook frozen"),
        EventKind.RUN_DECIDED: msg("Code of a sealed run decided on"),
        EventKind.RUN_WITHDRAWN: msg("Sealed run taken back"),
        EventKind.RUN_STARTED: msg("Sealed run started"),
        EventKind.RUN_ENDED: msg("Sealed run ended"),
        EventKind.EXPORT_SUBMITTED: msg("Export request submitted, files frozen"),
        EventKind.EXPORT_CHECKED: msg("Machine check done"),
        EventKind.EXPORT_LOOKED_AT: msg("Frozen contents looked at"),
        EventKind.EXPORT_WITHDRAWN: msg("Export request withdrawn"),
        EventKind.VOTE_CAST: msg("Vote cast"),
        EventKind.EXPORT_APPROVED: msg("Export request approved"),
        EventKind.EXPORT_REFUSED: msg("Export request refused"),
        EventKind.EXPORT_EXPIRED: msg("Approval expired"),
        EventKind.RELEASE_DELIVERED: msg("Release delivered"),
        EventKind.GRANT_ISSUED: msg("Download grant issued"),
        EventKind.GRANT_REDEEMED: msg("Download grant used"),
        EventKind.PRODUCT_PROPOSED: msg("Product entered in the register"),
        EventKind.REGISTRATION_APPLIED: msg("Registration applied for"),
        EventKind.REGISTRATION_DECIDED: msg("Registration decided on"),
        EventKind.AMENDMENT_APPLIED: msg("Later registration applied for"),
        EventKind.AMENDMENT_DECIDED: msg("Later registration decided on"),
        EventKind.OBJECTION_RAISED: msg("Objection raised"),
        EventKind.OBJECTION_DECIDED: msg("Objection decided on"),
        EventKind.REGISTRATION_RENEWED: msg("Registration renewed"),
        EventKind.PRICE_CAPPED: msg("Price cap entered"),
        EventKind.PRICE_SET: msg("Price set"),
        EventKind.INCOME_PERMITTED: msg("Permitted income entered"),
        EventKind.ACCOUNT_ENTERED: msg("Account of a year entered"),
        EventKind.PAPER_PUBLISHED: msg("Yearly paper published"),
        EventKind.USAGE_METERED: msg("Use entered"),
        EventKind.CLOSING_BEGUN: msg("Closing of the licence begun"),
        EventKind.GRANT_REVOKED: msg("Download grant revoked"),
        EventKind.EVIDENCE_DISCARDED: msg("Released package deleted after its time"),
        EventKind.LICENCE_CLOSED: msg("Licence closed, certificate of destruction signed"),
    },
}

BETWEEN = msg(", ")
"""Between the members of a list in a sentence."""

SPOKEN_VALUES = frozenset({"bodies", "parts", "posts", "role", "roles", "verb", "status", "state", "seats"})
"""Names of values in the sentences of the rules that are codes of a closed list."""

TONES: Mapping[type[StrEnum], Mapping[StrEnum, str]] = {
    PersonStatus: {PersonStatus.PROPOSED: "wait", PersonStatus.ACTIVE: "good"},
    OrganisationStatus: {OrganisationStatus.PROPOSED: "wait", OrganisationStatus.ACTIVE: "good"},
    ChangeStatus: {
        ChangeStatus.PROPOSED: "wait",
        ChangeStatus.CONFIRMED: "good",
        ChangeStatus.DECLINED: "bad",
    },
    TableStatus: {TableStatus.DRAFT: "wait", TableStatus.PUBLISHED: "good"},
    ScenarioStatus: {
        ScenarioStatus.FILED: "wait",
        ScenarioStatus.APPROVED: "good",
        ScenarioStatus.REFUSED: "bad",
    },
    Stance: {Stance.SUPPORT: "good", Stance.OPPOSE: "bad"},
    PersonnelStatus: {
        PersonnelStatus.PROPOSED: "wait",
        PersonnelStatus.IN_FORCE: "good",
        PersonnelStatus.DECLINED: "bad",
    },
    LicenceStatus: {
        LicenceStatus.DRAFTING: "wait",
        LicenceStatus.DELIBERATING: "wait",
        LicenceStatus.SIGNED: "wait",
        LicenceStatus.FILED: "wait",
        LicenceStatus.ACTIVE: "good",
        LicenceStatus.SUSPENDED: "bad",
        LicenceStatus.TERMINATED: "bad",
    },
    ConsentStatus: {
        ConsentStatus.REQUESTED: "wait",
        ConsentStatus.GIVEN: "good",
        ConsentStatus.REFUSED: "bad",
        ConsentStatus.WITHDRAWN: "bad",
    },
    AnswerStatus: {
        AnswerStatus.COMPUTING: "wait",
        AnswerStatus.ANSWERED: "good",
        AnswerStatus.REFUSED: "bad",
        AnswerStatus.LOST: "bad",
        AnswerStatus.DESTROYED: "bad",
    },
    ExtractStatus: {
        ExtractStatus.BUILDING: "wait",
        ExtractStatus.ISSUED: "good",
        ExtractStatus.REFUSED: "bad",
        ExtractStatus.REVOKED: "bad",
    },
    Standing: {
        Standing.WAITING: "wait",
        Standing.GRANTED: "wait",
        Standing.BUILDING: "wait",
        Standing.FAILED: "bad",
        Standing.REFUSED: "bad",
        Standing.IN_USE: "good",
        Standing.REVOKED: "bad",
    },
    ExtractRequestStatus: {
        ExtractRequestStatus.REQUESTED: "wait",
        ExtractRequestStatus.APPROVED: "good",
        ExtractRequestStatus.REFUSED: "bad",
    },
    RunStatus: {
        RunStatus.IN_REVIEW: "wait",
        RunStatus.REFUSED: "bad",
        RunStatus.APPROVED: "wait",
        RunStatus.RUNNING: "wait",
        RunStatus.SUBMITTED: "good",
        RunStatus.FAILED: "bad",
    },
    RunDecisionKind: {RunDecisionKind.APPROVE: "good", RunDecisionKind.REFUSE: "bad"},
    ExtractDecisionKind: {ExtractDecisionKind.APPROVE: "good", ExtractDecisionKind.REFUSE: "bad"},
    WorkspaceStatus: {WorkspaceStatus.OPEN: "good"},
    RequestStatus: {
        RequestStatus.CHECKING: "wait",
        RequestStatus.MACHINE_REFUSED: "bad",
        RequestStatus.IN_REVIEW: "wait",
        RequestStatus.REFUSED: "bad",
        RequestStatus.APPROVED: "wait",
        RequestStatus.RELEASED: "good",
        RequestStatus.EXPIRED: "bad",
    },
    RegistrationStatus: {
        RegistrationStatus.DUE: "wait",
        RegistrationStatus.APPLIED: "wait",
        RegistrationStatus.ACCEPTED: "wait",
        RegistrationStatus.FORM_REVIEWED: "wait",
        RegistrationStatus.PUBLIC_NOTICE: "wait",
        RegistrationStatus.OBJECTED: "bad",
        RegistrationStatus.CODED: "good",
        RegistrationStatus.TERMINATED: "bad",
    },
    AmendmentStatus: {
        AmendmentStatus.APPLIED: "wait",
        AmendmentStatus.ACCEPTED: "wait",
        AmendmentStatus.FORM_REVIEWED: "wait",
        AmendmentStatus.PUBLIC_NOTICE: "wait",
        AmendmentStatus.OBJECTED: "bad",
        AmendmentStatus.ENTERED: "good",
        AmendmentStatus.RETURNED: "bad",
        AmendmentStatus.TERMINATED: "bad",
    },
    ObjectionStatus: {ObjectionStatus.RAISED: "wait", ObjectionStatus.UPHELD: "bad"},
    Consequence: {Consequence.NONE: "good", Consequence.ADJUST_PRICES: "wait", Consequence.ADJUST_CAPS: "bad"},
    ClosingStatus: {ClosingStatus.BEGUN: "wait", ClosingStatus.SEALED: "calm"},
    Timing: {Timing.IN_TIME: "good", Timing.DUE_SOON: "wait", Timing.OVERDUE: "bad"},
    BasisStatus: {BasisStatus.DRAFT: "wait", BasisStatus.IN_FORCE: "good"},
    Decision: {Decision.APPROVE: "good", Decision.OBJECT: "bad"},
    Grade: {Grade.L1: "good", Grade.L3: "wait", Grade.L4: "bad"},
    ColumnClass: {ColumnClass.DIRECT_ID: "bad", ColumnClass.QUASI_ID: "wait", ColumnClass.SENSITIVE_ATTR: "wait"},
}


def word(value: StrEnum) -> Message:
    """The word for a member of a closed list."""
    return WORDS[type(value)][value]


ORGANISATIONS = frozenset({"org", "orgs"})
"""Names of values that are ids of organisations; a page says their names."""


def say(
    message: Message | StrEnum | str, translate: Callable[[str], str], name_of: Callable[[str], str] | None = None
) -> str:
    """A sentence or word in the language of `translate`; roles, verbs and states inside it by their words as well.

    Text that is no message (a title, a name, a reason someone wrote) stays as it is.

    Args:
        name_of: The name of an organisation by its id, for a reader; without one the id stays.
    """
    if isinstance(message, StrEnum):
        message = word(message)
    if isinstance(message, str):
        return message
    if message.chinese:
        return message.render(translate)
    values = {name: _spoken(name, value, translate, name_of) for name, value in message.values}
    return translate(message.source).format_map(values)


def _spoken(
    name: str, value: Value, translate: Callable[[str], str], name_of: Callable[[str], str] | None
) -> str | int:
    if isinstance(value, Message):
        return say(value, translate, name_of)
    if name in ORGANISATIONS and name_of is not None and isinstance(value, str):
        return translate(BETWEEN.source).join(name_of(org) for org in value.split(", "))
    if isinstance(value, StrEnum):
        return translate(word(value).source) if type(value) in WORDS else value
    if name not in SPOKEN_VALUES or not isinstance(value, str):
        return value
    words = [_word_of_code(code) for code in value.split(", ")]
    if None in words:
        return value
    return translate(BETWEEN.source).join(translate(found.source) for found in words if found is not None)


def _word_of_code(code: str) -> Message | None:
    for kind, members in WORDS.items():
        if code in kind._value2member_map_:
            return members[kind(code)]
    return None


def tone(value: StrEnum) -> str:
    """How the badge of a state looks: `good`, `wait`, `bad` or `calm`."""
    return TONES.get(type(value), {}).get(value, "calm")
