"""Release, delivery and offline verification of what passed the gate."""
