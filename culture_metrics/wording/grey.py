"""What a map says where nothing on it is beyond chance: what is furthest, and what could have been seen."""

from __future__ import annotations

from statistics import NormalDist

import polars as pl

from culture_metrics.wording.numbers import fixed, several, shown, signed

#: Level of a map, all its cells together, and how often a true difference of the size said would be seen.
LEVEL, POWER = 0.05, 0.8
_NORMAL = NormalDist()


def furthest_change(rows: pl.DataFrame, unit: str, noun: str = "change") -> str:
    """Say that no change is beyond chance, and which is furthest from none for what is known of it.

    Parameters
    ----------
    rows : polars.DataFrame
        `group, label, difference, conf_low, conf_high`; nulls are left out.
    unit : {"score", "percent"}
        Unit of the measures.
    noun : str
        What the rows are.

    Examples
    --------
    >>> rows = pl.DataFrame({"group": ["Estates", "Ward"], "label": ["Morale", "Voice"],
    ...     "difference": [0.31, 0.9], "conf_low": [0.1, -0.9], "conf_high": [0.52, 2.7]})
    >>> furthest_change(rows, "score")
    'none of 2 changes is beyond chance; furthest is Morale in Estates, +0.31'
    """
    known = rows.drop_nulls(["difference", "conf_low", "conf_high"])
    none = f"none of {several(known.height, noun)} is beyond chance"
    if known.is_empty():
        return f"no {noun} may be compared"
    row = _furthest(known).row(0, named=True)
    return f"{none}; furthest is {_of(row)}, {signed(row['difference'], unit)}"


def furthest_apart(rows: pl.DataFrame, unit: str) -> str:
    """Say that no figure is clearly apart from the whole, and which is furthest for what is known of it.

    Parameters
    ----------
    rows : polars.DataFrame
        `group, label, estimate, reference, conf_low, conf_high`.
    unit : {"score", "percent"}
        Unit of the measures.
    """
    known = rows.with_columns(difference=pl.col("estimate") - pl.col("reference"))
    known = known.drop_nulls(["difference", "conf_low", "conf_high"])
    many = several(known.height, "score" if unit == "score" else "percentage")
    if known.is_empty():
        return f"none of {many} clearly apart from the whole"
    row = _furthest(known).row(0, named=True)
    return (
        f"none of {many} clearly apart from the whole; furthest is {_of(row)}, "
        f"{shown(row['estimate'], unit)} against {shown(row['reference'], unit)}"
    )


def seen_change(rows: pl.DataFrame, unit: str) -> str:
    """Say what true change would have been called in the middle cell, or nothing where it is not known."""
    sizes = rows["detectable_change"].drop_nulls() if "detectable_change" in rows.columns else pl.Series([])
    if sizes.is_empty():
        return ""
    return (
        f"In half of the cells a true change of {_size(float(sizes.median()), unit)} or more "  # type: ignore[arg-type]
        "would have been called in 4 of 5 cases."
    )


def seen_apart(rows: pl.DataFrame, unit: str) -> str:
    """Say what true difference one cell alone would have shown, by the middle width of the intervals.

    All cells are allowed for as Benjamini and Hochberg do for the furthest of them: its p-value has to be
    below 5 % divided by the number of cells. The error of a group's figure stands for that of its difference
    from the whole, of which it is a small part.

    Examples
    --------
    >>> rows = pl.DataFrame({"conf_low": [5.804], "conf_high": [6.196], "estimate": [6.0]})
    >>> seen_apart(rows, "score")
    'In half of the cells a true difference of about 0.28 or more would have been coloured in 4 of 5 cases.'
    """
    known = rows.drop_nulls(["estimate", "conf_low", "conf_high"])
    if known.is_empty():
        return ""
    width = float((known["conf_high"] - known["conf_low"]).median())  # type: ignore[arg-type]
    error = width / (2 * _NORMAL.inv_cdf(1 - LEVEL / 2))
    size = error * (_NORMAL.inv_cdf(1 - LEVEL / (2 * known.height)) + _NORMAL.inv_cdf(POWER))
    return (
        f"In half of the cells a true difference of about {_size(size, unit)} or more "
        "would have been coloured in 4 of 5 cases."
    )


def _furthest(known: pl.DataFrame) -> pl.DataFrame:
    spread = (pl.col("conf_high") - pl.col("conf_low")).abs()
    return known.sort((pl.col("difference").abs() / spread).fill_nan(None), descending=True, nulls_last=True)


def _of(row: dict[str, object]) -> str:
    return f"{row['label']} in {row['group']}"


def _size(value: float, unit: str) -> str:
    text = str(pl.select(fixed(pl.lit(value), unit)).item())
    return f"{text.removesuffix('%')} points" if unit == "percent" else text
