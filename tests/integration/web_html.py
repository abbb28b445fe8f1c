"""What a page's source must be like for people who do not see it, and for the content policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

SILENT = frozenset({"hidden", "submit"})


@dataclass
class Faults(HTMLParser):
    """Fields without a label, tables without heads, doubled ids, and inline code that the policy would block."""

    found: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    labelled: set[str] = field(default_factory=set)
    ids: list[str] = field(default_factory=list)
    inside_label: int = 0

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.found += [f"inline {name} on {tag}" for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and not given.get("src")):
            self.found.append(f"inline {tag}")
        if tag == "img" and "alt" not in given:
            self.found.append("picture without alt")
        if tag == "iframe" and ("title" not in given or "sandbox" not in given):
            self.found.append("frame without title or sandbox")
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "label":
            self.inside_label += 1
            self.labelled.add(given.get("for", ""))
        if tag in ("input", "select", "textarea") and given.get("type") not in SILENT:
            named = self.inside_label or given.get("aria-label")
            self.fields += [] if named else [given.get("id", f"{tag} {given.get('name')}")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self.inside_label -= 1


def faults_of(page: str) -> list[str]:
    """Everything wrong with the source of a page."""
    reader = Faults()
    reader.feed(page)
    doubled = {one for one in reader.ids if reader.ids.count(one) > 1}
    return [
        *reader.found,
        *(f"no label: {one}" for one in reader.fields if one not in reader.labelled),
        *(f"id twice: {one}" for one in sorted(doubled)),
    ]
