"""Models of several waves that need structural equations: written for R's lavaan, not fitted here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import LinkError, unknown
from culture_metrics.links.given import outcome_of
from culture_metrics.links.output import link_verb
from culture_metrics.links.titles import heading, title_of
from culture_metrics.models.panel_arrays import panel_arrays
from culture_metrics.outcomes.panel import Panel
from culture_metrics.output import Output

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.outcomes.outcome import Outcome

MODELS = ("ri_clpm", "latent_growth")
FEWEST_WAVES, FEWEST_ORGANISATIONS = 3, 60
NORMAL_95 = 1.959964
WHY = (
    "no structural-equation package for Python could be trusted with it (semopy 2.3.11 has no wheel, and its "
    "fit statistics stop with an error on this model), and a cross-lagged regression is not the same thing"
)


@dataclass(frozen=True)
class LavaanModel(Output):
    """A panel in wide form and a script that fits its model with R's lavaan.

    Attributes
    ----------
    table : polars.DataFrame
        One row per organisation: `organisation, x1, x2, …, y1, y2, …`, in standard deviations over all waves.
    syntax : str
        The model in lavaan's language.
    script : str
        R code that reads `panel.csv`, fits the model and prints it.
    waves : tuple of int
        Years.
    """

    table: pl.DataFrame = field(repr=False)
    syntax: str = field(repr=False)
    script: str = field(repr=False)
    waves: tuple[int, ...]
    model: str
    indicator: str
    outcome: str

    def summary(self) -> str:
        """Say what to do with it."""
        return (
            f"{self.table.height} organisations in {len(self.waves)} waves ({self.waves[0]} to "
            f"{self.waves[-1]}). This package does not fit the model: save the data "
            "(`.save('panel.csv')`) and the script side by side, and run it in R with lavaan."
        )

    def figure(self) -> go.Figure:
        """Draw the mean of indicator and outcome in each wave, with its interval."""
        from culture_metrics import views

        series = {"x": title_of(self.indicator), "y": title_of(self.outcome)}
        name = pl.col("variable")
        long = self.table.unpivot(index="organisation").drop_nulls("value")
        means = (
            long.group_by(line=name.str.head(1), x=name.str.slice(1).cast(pl.Int64))
            .agg(estimate=pl.col("value").mean(), _error=pl.col("value").std() / pl.len().sqrt())
            .sort("line", "x")
            .with_columns(pl.col("line").replace_strict(series), pl.col("x") + self.waves[0] - 1)
        )
        reach = NORMAL_95 * pl.col("_error")
        return views.lines(
            means.with_columns(conf_low=pl.col("estimate") - reach, conf_high=pl.col("estimate") + reach),
            x_title="Year",
            y_title="Mean of all organisations (SD over all waves)",
            title=f"{heading(series['x'])} and {series['y']} over {len(self.waves)} waves",
            subtitle=f"{self.table.height} organisations",
            notes="What goes into the model; the model itself is fitted in R.",
        )

    def _repr_html_(self) -> str:
        return f"<p>{self.summary()}</p><pre>{self.script}</pre>"


@link_verb
def lavaan_model(
    data: Panel | pl.DataFrame | pl.LazyFrame,
    indicator: str,
    outcome: Outcome | str,
    *,
    model: str = "ri_clpm",
    organisation: str = "organisation",
    year: str = "year",
) -> LavaanModel:
    """Write a cross-lagged panel model with random intercepts, or a growth model, for R's lavaan.

    Parameters
    ----------
    data : Panel, polars.DataFrame or polars.LazyFrame
        What `panel` or `read_panel` returned, or a table of one row per organisation and year.
    indicator : str
        Number column; `x1`, `x2`, … in the model.
    outcome : Outcome or str
        Of any kind whose column holds numbers; `y1`, `y2`, … in the model, taken as continuous.
    model : {"ri_clpm", "latent_growth"}
        Cross-lagged paths between deviations from each organisation's own level, equal over time; or
        straight-line growth of both, with correlated levels and slopes.
    organisation, year : str
        Key columns.

    Returns
    -------
    LavaanModel
        `.table`, `.syntax`, `.script`; the numbers come from R.

    Raises
    ------
    LinkError
        With fewer than three waves, waves that are not one year apart, or fewer than 60 organisations.

    Notes
    -----
    RI-CLPM of Hamaker, Kuiper and Grasman (2015), which parts what organisations always are from how they
    move. Organisations that miss a wave stay in (full information maximum likelihood). Neither model is
    fitted here: semopy, the Python package for it, gave lavaan's estimates on a simulated panel to three
    digits, but comes without a wheel and its fit statistics stopped with an error on that model.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> panel = cm.synthetic.outcome_panel(organisations=80, years=range(2020, 2024))
    >>> made = cm.links.lavaan_model(panel, "staff_engagement", "inpatient_survey")
    >>> made.waves, made.table.width
    ((2020, 2021, 2022, 2023), 9)
    """
    if model not in MODELS:
        raise unknown("model of waves", model, MODELS)
    assert isinstance(data, Panel)  # by link_verb
    result = outcome_of(data, outcome)
    arrays = panel_arrays(data.table, [indicator, result.column])
    long = pl.DataFrame(
        {
            "organisation": [arrays.organisations[i] for i in arrays.organisation],
            "wave": arrays.year,
            "x": arrays.column(indicator),
            "y": arrays.column(result.column),
        }
    ).with_columns(pl.col("x", "y").fill_nan(None))
    long = long.filter(pl.any_horizontal(pl.col("x", "y").is_not_null()))
    waves = tuple(long["wave"].unique().sort().to_list())
    if len(waves) < FEWEST_WAVES or waves[-1] - waves[0] != len(waves) - 1:
        raise LinkError(
            "This model needs at least three waves, one year apart",
            got=f"waves {', '.join(map(str, waves))}",
            hint="Use link_outcomes with design='lagged', or keep a run of years without a gap.",
        )
    if long["organisation"].n_unique() < FEWEST_ORGANISATIONS:
        raise LinkError(
            f"{long['organisation'].n_unique()} organisations are too few for this model",
            expected=f"at least {FEWEST_ORGANISATIONS}",
            hint="Use link_outcomes with design='within_between'.",
        )
    wide = (
        long.with_columns((pl.col(c) - pl.col(c).mean()) / pl.col(c).std() for c in ("x", "y"))
        .with_columns(wave=pl.col("wave") - waves[0] + 1)
        .pivot("wave", index="organisation", values=["x", "y"])
    )
    names = [f"{c}{i + 1}" for c in "xy" for i in range(len(waves))]
    wide = wide.rename({name: name.replace("_", "") for name in wide.columns if name != "organisation"})
    syntax = _ri_clpm(len(waves)) if model == "ri_clpm" else _growth(len(waves))
    call = "lavaan" if model == "ri_clpm" else "growth"
    more = ", auto.var = TRUE, int.ov.free = TRUE, meanstructure = TRUE" if model == "ri_clpm" else ""
    script = (
        f"# x: {indicator}; y: {result.column}; wave 1 is {waves[0]}. In SD over all waves.\n"
        f'library(lavaan)\npanel <- read.csv("panel.csv")\nmodel <- "\n{syntax}"\n'
        f'fitted <- {call}(model, data = panel, missing = "fiml"{more})\n'
        "summary(fitted, fit.measures = TRUE, standardized = TRUE)\n"
    )
    return LavaanModel(
        wide.select("organisation", *names), syntax, script, waves, model, indicator, result.column
    )


def refuse_wave_model(design: object) -> None:
    """Refuse a model of waves where a design is asked for, and say where to get it."""
    if design in MODELS:
        raise LinkError(
            f"The model '{design}' is not fitted here: {WHY}",
            expected="a design of link_outcomes",
            hint=f"cm.links.lavaan_model(..., model='{design}') writes data and script for R.",
        )


def _ri_clpm(waves: int) -> str:
    steps = range(1, waves + 1)
    lines = [f"RI_{v} =~ {' + '.join(f'1*{v}{t}' for t in steps)}" for v in "xy"]
    lines += [f"w{v}{t} =~ 1*{v}{t}" for v in "xy" for t in steps]
    lines += [f"{v}{t} ~~ 0*{v}{t}" for v in "xy" for t in steps]
    for t in steps[1:]:
        lines += [f"wx{t} ~ xx*wx{t - 1} + xy*wy{t - 1}", f"wy{t} ~ yx*wx{t - 1} + yy*wy{t - 1}"]
    lines += [f"wx{t} ~~ wy{t}" for t in steps]
    return "\n".join([*lines, "RI_x ~~ RI_y", ""])


def _growth(waves: int) -> str:
    lines = []
    for v in "xy":
        lines.append(f"level_{v} =~ {' + '.join(f'1*{v}{t + 1}' for t in range(waves))}")
        lines.append(f"slope_{v} =~ {' + '.join(f'{t}*{v}{t + 1}' for t in range(waves))}")
    lines += [f"x{t + 1} ~~ y{t + 1}" for t in range(waves)]
    return "\n".join([*lines, ""])
