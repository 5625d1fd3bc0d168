"""What a release warns of: whatever it hides that nobody would expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics import problems
from culture_metrics.errors import CultureMetricsWarning, SmallBaseWarning, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]


def warn_of_weights(hidden: pl.DataFrame) -> None:
    """Warn of weighted figures that are hidden for the sake of few who share a weight."""
    names = problems.listed(hidden["breakdown"].unique().sort())
    warn(
        f"{hidden.height:,} weighted figures ({names}) are hidden in some measure: few people there share a "
        "weight, and one weighted figure would tell what they answered. Ask for them without weights, or put "
        "small groups of the weights together.",
        SmallBaseWarning,
    )


def warn_of_other_answers() -> None:
    """Warn that answers are not what they were in an earlier call."""
    warn(
        "Answers are not what they were when results of this extract were shown before. Measures made of "
        "them are not shown where both together could give the answers of a few people away. If the earlier "
        "results went to nobody, read the file again.",
        CultureMetricsWarning,
    )


def warn_of_members(breakdowns: Sequence[str]) -> None:
    """Warn of breakdowns whose groups have other members than in an earlier run."""
    warn(
        f"The groups of {problems.listed(breakdowns)} have other members than in the earlier report that the "
        "ledger is of: none of them is shown, as the two together could give small groups away. Give the new "
        "grouping a column of its own, or report into another folder if the earlier report went to nobody.",
        CultureMetricsWarning,
    )


def warn_of_lost(breakdowns: Sequence[str]) -> None:
    """Warn of breakdowns that cannot be set beside what an earlier run showed."""
    warn(
        f"Of {problems.listed(breakdowns)} nothing is shown: the earlier report that the ledger is of shows "
        "groups that are not told any more, and both together could give small groups away. Leave the "
        "breakdowns of the earlier report as they were (in study.yaml), or report into another folder if it "
        "went to nobody.",
        CultureMetricsWarning,
    )


def warn_of_earlier(groups: pl.DataFrame, hidden: Flags, small: Flags) -> None:
    """Warn of breakdowns of which nothing can be shown beside what earlier calls showed."""
    whole = groups.with_columns(hidden=pl.Series(hidden), large=pl.Series(~small)).group_by(
        "organisation", "breakdown", maintain_order=True
    )
    gone = whole.agg(pl.col("hidden").all(), pl.col("large").any()).filter("hidden", "large")
    if gone.height:
        warn(
            "Beside what was shown of this extract before, no group of "
            f"{problems.listed(gone['breakdown'].unique().sort())} can be shown "
            f"({problems.listed(gone['organisation'].unique().sort())}): small groups would follow. Ask for "
            "all breakdowns in one call, on the extract as it was read.",
            CultureMetricsWarning,
        )
