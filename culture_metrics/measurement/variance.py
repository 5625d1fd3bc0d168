"""One-way analysis of variance: intraclass correlations of groups of any sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.errors import MeasurementError

if TYPE_CHECKING:
    import polars as pl


def one_way(values: pl.Series, groups: pl.Series, level: float = 0.95) -> dict[str, float]:
    """Return mean squares, F test, both ICC(1), their interval and ICC(2); no nulls are expected.

    `group_size_mean` is N / J, `group_size` the size k0 = (N - Σn²/N) / (J - 1) that allows for unequal
    groups; `icc1` and its interval use k0, `icc1_mean_size` uses N / J, as R's multilevel package does.

    Raises
    ------
    MeasurementError
        When there are fewer than two groups, no group has two values, or nothing differs within or between
        groups.

    Examples
    --------
    >>> import polars as pl
    >>> one_way(pl.Series([1.0, 2, 4, 5]), pl.Series(["a", "a", "b", "b"]))["icc2"]
    0.9444444444444444
    """
    from scipy.special import fdtrc, fdtri

    y = values.to_numpy().astype(float)
    _, place = np.unique(groups.to_numpy(), return_inverse=True)
    sizes = np.bincount(place).astype(float)
    n, many = float(len(y)), float(len(sizes))
    if many < 2 or n <= many:
        raise MeasurementError(
            "An intraclass correlation needs at least two groups, one of them with two values",
            got=f"{len(sizes)} groups, {len(y)} values",
        )
    means = np.bincount(place, y) / sizes
    within = float(((y - means[place]) ** 2).sum() / (n - many))
    between = float((sizes * (means - y.mean()) ** 2).sum() / (many - 1))
    least = 1e-12 * float(y.var())
    if within <= least or between <= least:
        kind = "within a group" if within <= least else "between the means of groups"
        raise MeasurementError(
            f"'{values.name}' never differs {kind}, so there is nothing to compare",
            hint="Use respondents' values, not the groups' means.",
        )
    size = (n - (sizes**2).sum() / n) / (many - 1)
    ratio = between / within
    tails = fdtri(many - 1, n - many, [(1 + level) / 2, (1 - level) / 2])
    low, high = ((ratio / q - 1) / (ratio / q + size - 1) for q in tails)
    return {
        "groups": int(many),
        "group_size_mean": n / many,
        "group_size": size,
        "mean_square_between": between,
        "mean_square_within": within,
        "statistic": ratio,
        "df": many - 1,
        "df_within": n - many,
        "p_value": float(fdtrc(many - 1, n - many, ratio)),
        "icc1": (between - within) / (between + (size - 1) * within),
        "conf_low": float(low),
        "conf_high": float(high),
        "icc1_mean_size": (between - within) / (between + (n / many - 1) * within),
        "icc2": (between - within) / between,
    }
