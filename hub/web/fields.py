"""What a form's field is called in front of people, by its name in the form. A refusal that names a field says this."""

from __future__ import annotations

from collections.abc import Mapping

from hub.message import Message, msg

FIELDS: Mapping[str, Message] = {
    "amount": msg("Amount"),
    "class": msg("Class of a column"),
    "code": msg("Query code"),
    "columns": msg("Licensed columns"),
    "compliance": msg("Opinion on compliance"),
    "confidentiality_until": msg("Bound until"),
    "corrects": msg("Corrects row"),
    "decision": msg("Decision"),
    "description": msg("Description"),
    "digest": msg("SHA-256 of the file"),
    "document": msg("Number of the document"),
    "ends": msg("Ends on"),
    "first": msg("First day"),
    "form": msg("Form of the product"),
    "from": msg("First day"),
    "grade": msg("Grade of a column"),
    "id": msg("Table id"),
    "item": msg("Items of the outbox"),
    "lane": msg("Lane"),
    "last": msg("Last day"),
    "letter": msg("Number of the letter"),
    "licence": msg("Licence"),
    "name": msg("Name"),
    "no_state_secret": msg("Secrecy review"),
    "open_basis": msg("Legal basis of the opening type"),
    "open_type": msg("Opening"),
    "org": msg("Department"),
    "origin": msg("Origin of the data"),
    "person": msg("Person"),
    "policy": msg("Policy"),
    "post": msg("Post"),
    "provider_org": msg("Department that shared them, if shared in"),
    "purpose": msg("Purpose"),
    "reason": msg("Written reason"),
    "recipient": msg("Who may download, once"),
    "reviewers": msg("Reviewers of each export"),
    "seat": msg("Seat"),
    "security": msg("Opinion on security risk"),
    "share_basis": msg("Legal basis of the sharing type"),
    "share_type": msg("Sharing"),
    "source": msg("Source of the power to grant"),
    "stance": msg("Opinion"),
    "starts": msg("Starts on"),
    "stated": msg("Statement"),
    "supersedes": msg("Replaces an earlier request"),
    "table": msg("Table"),
    "title": msg("Title"),
    "title_en": msg("Title in English"),
    "title_zh": msg("Title in Chinese"),
    "to": msg("Enter as"),
    "trained_until": msg("Trained until"),
    "typed": msg("Number of the licence, to confirm"),
    "unit": msg("Charge unit"),
    "until": msg("Last day"),
    "update_cycle": msg("Update cycle"),
    "yuan": msg("Yuan per unit"),
}
"""One name a field; what follows a point in a name (`class.3`) tells which one of many."""


def field_word(name: str) -> Message:
    """The words for a field. One that has none is named by its place in the form, and a test finds it."""
    return FIELDS.get(name.split(".")[0], msg("a field of this form"))
