"""People and rules of the walk from a department table to a released product: one room per step."""
