"""From files to a report: read what is given, run the notebooks, write a page, tables and a manifest."""
