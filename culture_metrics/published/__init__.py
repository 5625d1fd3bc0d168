"""Official results in: read published workbooks, rebuild their scores, write workbooks of that shape.

- `is_published` tells such a file, `read_published` reads it: a `Published`.
- `rebuild_scores`: scores from the percentages of every answer.
- `tie_out`: where two official files of one release disagree.
- `write_published`: results in the layout of official workbooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.lazy_names import lazy_names

if TYPE_CHECKING:
    from culture_metrics.published.published import Published as Published
    from culture_metrics.published.read import is_published as is_published
    from culture_metrics.published.read import read_published as read_published
    from culture_metrics.published.rebuild import rebuild_scores as rebuild_scores
    from culture_metrics.published.ties import tie_out as tie_out
    from culture_metrics.published.write import write_published as write_published
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "Published": "published",
            "is_published": "read",
            "read_published": "read",
            "rebuild_scores": "rebuild",
            "tie_out": "ties",
            "write_published": "write",
        },
    )
