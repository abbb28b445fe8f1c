"""One-time codes of demonstration accounts for the sign-in page: `GET /hub/demo-code?account=…`.

What must hold:
1. Answered where the state is a demonstration and the site is reached from this machine alone (`may_show`), else as if
   there were no such page.
2. Answered to a page of this site: by the name it is reached under, so that a foreign page that had a name of its own
   pointed at this machine gets nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from jupyterhub.handlers import BaseHandler
from tornado.web import HTTPError

from hub.demo.codes import code_for, may_show
from hub.demo.people import Account, accounts_by_organisation
from hub.errors import HubError
from hub.jupyter.site import site

HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def demo_accounts() -> tuple[tuple[str, str, Sequence[Account]], ...]:
    """Both names of each organisation and those of its accounts whose codes the sign-in page gives out; none on a site
    that is no demonstration."""
    return tuple(accounts_by_organisation()) if may_show(site().settings) else ()


class DemoCodes(BaseHandler):
    """A code that opens one demonstration account once."""

    async def get(self) -> None:
        if not may_show(site().settings):  # 1
            raise HTTPError(404)
        host = urlsplit(f"//{self.request.host}").hostname
        fetched = self.request.headers.get("Sec-Fetch-Site", "same-origin")
        if host not in HERE or fetched not in ("same-origin", "none"):  # 2
            raise HTTPError(404)
        account = self.get_argument("account", "")
        answer: dict[str, Any]
        try:
            answer = {"code": await asyncio.to_thread(code_for, site(), account)}
        except HubError as error:
            self.set_status(error.http_status)
            answer = {"rule": error.code}
        self.set_header("Cache-Control", "no-store")
        self.finish(answer)
