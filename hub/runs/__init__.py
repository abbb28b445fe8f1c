"""Sealed runs: reviewed code on the full extract, its outputs straight to the gate."""
