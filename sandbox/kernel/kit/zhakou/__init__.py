"""闸口 inside a notebook: the extracts that came in, and the results that ask to go out.

from . import data, outbox

table = data.load("...")                              # de-identified, read-only
outbox.put(result, title="...", reason="...")         # into the outbox
outbox.rehearse()                                     # what the gate would say
"""

from . import data, outbox

__all__ = ["data", "outbox"]
