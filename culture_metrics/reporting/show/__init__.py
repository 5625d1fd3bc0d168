"""What the notebooks show: each function takes what `read_inputs` returned and gives one figure or table."""

from culture_metrics.reporting.show.changes import (
    change_by_mix,
    findings,
    hidden_changes,
    not_comparable,
    year_comparison,
)
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
    "change_by_mix",
    "checks",
    "findings",
    "headline",
    "heat_maps",
    "held_back",
    "hidden_changes",
    "inputs",
    "link_checks",
    "link_panel",
    "not_comparable",
    "percentages",
    "problems",
    "published_answers",
    "rebuilt",
    "scores",
    "standing",
    "year_comparison",
    "years",
]
