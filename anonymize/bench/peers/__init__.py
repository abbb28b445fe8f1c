"""One script per peer, run by path in that peer's own environment: nothing of this project can be imported there."""
