"""What the notebooks show: each function takes what `read_inputs` returned and gives one figure or table."""

from culture_metrics.reporting.show.changes import (
    change_maps,
    findings,
    hidden_changes,
    not_comparable,
    staff_mix,
    year_comparison,
)
from culture_metrics.reporting.show.common import benchmark
from culture_metrics.reporting.show.figures import answers, headline, heat_maps, published_answers, scores
from culture_metrics.reporting.show.guide import definition, how_to_read
from culture_metrics.reporting.show.links import link_checks, link_panel
from culture_metrics.reporting.show.lists import (
    checks,
    held_back,
    inputs,
    percentages,
    problems,
    published_held_back,
    rebuilt,
    standing,
    years,
)
from culture_metrics.reporting.show.messages import stands_out

__all__ = [
    "answers",
    "benchmark",
    "change_maps",
    "checks",
    "definition",
    "findings",
    "headline",
    "heat_maps",
    "held_back",
    "hidden_changes",
    "how_to_read",
    "inputs",
    "link_checks",
    "link_panel",
    "not_comparable",
    "percentages",
    "problems",
    "published_answers",
    "published_held_back",
    "rebuilt",
    "scores",
    "staff_mix",
    "standing",
    "stands_out",
    "year_comparison",
    "years",
]
