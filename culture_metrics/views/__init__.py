"""Plotly figures in one house style. They know tidy columns, not the analyses that made them."""

from culture_metrics.views.beside_published import beside_published
from culture_metrics.views.change_map import change_map
from culture_metrics.views.changes import changes
from culture_metrics.views.distribution import distribution
from culture_metrics.views.estimates import estimates
from culture_metrics.views.funnel import funnel
from culture_metrics.views.gaps import gaps
from culture_metrics.views.heat_map import colour_limit, heat_map
from culture_metrics.views.indicators import indicators
from culture_metrics.views.lines import lines
from culture_metrics.views.links import designs, forest, influence
from culture_metrics.views.ranking import ranking
from culture_metrics.views.run_chart import run_chart
from culture_metrics.views.scatter import scatter
from culture_metrics.views.scores import scores
from culture_metrics.views.slope import slope
from culture_metrics.views.specifications import specifications
from culture_metrics.views.standing import standing_over_time
from culture_metrics.views.tipping import tipping
from culture_metrics.views.trend import trend
from culture_metrics.views.waterfall import waterfall
from culture_metrics.views.with_control import with_control

__all__ = [
    "beside_published",
    "change_map",
    "changes",
    "colour_limit",
    "designs",
    "distribution",
    "estimates",
    "forest",
    "funnel",
    "gaps",
    "heat_map",
    "indicators",
    "influence",
    "lines",
    "ranking",
    "run_chart",
    "scatter",
    "scores",
    "slope",
    "specifications",
    "standing_over_time",
    "tipping",
    "trend",
    "waterfall",
    "with_control",
]
