"""A page for each part of an organisation: an index, and a sheet of A4 for each group."""
