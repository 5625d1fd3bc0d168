"""Read respondent files, tell their format, normalise names and codes, validate, quarantine."""
