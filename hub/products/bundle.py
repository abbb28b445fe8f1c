"""The released bundle: a zip that verifies offline.

`files/…` the released files; `statement.dsse.json` the signed statement; `ledger/entry.json` the ledger entry of the
delivery; `ledger/proof.json` its inclusion proof; `ledger/checkpoint.txt` the signed tree head; `keys.json` the public
keys; `VERIFY.md` what to do. The same release gives the same bytes, apart from the checkpoint it is proved against.
"""

from __future__ import annotations

import base64
import io
import os
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from hub.ledger.actions import Inclusion
from hub.ledger.canonical import canonical

_EPOCH = (1980, 1, 1, 0, 0, 0)

VERIFY = """# Verify this bundle / 验证本放行包

    zhakou verify bundle.zip
    zhakou verify bundle.zip --keys keys.json

The first form proves that the bundle is whole and was signed by the keys inside it. Compare their fingerprints with
those that the data bureau published, or give the keys.json it published with `--keys`: only then do you know who
signed.

第一种形式证明放行包完整,并由包内公钥对应的私钥签名。请将指纹与区数据局公布的公钥比对,或用 `--keys` 给出其公布的
keys.json:只有这样才能确认签名者。
"""


def bundle_bytes(
    *,
    files: Sequence[tuple[str, bytes]],
    envelope: bytes,
    inclusion: Inclusion,
    keys: dict[str, bytes],
    verify: str = VERIFY,
) -> bytes:
    """The bundle of `files` (name, bytes) and the statement about them. A certificate has no files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in sorted(files):
            _add(bundle, f"files/{name}", content)
        _add(bundle, "statement.dsse.json", envelope)
        _add(bundle, "ledger/entry.json", inclusion.body.encode())
        proof = {"seq": inclusion.seq, "size": inclusion.size, "proof": list(inclusion.proof)}
        _add(bundle, "ledger/proof.json", canonical(proof))
        _add(bundle, "ledger/checkpoint.txt", inclusion.note.encode())
        _add(bundle, "keys.json", canonical({name: base64.b64encode(raw).decode() for name, raw in keys.items()}))
        _add(bundle, "VERIFY.md", verify.encode())
    return buffer.getvalue()


def write_bundle(
    target: Path, *, files: Sequence[tuple[str, bytes]], envelope: bytes, inclusion: Inclusion, keys: dict[str, bytes]
) -> None:
    """Write the bundle of `files` (name, bytes) to `target`: a temporary name of its own, flushed, then renamed."""
    content = bundle_bytes(files=files, envelope=envelope, inclusion=inclusion, keys=keys)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _add(bundle: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, date_time=_EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    bundle.writestr(info, content)
