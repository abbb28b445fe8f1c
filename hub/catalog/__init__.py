"""What departments register and the bureau publishes: tables, columns, grades, share and open types."""
