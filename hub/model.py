"""Every room's entities, imported once so that the database knows all tables."""

from hub.catalog import model as catalog
from hub.closing import model as closing
from hub.extracts import model as extracts
from hub.gate import model as gate
from hub.intake import model as intake
from hub.ledger import model as ledger
from hub.licensing import model as licensing
from hub.noisy import model as noisy
from hub.numbering import Counter
from hub.people import model as people
from hub.products import model as products
from hub.register import model as register
from hub.runs import model as runs
from hub.sharing import model as sharing
from hub.workspaces import model as workspaces

__all__ = [
    "Counter",
    "catalog",
    "closing",
    "extracts",
    "gate",
    "intake",
    "ledger",
    "licensing",
    "noisy",
    "people",
    "products",
    "register",
    "runs",
    "sharing",
    "workspaces",
]
