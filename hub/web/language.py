"""The two languages of the hub, and how dates, sizes and digests are written in them.

English sentences are the message ids; `locales/` holds the Chinese. Whoever has not chosen gets the site's default.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hub.web import catalogs

LANGUAGE_COOKIE = "zhakou-language"
DISTRICT_TIME = ZoneInfo("Asia/Shanghai")
_LOCALES = {"zh": "zh_Hans_CN", "en": None}
_HTML_LANG = {"zh": "zh-CN", "en": "en"}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language as pages use it."""

    code: str
    translations: gettext.NullTranslations

    @property
    def html_lang(self) -> str:
        """The value of the `lang` attribute."""
        return _HTML_LANG[self.code]

    def gettext(self, source: str) -> str:
        """The sentence in this language."""
        return self.translations.gettext(source)


@cache
def language(code: str) -> Language:
    """The language of this code; an unknown code is a bug in the caller."""
    locale = _LOCALES[code]
    if locale is None:
        return Language(code=code, translations=gettext.NullTranslations())
    return Language(code=code, translations=catalogs.load(locale))


def chosen(cookie: str | None, default: str) -> Language:
    """The language of a reader: what the cookie says if it names one of the two, else the site's."""
    return language(cookie if cookie in _LOCALES else default)


def translator(code: str) -> Callable[[str], str]:
    """A gettext function for terminals and notices outside pages."""
    return language(code).gettext


def local_time(moment: datetime) -> str:
    """A moment in the district's time, to the minute. Moments without a zone are UTC (databases drop it)."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(DISTRICT_TIME).strftime("%Y-%m-%d %H:%M")


def start_of_day(day: date) -> datetime:
    """The moment a day begins in the district."""
    return datetime.combine(day, time(), tzinfo=DISTRICT_TIME).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """The moment a day is over in the district: what holds until a day holds on it."""
    return start_of_day(day + timedelta(days=1))


def iso_time(moment: datetime | date) -> str:
    """For the `datetime` attribute of a `time` element."""
    if isinstance(moment, datetime) and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.isoformat()


def file_size(size: int) -> str:
    """Bytes in binary units, one decimal place above the first."""
    value = float(size)
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise ValueError(size)


def short_digest(digest: str) -> str:
    """The first twelve hex digits, enough to compare by eye; the page carries the whole beside it."""
    return digest.removeprefix("sha256:")[:12]
