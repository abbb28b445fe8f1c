"""One Jinja environment for each language. Templates stand beside the pages they belong to: `catalog/list.html` is
`hub/catalog/templates/list.html`. Everything is escaped; a name that is not there is an error, never an empty text.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from hub.message import Message
from hub.rulebook.bases import registry
from hub.web import language as tongue
from hub.web import words

HUB = Path(__file__).resolve().parent.parent


def _loader() -> PrefixLoader:
    rooms = sorted(path.parent for path in HUB.glob("*/templates"))
    return PrefixLoader({room.name: FileSystemLoader(room / "templates") for room in rooms})


@cache
def environment(code: str) -> Environment:
    """The environment of the language `code`."""
    spoken = tongue.language(code)
    env = Environment(
        loader=_loader(),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.policies["ext.i18n.trimmed"] = True
    env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # added by the i18n extension
    env.install_gettext_translations(spoken.translations, newstyle=True)  # type: ignore[attr-defined]

    @pass_context
    def say(context: Context, value: Message | StrEnum | str) -> str:
        visit = context.get("visit")
        return words.say(value, spoken.gettext, visit.org if visit else None)

    def when(value: datetime | None) -> str:
        return "–" if value is None else tongue.local_time(value)

    def day(value: date | None) -> str:
        if value is None:
            return "–"
        return tongue.local_time(value)[:10] if isinstance(value, datetime) else value.isoformat()

    env.filters.update(
        say=say,
        when=when,
        day=day,
        iso=tongue.iso_time,
        size=tongue.file_size,
        short=tongue.short_digest,
        tone=words.tone,
        bases=registry().look_up,
    )
    return env
