"""Official results in: read published workbooks, rebuild their scores, write workbooks of that shape."""

from culture_metrics.published.published import Published
from culture_metrics.published.read import is_published, read_published
from culture_metrics.published.rebuild import rebuild_scores
from culture_metrics.published.tie_out import tie_out
from culture_metrics.published.write import write_published

__all__ = ["Published", "is_published", "read_published", "rebuild_scores", "tie_out", "write_published"]
