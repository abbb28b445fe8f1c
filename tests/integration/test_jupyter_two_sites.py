"""Two sites on one machine both have a workspace w-0001; neither may take down the other's."""

import pytest

from tests.integration.jupyter_house import Site, Visitor


def test_a_workspace_of_another_site_with_the_same_number_lives_on(tmp_path_factory: pytest.TempPathFactory) -> None:
    sites = [Site(tmp_path_factory.mktemp("site")) for _ in range(2)]
    try:
        visitors = []
        for site in sites:
            site.start()
            visitor = Visitor(site)
            visitor.sign_in("ky-analyst", site.password)
            assert visitor.open_workspace("ky-analyst", "l-0002").status == 200
            visitors.append(visitor)
        for visitor in visitors:
            assert visitor.get("/user/ky-analyst/l-0002/api/status").status == 200
    finally:
        for site in sites:
            site.stop()
