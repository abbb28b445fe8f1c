"""The Merkle tree against RFC 6962's own definition, and proofs against every size up to a bound."""

import hashlib

import pytest

from hub.ledger import tree

LEAVES = [tree.leaf_hash(bytes([number])) for number in range(33)]


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return tree.node_hash(by_definition(leaves[:split]), by_definition(leaves[split:]))


@pytest.mark.parametrize("size", range(34))
def test_root_is_that_of_the_rfc(size: int) -> None:
    assert tree.root_of(LEAVES[:size]) == by_definition(LEAVES[:size])


def test_known_roots_of_certificate_transparency() -> None:
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [tree.leaf_hash(bytes.fromhex(text)) for text in inputs]
    assert tree.root_of(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert tree.root_of(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@pytest.mark.parametrize("size", range(1, 34))
def test_every_leaf_is_proved_and_no_other(size: int) -> None:
    root = tree.root_of(LEAVES[:size])
    for index in range(size):
        proof = tree.inclusion_proof(LEAVES[:size], index)
        assert tree.root_from_inclusion(LEAVES[index], index, size, proof) == root
        assert tree.root_from_inclusion(tree.leaf_hash(b"other"), index, size, proof) != root
        assert tree.root_from_inclusion(LEAVES[index], index, size, (*proof, root)) is None
        if size > 1:
            assert tree.root_from_inclusion(LEAVES[index], (index + 1) % size, size, proof) != root


@pytest.mark.parametrize("size", range(1, 34))
def test_every_prefix_is_consistent_and_no_other_history(size: int) -> None:
    root = tree.root_of(LEAVES[:size])
    for old in range(1, size + 1):
        proof = tree.consistency_proof(LEAVES[:size], old)
        old_root = tree.root_of(LEAVES[:old])
        assert tree.consistent(old_size=old, old_root=old_root, size=size, root=root, proof=proof)
        forged = tree.root_of([*LEAVES[: old - 1], tree.leaf_hash(b"forged")])
        assert not tree.consistent(old_size=old, old_root=forged, size=size, root=root, proof=proof)


def test_index_outside_the_tree_is_refused() -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        tree.inclusion_proof(LEAVES, len(LEAVES))
    with pytest.raises(ValueError, match="outside"):
        tree.consistency_proof(LEAVES, 0)
    assert tree.root_from_inclusion(LEAVES[0], 1, 1, ()) is None
    assert not tree.consistent(old_size=0, old_root=b"", size=1, root=LEAVES[0], proof=())
