"""Where the work runs: one policy, the same result on every engine."""
