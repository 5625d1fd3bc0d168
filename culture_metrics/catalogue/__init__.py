"""Typed, cached view of the catalogues in `data_schemas`: surveys, editions, questions, scales, measures."""

from culture_metrics.catalogue.known import (
    DEFAULT,
    catalogue,
    known_surveys,
    least_base,
    survey,
    surveys,
)
from culture_metrics.catalogue.model import (
    CROSS,
    QUESTION,
    Break,
    Breakdown,
    Defaults,
    Edition,
    Fault,
    Impossible,
    Level,
    Measure,
    Question,
    Scale,
    Survey,
)

__all__ = [
    "CROSS",
    "DEFAULT",
    "QUESTION",
    "Break",
    "Breakdown",
    "Defaults",
    "Edition",
    "Fault",
    "Impossible",
    "Level",
    "Measure",
    "Question",
    "Scale",
    "Survey",
    "catalogue",
    "known_surveys",
    "least_base",
    "survey",
    "surveys",
]
