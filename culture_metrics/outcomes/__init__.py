"""Outcomes of organisations, read and rolled up to the years of the survey, and the panel that holds both."""
