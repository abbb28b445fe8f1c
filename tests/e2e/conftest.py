"""One site and one browser for a module of these tests: starting them is most of the time they take."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.people import Town, open_town


@pytest.fixture(scope="module")  # its browser holds an event loop that the next module of this worker must not meet
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("town")) as town:
        yield town
