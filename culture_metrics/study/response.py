"""Response rates of a study: the headcounts that study.yaml names, and the respondents of its year."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.early_late import early_and_late, with_halves
from culture_metrics.contract import ALL
from culture_metrics.disclosure.ledger import write_ledger
from culture_metrics.disclosure.names import pooled
from culture_metrics.errors import ExtractError
from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.indicators.days import OTHERS
from culture_metrics.indicators.headcounts import read_headcounts
from culture_metrics.indicators.response_rates import KEY, response_rates
from culture_metrics.output import Output
from culture_metrics.problems import counted
from culture_metrics.wording.changes import amount
from culture_metrics.wording.columns import printed_change
from culture_metrics.wording.numbers import in_sentence, shown
from culture_metrics.wording.periods import period_words
from culture_metrics.wording.several import Figures, Sentences
from culture_metrics.wording.table import HELD, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.compare.early_late import EarlyAndLate
    from culture_metrics.disclosure.ledger import About
    from culture_metrics.disclosure.rule import Rule
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.days import Window
    from culture_metrics.indicators.headcounts import Headcounts
    from culture_metrics.indicators.response_rates import ResponseRates
    from culture_metrics.study.released import Released
    from culture_metrics.study.study import Study

NONE = (
    "Response rates are not known, as no headcounts were given: put a table of staff by directorate or "
    "department into the folder, and run culture-metrics setup"
)
NO_DAYS = "How the response grew is not known, as no headcounts were given."
SETUP = (
    "culture-metrics setup asks about such a column; in study.yaml it stands under the file, as "
    "`columns: {date of response: Submitted}`."
)
WHOLE = "Whole organisation"
SCHEMA = ["Breakdown", "Group", "Staff", "Answered", "Response rate", "95% interval"]


def rates_of(study: Released) -> tuple[ResponseRates, ...]:
    """Return the response rates of the year of the study, one for each table of headcounts.

    Groups whose results are held back have no rate: how many they are would say what others hide.
    """
    study.suppressed  # noqa: B018  what may be shown is decided for all tables together
    own = next((e for e in study.extracts if e.period == study.year), None)
    if own is None:
        return ()
    found = []
    for counts in study.headcounts:
        mine = _with_whole(counts.table, own)
        rates = response_rates(
            own, replace(counts, table=mine), study.rule.minimum_base, fieldwork_of(study, own)
        )
        found.append(replace(rates, table=_as_far_as_shown(rates.table, study)))
    return tuple(found)


def fieldwork_of(study: Released, own: Extract) -> Window:
    """Return first and last day of fieldwork, as study.yaml has them of the file."""
    files = study.settings.files if study.settings else ()
    return next((f.fieldwork for f in files if f.file == own.provenance.get("file")), (None, None))


def as_decided(study: Released) -> list[About]:
    """Return what was decided about each extract, with the halves of fieldwork that a ledger may know."""
    least = study.rule.minimum_base
    return [
        replace(about, frame=with_halves(own, least, fieldwork_of(study, own)))
        for about, own in zip(study.decided, study.extracts, strict=True)
    ]


def headcounts_of(study: Released) -> tuple[Headcounts, ...]:
    """Read the numbers of staff in the year of the study."""
    own = next((e for e in study.extracts if e.period == study.year), None)
    if study.settings is None or own is None:
        return ()
    latest = study.extracts[-1].period == study.year
    wanted = [h for h in study.settings.headcounts if h.year == study.year or (h.year is None and latest)]
    read = [read_headcounts(study.settings.folder / h.file, own, h.sheet) for h in wanted]
    return tuple(replace(r, table=r.table.filter(organisation=study.organisation)) for r in read)


def _with_whole(staff: pl.DataFrame, own: Extract) -> pl.DataFrame:
    """Add the whole organisation, if it is not there and a breakdown counts everybody."""
    if staff.is_empty() or (staff["breakdown"] == ALL).any():
        return staff
    for (one,), part in staff.group_by("breakdown", maintain_order=True):
        groups = own.frame.select(group_columns(own, [str(one)])[str(one)].cast(pl.String)).to_series()
        if groups.null_count() == 0 and set(groups) <= set(part["group"]):
            whole = part.head(1).with_columns(
                pl.lit(ALL).alias("breakdown"), pl.lit(ALL).alias("group"), staff=part["staff"].sum()
            )
            return pl.concat([whole.cast(staff.schema), staff])
    return staff


def _as_far_as_shown(table: pl.DataFrame, study: Released) -> pl.DataFrame:
    """Hide the rates of groups of which the study hides a leading score."""
    leading = [*study.edition.leading]
    scores = study.suppressed[0].table.filter(
        (pl.col("period") == study.year) & pl.col("measure").is_in(leading)
    )
    hidden = scores.filter(pl.col("status").cast(pl.String).str.starts_with("suppressed"))
    keys = hidden.select("breakdown", "group", pl.lit(value=True).alias("hide")).unique()
    joined = table.join(keys, on=["breakdown", "group"], how="left", maintain_order="left")
    hide = pl.col("hide").fill_null(value=False) & pl.col("base").is_not_null()
    blank = [
        pl.when(~hide).then(pl.col(c)).alias(c)
        for c in ("base", "staff", "estimate", "conf_low", "conf_high")
    ]
    status = pl.when(hide).then(pl.lit("suppressed")).otherwise("status").alias("status")
    return joined.with_columns(*blank, status).drop("hide")


def _without_names(table: pl.DataFrame, study: Released) -> pl.DataFrame:
    """Put hidden groups that the report names nowhere else together: a name says that few are there."""
    key = ["breakdown", "group"]
    elsewhere = study.results.table.select(key).unique()
    hidden = table.filter(pl.col("base").is_null(), pl.col("group") != ALL)
    gone = hidden.join(elsewhere, on=key, how="anti", maintain_order="left")
    together = [
        part.head(1).with_columns(
            pl.lit(pooled(part.height, study.rule.minimum_base)).alias("group"),
            pl.lit("suppressed").alias("status"),
        )
        for part in gone.partition_by("breakdown", maintain_order=True)
    ]
    order = {name: place for place, name in enumerate(table["breakdown"].unique(maintain_order=True))}
    kept = pl.concat([table.join(gone, on=key, how="anti", maintain_order="left"), *together])
    return kept.sort(pl.col("breakdown").replace_strict(order), maintain_order=True)


def response_of(study: Study) -> StudyResponse:
    """Put together what is known of who answered."""
    rates = rates_of(study)
    own = next((e for e in study.extracts if e.period == study.year), None)
    late = None
    if own is not None and own.dates is not None:
        try:
            late = early_and_late(own, study.rule.minimum_base, fieldwork_of(study, own))
        except ExtractError:
            late = None  # too few: the rest is said
    if study.ledger:
        write_ledger(study.ledger, study.decided)
    rows = [_without_names(one.table, study) for one in rates]
    table = pl.concat(rows) if rows else _none_at_all()
    found = StudyResponse(
        table, rates, _shown(study, rates, table), late, _non_response(study, table), study.rule
    )
    return found._with_provenance(study.provenance)


def _none_at_all() -> pl.DataFrame:
    texts, numbers = (*KEY, "status"), ("estimate", "conf_low", "conf_high")
    schema = {**dict.fromkeys(texts, pl.String), "base": pl.UInt32, "staff": pl.UInt32}
    return pl.DataFrame(schema=schema | dict.fromkeys(numbers, pl.Float64)).select(
        *KEY, "base", "staff", *numbers, "status"
    )


def _shown(study: Released, rates: Sequence[ResponseRates], table: pl.DataFrame) -> Table:
    """Lay the response rates out for readers."""
    if not rates:
        return Table(pl.DataFrame(schema=dict.fromkeys(SCHEMA, pl.String)), NONE)
    lines = [
        (
            _called(study, row["breakdown"]),
            "" if row["group"] == ALL else row["group"],
            HELD if row["staff"] is None else f"{row['staff']:,}",
            *_figures(row),
        )
        for row in table.iter_rows(named=True)
    ]
    few = sum(one.rare + one.unmatched.height for one in rates)
    note = f"; {counted(few, 'name')} stand on one side only" if few else ""
    odd = table.filter(status="impossible").height
    note += f"; {counted(odd, 'group')} with more answers than staff" if odd else ""
    frame = pl.DataFrame(lines, schema=dict.fromkeys(SCHEMA, pl.String), orient="row")
    return Table(
        frame, f"Response rates of {study.name}, {period_words(study.year)}{note}", numbers=tuple(SCHEMA[2:])
    )


def _called(study: Released, breakdown: str) -> str:
    return WHOLE if breakdown == ALL else study.edition.breakdown_label(breakdown, study.words)


def _figures(row: dict[str, float | int | str | None]) -> tuple[str, str, str]:
    if row["status"] == "impossible":
        return f"{row['base']:,}", "more than staff", ""
    if row["estimate"] is None:
        return HELD, HELD, ""
    return f"{row['base']:,}", f"{row['estimate']:.1f}%", f"{row['conf_low']:.1f} to {row['conf_high']:.1f}"


def _non_response(study: Study, table: pl.DataFrame) -> str:
    """Say how far those who did not answer could move the headline score, or undo its change."""
    headline, whole = study.edition.survey.defaults.headline, table.filter(breakdown=ALL, status="reported")
    own = study.results.table.filter(breakdown=ALL, period=study.year, measure=headline).drop_nulls(
        "estimate"
    )
    if whole.is_empty() or own.is_empty():
        return ""
    staff, score = whole["staff"][0], own.row(0, named=True)
    absent = 1 - score["base"] / staff
    label = in_sentence(study.edition.leading[headline].label) if headline in study.edition.leading else ""
    if absent <= 0 or not label:
        return ""
    silent = (
        f"the {shown(100 * absent, 'percent')} of the staff who did not answer in {period_words(study.year)}"
    )
    if not study.why_no_change:
        change = study.compare_years().table.filter(breakdown=ALL, measure=headline).drop_nulls("difference")
        for row in change.with_columns(printed=printed_change()).iter_rows(named=True):
            if not row["conf_low"] <= 0 <= row["conf_high"]:
                moved = "rise" if row["difference"] > 0 else "fall"
                tip = -row["difference"] / absent
                way = "lower" if tip < 0 else "higher"
                low, high = study.edition.survey.score_range
                beyond = "" if low <= row["estimate_to"] + tip <= high else ", which the scale does not allow"
                return (
                    f"To undo the {moved} of {label} by {amount(row['printed'], 'score')}, {silent} "
                    f"would have to stand {amount(tip, 'score')} {way} than those who did{beyond}, "
                    "had there been no such difference the year before."
                )
    return (
        f"Those who answered score {shown(score['estimate'], 'score')} on {label}. For each 0.10 by which "
        f"{silent} stand higher or lower, the score of all staff is {absent * 0.1:.2f} higher or lower."
    )


@dataclass(frozen=True, repr=False, eq=False)
class StudyResponse(Output):
    """Who answered: response rates of the year of a study, over fieldwork, and what silence could change.

    Attributes
    ----------
    table : polars.DataFrame
        `organisation, breakdown, group, base, staff, estimate, conf_low, conf_high, status`, as in
        `ResponseRates`; groups of which nothing is shown stand together, without their names.
    rates : tuple of ResponseRates
        One for each table of headcounts.
    shown : Table
        As readers see it.
    late : EarlyAndLate, optional
        Late answers beside early ones, where days of response are known.
    non_response : str
        How far those who did not answer could move the headline score; empty where it is not known.
    """

    table: pl.DataFrame
    rates: tuple[ResponseRates, ...]
    shown: Table
    late: EarlyAndLate | None
    non_response: str
    rule: Rule

    @property
    def frame(self) -> pl.DataFrame:
        """The table as readers see it: text in the trust's words."""
        return self.shown.frame

    def over_fieldwork(self) -> Figures:
        """Draw the response by day, with a table of groups and what late answers tell; or say why not."""
        found = next((one.over for one in self.rates if not isinstance(one.over, str)), None)
        if found is None:
            why = next((one.over for one in self.rates if one.over), NO_DAYS)
            named = not self.rates or why == OTHERS
            return Figures((), otherwise=str(why) if named else f"{why} {SETUP}")
        over = found._with_provenance(self.provenance)
        late = [] if self.late is None else [Sentences((self.late.summary(), self.late.rules()[1]))]
        groups = over.groups()
        return Figures((over.figure(), *([groups] if groups else []), *late), otherwise="")

    def summary(self) -> str:
        """Say how many answered, by when, and how far silence could move the headline score."""
        said = [one.summary() for one in self.rates] or [f"{NONE}."]
        said += [one.over.summary() for one in self.rates if not isinstance(one.over, str)][:1]
        return " ".join(
            [*said, *([self.late.summary()] if self.late else []), *filter(None, [self.non_response])]
        )

    def _leaving(self) -> pl.DataFrame:
        """Return the rates in the trust's words, as printed: they go to people."""
        super()._leaving()  # nothing small in what it is made of
        printed = [pl.col(c).round(1) for c in ("estimate", "conf_low", "conf_high")]
        return self.table.select(
            pl.Series("Breakdown", self.frame["Breakdown"], pl.String),
            pl.Series("Group", self.frame["Group"], pl.String),
            pl.col("staff").alias("Staff"),
            pl.col("base").alias("Answered"),
            *(c.alias(n) for c, n in zip(printed, ("Per cent", "Lower 95%", "Upper 95%"), strict=True)),
            "status",
        )

    def rules(self) -> tuple[str, ...]:
        """Say what the interval is of, and which rule decided what is shown."""
        said = [text for one in self.rates for text in one.rules()]
        return tuple(dict.fromkeys(said)) or (self.rule.words,)

    def _repr_html_(self) -> str:
        more = f"<p>{html.escape(self.non_response)}</p>" if self.non_response else ""
        return self.shown._repr_html_() + more
