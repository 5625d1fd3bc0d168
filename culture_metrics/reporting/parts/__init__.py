"""A page for each part of an organisation: one A4 sheet a group, an index, and PDFs where a browser is there."""
