"""Socket addresses survive what JupyterHub 6.1.1 does to them."""

from pathlib import Path
from urllib.parse import unquote, urlparse

from hypothesis import given
from hypothesis import strategies as st

from hub.jupyter.proxy import SCHEME, unix_address, with_port, without_port


@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1))
def test_a_path_comes_back_from_the_host_in_lower_case(name: str) -> None:
    path = Path("/") / name
    host = urlparse(unix_address(path)).hostname
    assert host is not None
    assert unquote(host) == str(path)


def test_the_glued_port_is_taken_off_for_the_proxy_and_put_back_for_the_hub() -> None:
    target = SCHEME + "%2fvar%2fs.sock"
    assert without_port(target + ":80") == target
    assert with_port(target) == target + ":80"
    assert with_port(with_port(target)) == target + ":80"


def test_other_targets_are_left_alone() -> None:
    for target in ("http://127.0.0.1:80", "http://127.0.0.1:8081"):
        assert without_port(target) == target
        assert with_port(target) == target
