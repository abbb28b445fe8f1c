"""One site and one browser for all of these tests: starting them is most of the time they take."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.people import Town, open_town


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("town")) as town:
        yield town
