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


@dataclass
class Fields(HTMLParser):
    """What a browser would send of the form with this action if its reader changed nothing."""

    action: str
    values: dict[str, list[str]] = field(default_factory=dict)
    _inside: bool = False
    _select: str = ""
    _options: list[tuple[str, bool]] = field(default_factory=list)
    _area: str = ""
    _text: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("action", "").endswith(self.action)
        if not self._inside:
            return
        name = given.get("name", "")
        if tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            self.values.setdefault(name, []).append(given.get("value", "on"))
        elif tag == "select":
            self._select, self._options = name, []
        elif tag == "option" and self._select:
            self._options.append((given.get("value", ""), "selected" in given))
        elif tag == "textarea":
            self._area, self._text = name, []

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select" and self._select:
            chosen = [value for value, is_chosen in self._options if is_chosen] or [self._options[0][0]]
            self.values[self._select], self._select = chosen[:1], ""
        elif tag == "textarea" and self._area:
            self.values[self._area], self._area = ["".join(self._text).removeprefix("\n")], ""


def fields_of(page: str, action: str) -> dict[str, object]:
    """The fields of the form whose action ends so, as they stand on the page; the token is left to the browser."""
    reader = Fields(action=action)
    reader.feed(page)
    return {name: values for name, values in reader.values.items() if name != "csrf_token"}
