"""The end of a licence: sealing, destruction with a signed certificate, final report."""
