"""The demonstration district begins in the past, and the past is decided by the rules of that time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.demo.seed import BACK
from hub.rulebook.packs import all_packs, pack_in_force


def test_demonstration_begins_when_thresholds_were_in_force() -> None:
    newest = max(pack.since for pack in all_packs())
    first_use = datetime(newest.year, newest.month, newest.day, tzinfo=UTC) + timedelta(days=1)
    pack_in_force(first_use - BACK)
    pack_in_force(datetime.now(UTC) - BACK)
