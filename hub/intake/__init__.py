"""The raw zone: where a department table arrives and is read by the extract worker alone."""
