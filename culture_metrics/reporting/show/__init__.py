"""What the notebooks show: each function takes what `read_inputs` returned and gives one figure or table."""

from culture_metrics.reporting.show.figures import answers, headline, heat_maps, published_answers, scores
from culture_metrics.reporting.show.links import link_checks, link_panel
from culture_metrics.reporting.show.lists import (
    checks,
    held_back,
    inputs,
    percentages,
    problems,
    rebuilt,
    standing,
    years,
)

__all__ = [
    "answers",
    "checks",
    "headline",
    "heat_maps",
    "held_back",
    "inputs",
    "link_checks",
    "link_panel",
    "percentages",
    "problems",
    "published_answers",
    "rebuilt",
    "scores",
    "standing",
    "years",
]
