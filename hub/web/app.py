"""The portal: the shell, and the pages of every room behind one guard."""

from __future__ import annotations

import time
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI
from starlette.staticfiles import StaticFiles

from hub.catalog import pages as catalog
from hub.closing import pages as closing
from hub.context import Hub
from hub.extracts import pages as extracts
from hub.gate import pages as gate
from hub.jupyter.attempts import Attempts
from hub.ledger import pages as ledger
from hub.licensing import agreement_pages, personnel_pages
from hub.licensing import pages as licensing
from hub.noisy import pages as noisy
from hub.people import account_pages as accounts
from hub.people import pages as people
from hub.products import pages as products
from hub.register import pages as register
from hub.register import papers_pages as papers
from hub.register import suspension_pages as suspensions
from hub.rulebook import pages as rulebook
from hub.runs import pages as runs
from hub.sharing import pages as sharing
from hub.web import account, enrolment, entrance, home, refusals
from hub.web.enrolments import Enrolments
from hub.web.guards import Guards
from hub.web.sessions import Sessions
from hub.web.visit import Login, Portal, guard
from hub.workspaces import pages as workspaces

STATIC = Path(__file__).resolve().parent / "static"
ROOMS: tuple[APIRouter, ...] = (
    home.router,
    account.router,
    catalog.router,
    agreement_pages.router,
    personnel_pages.router,
    licensing.router,
    sharing.router,
    extracts.router,
    noisy.router,
    workspaces.router,
    runs.router,
    gate.router,
    products.router,
    register.router,
    papers.router,
    suspensions.router,
    closing.router,
    ledger.router,
    rulebook.router,
    accounts.router,
    people.router,
)
UPLOAD_OVERHEAD = 2**20
"""Bytes of a form around the file in it."""


def create_app(
    hub: Hub, login: Login, *, prefix: str = "/services/portal/", sessions: Sessions | None = None
) -> FastAPI:
    """The portal of one site.

    Args:
        prefix: The path it is served under, with a slash at both ends.
        sessions: Where sessions are kept; a fresh store when not given.
    """
    # No generated documentation and no redirects of slashes: both would answer before the guard.
    app = FastAPI(title="zhakou", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.portal = Portal(
        hub=hub,
        login=login,
        sessions=sessions or Sessions(),
        enrolments=Enrolments(),
        attempts=Attempts(time.monotonic),
        prefix=prefix,
    )
    base = prefix.rstrip("/")
    app.include_router(entrance.router, prefix=base)
    app.include_router(enrolment.router, prefix=base)
    for room in ROOMS:
        app.include_router(room, prefix=base, dependencies=[Depends(guard)])
    app.mount(f"{base}/static", StaticFiles(directory=STATIC), name="static")
    refusals.install(app)
    app.add_middleware(refusals.Mistakes)
    app.add_middleware(Guards, limits={f"{prefix}catalog/upload": hub.settings.max_raw_bytes + UPLOAD_OVERHEAD})
    return app
