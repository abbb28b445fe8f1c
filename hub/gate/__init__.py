"""Export requests: frozen bytes, machine checks, votes."""
