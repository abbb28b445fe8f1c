"""Evidence: every effect has its event in the same transaction, in an RFC 6962 tree."""
