"""Links of indicators to outcomes: side by side, under every design, without each organisation."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.estimates import estimates
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import safe, safely
from culture_metrics.views.numbers import listed
from culture_metrics.wording.numbers import estimated, figures, number, p_values, places, sentences

#: Columns of a table of links that these figures read.
COLUMNS = [
    "outcome_label", "indicator", "term", "design", "design_label", "role", "model_id", "step", "step_label",
    "link", "effect", "effect_low", "effect_high", "effect_scale", "base", "n_orgs", "p_value",
]  # fmt: skip
EFFECT = ["effect", "effect_low", "effect_high"]
NUMBERS = [*EFFECT, "base", "n_orgs", "p_value"]
#: Terms in words, where the design alone does not say what is compared.
TERMS = {
    "within": "Within organisations",
    "between": "Between organisations",
    "indicator_to_outcome": "Indicator, then outcome",
    "outcome_to_indicator": "Outcome, then indicator",
}
RATIOS = ("rate ratio", "ratio", "odds ratio")
HEIGHT, NAMED = 380, 5


def forest(
    table: pl.DataFrame,
    *,
    title: str,
    subtitle: str = "",
    source: str = "",
    notes: str = "",
    level: float = 0.95,
) -> go.Figure:
    """Draw links of indicators to outcomes with their intervals: a panel for each outcome and design.

    Parameters
    ----------
    table : polars.DataFrame
        Rows of a table of links: `outcome_label, indicator, term, design, design_label, role, model_id,
        step, step_label, link, effect, effect_low, effect_high, effect_scale, base, n_orgs, p_value`.
    title, subtitle, source, notes : str
        What is seen, of whom, and where the numbers come from.
    level : float
        Level of the intervals.

    Returns
    -------
    plotly.graph_objects.Figure
        Ratios stand on a logarithmic axis. `layout.meta["alt"]` says every row.

    Raises
    ------
    ResultsError
        When the table lacks a column or has no rows.
    """
    table = _tidy(table, "views.forest")
    several = table["design"].n_unique() > 1
    design = pl.format("{}: {}", "outcome_label", _design()) if several else pl.col("outcome_label")
    name = pl.format("{} ({})", _title("indicator"), _term().str.to_lowercase())
    label = pl.when(_term() != "").then(name).otherwise(_title("indicator"))
    drawn = table.select(label=label, panel=design, axis=_axis(), strong=pl.lit(True), **_drawn())
    return estimates(drawn, axis="", title=title, subtitle=subtitle, source=source, notes=notes, level=level)


def designs(
    table: pl.DataFrame,
    *,
    title: str,
    subtitle: str = "",
    source: str = "",
    notes: str = "",
    level: float = 0.95,
) -> go.Figure:
    """Draw one link under every design on one axis, all for the step of the first main row.

    Parameters
    ----------
    table : polars.DataFrame
        Rows of a table of links of one indicator and one outcome, as `forest` takes them.
    title, subtitle, source, notes : str
        What is seen, of whom, and where the numbers come from.
    level : float
        Level of the intervals.

    Returns
    -------
    plotly.graph_objects.Figure
        Rows on another scale than the main one, such as ratios or standard deviations, stand in panels of
        their own. `layout.meta["alt"]` says every row.

    Raises
    ------
    ResultsError
        When the table lacks a column or has no rows.
    """
    table = _tidy(table, "views.designs")
    main = table.filter(pl.col("role") == "main").head(1)
    step, step_label, model = main.select("step", "step_label", "model_id").row(0)
    times = pl.when(_standardised()).then(1.0).otherwise(step / pl.col("step"))
    table = table.with_columns(
        pl.lit(step_label).alias("step_label"),
        *(pl.when(_ratio()).then(pl.col(c) ** times).otherwise(pl.col(c) * times) for c in EFFECT),
    ).with_columns(
        _panel=pl.when(_standardised()).then(pl.lit("In standard deviations")).otherwise(_raised(_scale()))
    )
    first = table.filter(model_id=model)["_panel"][0]
    variant = pl.col("model_id").str.extract(r"; (.*)$")
    plain = variant.is_null() | (variant == pl.col("design")) | (variant == "reverse path")
    together = pl.col("term").is_in(["within", "between"]).sum().over("model_id") > 1
    both = pl.when(together).then(pl.format("{} (both in one model)", _term()))
    words = pl.when(_term() != "").then(both.otherwise(_term())).otherwise(_design())
    drawn = table.select(
        label=pl.when(plain).then(words).otherwise(pl.format("{}: {}", words, variant)),
        panel=pl.when(pl.col("_panel") == first).then(pl.lit("")).otherwise("_panel"),
        axis=_axis(),
        strong=pl.col("model_id") == model,
        **_drawn(),
    )
    ordered = pl.concat([drawn.filter(panel=""), drawn.filter(pl.col("panel") != "")])
    return estimates(
        ordered, axis="", title=title, subtitle=subtitle, source=source, notes=notes, level=level
    )


def influence(  # noqa: PLR0913
    table: pl.DataFrame,
    *,
    estimate: float,
    conf_low: float,
    conf_high: float,
    x_title: str,
    title: str,
    subtitle: str = "",
    source: str = "",
    notes: str = "",
    level: float = 0.95,
) -> go.Figure:
    """Draw a slope without each organisation in turn, sorted, and name those that move it most.

    Parameters
    ----------
    table : polars.DataFrame
        `organisation`, `estimate` (the slope without it).
    estimate, conf_low, conf_high : float
        The slope with all of them and its interval: a line and a band.
    x_title : str
        What the axis shows.
    title, subtitle, source, notes : str
        What is seen, of whom, and where the numbers come from.
    level : float
        Level of the intervals.

    Returns
    -------
    plotly.graph_objects.Figure
        `layout.meta["alt"]` says range and names.

    Raises
    ------
    ResultsError
        When the table lacks a column or has no rows.

    Examples
    --------
    >>> table = pl.DataFrame({"organisation": ["RAA", "RBB"], "estimate": [-0.02, -0.03]})
    >>> influence(table, estimate=-0.025, conf_low=-0.04, conf_high=-0.01, x_title="Slope",
    ...     title="Without each").layout.meta["alt"]
    'Without each. Slope without each of 2 organisations: from \N{MINUS SIGN}0.030 (without RBB) to \
\N{MINUS SIGN}0.020 (without RAA); with all \N{MINUS SIGN}0.025 (95% interval \
\N{MINUS SIGN}0.040 to \N{MINUS SIGN}0.010).'
    """
    table = tidy(
        table,
        ["organisation", "estimate"],
        key=["organisation"],
        numbers=["estimate"],
        where="views.influence",
    )
    rows = table.drop_nulls("estimate").sort("estimate").with_row_index("y")
    moved = (pl.col("estimate") - estimate).abs()
    rows = rows.with_columns(_far=moved.rank("ordinal", descending=True) <= NAMED)
    fig = style.figure()
    band = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "line": {"width": 0}, "layer": "below"}
    fig.add_shape(**band, x0=conf_low, x1=conf_high, fillcolor=style.GRID)
    rule = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    fig.add_shape(**rule, x0=estimate, x1=estimate, line={"color": style.MARK, "width": 1.5})
    fig.add_shape(**rule, x0=0, x1=0, line={"color": style.TEXT, "width": 1.5, "dash": "dash"})
    for far, colour in ((False, style.MARK), (True, style.FOCUS)):
        some = rows.filter(_far=far)
        fig.add_scatter(
            name="named" if far else "others", x=some["estimate"].to_list(), y=some["y"].to_list(),
            mode="markers", marker={"size": 9 if far else 5, "color": colour},
            hovertext=some.select(
                pl.format("Without {}: {}", safely("organisation"), figures("estimate"))
            ).to_series().to_list(),
            hovertemplate="%{hovertext}<extra></extra>",
        )  # fmt: skip
    low, high = min([0.0, conf_low, *rows["estimate"]]), max([0.0, conf_high, *rows["estimate"]])
    _name(fig, rows, estimate)
    air = 0.06 * (high - low)
    fig.update_xaxes(
        range=[low - air, high + air], title_text=safe(x_title), showgrid=True, gridcolor=style.GRID
    )
    fig.update_yaxes(range=[-0.1 * rows.height - 1, 1.15 * rows.height], visible=False)
    digits = places(conf_low, conf_high)
    ends = [f"{number(rows['estimate'][i], digits)} (without {rows['organisation'][i]})" for i in (0, -1)]
    whole, interval = estimated(estimate, conf_low, conf_high)
    all_of_them = f"with all {whole} ({100 * level:g}% interval {interval})"
    return style.finish(
        fig,
        style.Room(height=HEIGHT, left=style.EDGE + 8, right=style.EDGE + 8, head=8, foot=56),
        title=title,
        subtitle=subtitle,
        source=source,
        notes=sentences(
            [f"Line and grey band: slope of all organisations and its {100 * level:g}% interval", notes]
        ),
        numbers=listed(rows, {"Without": "organisation", "Slope": figures("estimate")}, None),
        alt=f"Slope without each of {rows.height} organisations: from {ends[0]} to {ends[1]}; {all_of_them}.",
    )


def _name(fig: go.Figure, rows: pl.DataFrame, estimate: float) -> None:
    """Name the organisations that move the slope most, away from the others."""
    spread = 18 / HEIGHT * 1.25 * rows.height
    far = rows.filter(_far=True)
    below, above = far.filter(pl.col("estimate") < estimate), far.filter(pl.col("estimate") >= estimate)
    for some, side, way in ((below, "right", 1), (above.reverse(), "left", -1)):
        free = -float("inf")
        for row in some.to_dicts():
            free = max(free + spread, way * float(row["y"]))
            place = {"xref": "x", "yref": "y", "x": row["estimate"], "y": way * free, "xanchor": side}
            style.note(fig, safe(row["organisation"]), **place, xshift=-10 * way)


def _tidy(table: pl.DataFrame, where: str) -> pl.DataFrame:
    return tidy(table, COLUMNS, key=["model_id", "indicator", "term"], numbers=NUMBERS, where=where)


def _design() -> pl.Expr:
    return pl.col("design_label")


def _term() -> pl.Expr:
    return pl.col("term").replace_strict(TERMS, default="")


def _title(column: str) -> pl.Expr:
    return _raised(pl.col(column).str.replace_all("_", " "))


def _ratio() -> pl.Expr:
    return pl.col("effect_scale").is_in(RATIOS) & (pl.col("link") != "identity")


def _standardised() -> pl.Expr:
    return pl.col("term").is_in(["indicator_to_outcome", "outcome_to_indicator"])


def _axis() -> pl.Expr:
    """Expression: what an effect is counted in, and for which step."""
    step = pl.col("step_label").str.replace(r" \(.*\)$", "")
    scale = pl.when(_ratio() | pl.col("effect_scale").is_null()).then(_raised(_scale()))
    own = pl.format("{} per {}", scale.otherwise(pl.format("Difference in {},", "effect_scale")), step)
    later = pl.lit("SD of the later figure per +1 SD of the earlier")
    return pl.when(_standardised()).then(later).otherwise(own)


def _scale() -> pl.Expr:
    return pl.col("effect_scale").fill_null("not estimated")


def _raised(text: pl.Expr) -> pl.Expr:
    return text.str.slice(0, 1).str.to_uppercase() + text.str.slice(1)


def _drawn() -> dict[str, pl.Expr]:
    """Columns that every row of estimates has."""
    return {
        "ratio": _ratio().fill_null(False),
        "estimate": pl.col("effect"),
        "conf_low": pl.col("effect_low"),
        "conf_high": pl.col("effect_high"),
        "detail": pl.format(
            "{}; {} organisations, {} organisation-years; {}",
            "step_label",
            "n_orgs",
            "base",
            p_values("p_value"),
        ).fill_null(""),
    }
