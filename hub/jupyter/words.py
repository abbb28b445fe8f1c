"""Sentences on JupyterHub's own pages, in both languages at once.

JupyterHub renders its pages without asking who reads them in which language, and gives templates no request to look at.
So a sentence goes into the page twice, each with its `lang`, and the page shows the reader's (templates/page.html). The
sentence itself is written once, in English; the Chinese comes from the catalog of the hub.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from hub.errors import Refusal
from hub.message import Message
from hub.web.language import language
from sandbox.errors import SandboxError


def in_both(zh: str, en: str) -> Markup:
    """The two texts as page content; the reader sees one."""
    return Markup('<span lang="zh-CN">{}</span><span lang="en">{}</span>').format(zh, en)


def both(message: Message | str) -> Markup:
    """A sentence of the catalog in both languages. `_` in the templates."""
    if isinstance(message, str):
        message = Message(message)
    return in_both(message.render(language("zh").gettext), message.render())


def refusals_as_html(refusals: Iterable[Refusal]) -> Markup:
    """Each reason: what was refused, what to do next, the rule's code."""
    line = Markup('<p class="refusal">{} {} <code>{}</code></p>')
    return Markup("").join(line.format(both(r.text), both(r.next_step), r.rule) for r in refusals)


def said_in(refusal: Refusal) -> dict[str, str]:
    """A reason in each language, for a program that shows the one its reader knows."""
    zh = language("zh").gettext
    return {
        "code": refusal.rule,
        "zh": f"{refusal.text.render(zh)}{refusal.next_step.render(zh)} [{refusal.rule}]",
        "en": f"{refusal.text} {refusal.next_step} [{refusal.rule}]",
    }


def refusals_as_text(refusals: Iterable[Refusal]) -> str:
    """For programs and the log: English, one line."""
    return "; ".join(f"{r.text} {r.next_step} [{r.rule}]" for r in refusals)


def sandbox_error_as_html(error: SandboxError) -> Markup:
    """A refusal of the sandbox, which brings both languages itself."""
    words = in_both(
        f"{error.text.in_language('zh')}{error.next_step.in_language('zh')}",
        f"{error.text.in_language('en')} {error.next_step.in_language('en')}",
    )
    return Markup('<p class="refusal">{} <code>{}</code></p>').format(words, error.code)
