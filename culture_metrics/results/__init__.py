"""Results and Distributions: the tables that everything makes and everything reads, as objects."""

from culture_metrics.results.distributions import Distributions
from culture_metrics.results.results import Results

__all__ = ["Distributions", "Results"]
