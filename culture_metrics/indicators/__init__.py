"""Scoring, weights, estimation and disclosure control: from respondents to Results."""
