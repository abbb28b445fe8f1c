"""One PostgreSQL for all tests of a worker, started when the first of them asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import factories
from tests.postgres_house import Postgres, serve_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with serve_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """The test runs twice: the states that `tests.factories` makes lie in the one database, then in the other."""
    if request.param == "postgresql":
        factories.server = request.getfixturevalue("postgres")
    yield
    if factories.server is not None:
        factories.server.drop_all_but(factories.templates())
    factories.server = None
