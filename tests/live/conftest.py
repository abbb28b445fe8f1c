"""One workspace a module: a start takes seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.rooms import Room, open_room, spec_for


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("r")


@pytest.fixture(scope="module")
def room(folder: Path) -> Iterator[Room]:
    with open_room(spec_for(folder)) as room:
        yield room
