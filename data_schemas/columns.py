"""Column names and types of the fixed-shape tables, in order. No computing here."""

from __future__ import annotations

import polars as pl

UNITS = ["percent", "score"]
#: Kinds of 95 % interval: Student's t, Wilson's, t on the logit scale.
INTERVALS = ["t", "wilson", "logit"]
WEIGHTINGS = [
    "none",
    "occupation_group",
    "occupation_group_and_size",
    "size",
    "raked",
    "supplied",
    "as_published",
]
#: Hidden as too small, for another's sake, or without saying which, where that would give something away.
HIDDEN_STATUSES = ["suppressed_small_base", "suppressed_secondary", "suppressed"]
#: A figure of an official release that is known to be wrong there: it stands in the file and is no fact.
FAULTY = "faulty_in_release"
STATUSES = ["reported", *HIDDEN_STATUSES, "not_asked", "not_scored", FAULTY]
SOURCES = ["respondents", "published"]
OUTCOME_STATUSES = ["reported", "suppressed", "not_reported"]

Columns = dict[str, pl.DataType]

#: One row per survey, period, organisation, breakdown, group and measure.
RESULTS: Columns = {
    "survey": pl.String(),
    "period": pl.String(),
    "organisation": pl.String(),
    "breakdown": pl.String(),
    "group": pl.String(),
    "measure": pl.String(),
    "unit": pl.Enum(UNITS),
    "estimate": pl.Float64(),
    "std_error": pl.Float64(),
    "conf_low": pl.Float64(),
    "conf_high": pl.Float64(),
    "interval": pl.Enum(INTERVALS),
    "base": pl.UInt32(),
    "effective_base": pl.Float64(),
    "weighting": pl.Enum(WEIGHTINGS),
    "status": pl.Enum(STATUSES),
    "source": pl.Enum(SOURCES),
}

#: What identifies a row of Results.
RESULTS_KEY = [
    "survey",
    "period",
    "organisation",
    "breakdown",
    "group",
    "measure",
    "weighting",
    "source",
]

#: One row per response option: the percentage of all who answered, whatever the headline leaves out.
DISTRIBUTIONS: Columns = {
    "survey": pl.String(),
    "period": pl.String(),
    "organisation": pl.String(),
    "breakdown": pl.String(),
    "group": pl.String(),
    "question": pl.String(),
    "option": pl.Int16(),
    "percent": pl.Float64(),
    "std_error": pl.Float64(),
    "conf_low": pl.Float64(),
    "conf_high": pl.Float64(),
    "interval": pl.Enum(INTERVALS),
    "base": pl.UInt32(),
    "effective_base": pl.Float64(),
    "weighting": pl.Enum(WEIGHTINGS),
    "status": pl.Enum(STATUSES),
    "source": pl.Enum(SOURCES),
}

DISTRIBUTIONS_KEY = [
    "survey",
    "period",
    "organisation",
    "breakdown",
    "group",
    "question",
    "option",
    "weighting",
    "source",
]

#: One row per organisation and period.
ORGANISATIONS: Columns = {
    "survey": pl.String(),
    "period": pl.String(),
    "organisation": pl.String(),
    "name": pl.String(),
    "benchmark_group": pl.String(),
    "region": pl.String(),
    "ics": pl.String(),
}

ORGANISATIONS_KEY = ["survey", "period", "organisation"]

#: One row per outcome, organisation, group of staff or patients, and period as published.
OUTCOMES: Columns = {
    "outcome": pl.String(),
    "organisation": pl.String(),
    "group": pl.String(),
    "start": pl.Date(),
    "end": pl.Date(),
    "value": pl.Float64(),
    "level": pl.String(),
    "numerator": pl.Float64(),
    "denominator": pl.Float64(),
    "status": pl.Enum(OUTCOME_STATUSES),
    "rows": pl.UInt32(),
}

OUTCOMES_KEY = ["outcome", "organisation", "group", "start", "end"]
