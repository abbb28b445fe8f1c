"""How the walk in the terminal speaks: numbered steps with the time each took, refusals and findings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hub.errors import HubError
from hub.gate.model import ExportRequest
from hub.message import Message


class WalkFailed(Exception):
    """A step of the demonstration did not end as it must."""


class Terminal:
    """Prints the steps in one language, with the time each took."""

    def __init__(self, translate: Callable[[str], str]) -> None:
        self.translate = translate
        self._number = 0

    @contextmanager
    def step(self, title: Message) -> Iterator[None]:
        self._number += 1
        print(f"\n{self._number:>2}  {title.render(self.translate)}", flush=True)
        began = time.monotonic()
        yield
        print(f"     {time.monotonic() - began:.1f} s", flush=True)

    def line(self, message: Message) -> None:
        print(f"    {message.render(self.translate)}", flush=True)

    def refusals(self, error: HubError) -> None:
        for refusal in error.refusals:
            text, after = refusal.text.render(self.translate), refusal.next_step.render(self.translate)
            print(f"    ✗ [{refusal.rule}] {text} {after}", flush=True)

    def findings(self, request: ExportRequest) -> None:
        language = "zh" if self.translate("en") == "zh" else "en"
        for finding in request.check.report["findings"] if request.check else ():
            said = finding["i18n"][language]
            sign = {"block": "✗", "flag": "!", "note": "·"}[finding["level"]]
            print(f"    {sign} {finding['code']} ({finding['rule']}) {said['text']} {said['next_step']}", flush=True)
