"""How the answers to questions are spread, favourable to the right and unfavourable to the left."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import safely, width, wrap
from culture_metrics.views.numbers import listed
from culture_metrics.wording.numbers import (
    at_the_end,
    count,
    fixed,
    held_back,
    reasons,
    sentences,
    shown,
    why_not,
)

COLUMNS = [
    "question",
    "label",
    "option",
    "option_label",
    "percent",
    "base",
    "position",
    "beside",
    "favourable",
]
WHERE = "views.distribution"
QUESTION_WIDTH, BASE_WIDTH, LINE, BAR, PAD = 216, 58, 18, 26, 12
#: A number is written in a bar from this percentage on.
READABLE = 6
#: Percentage points left free between the parts of the figure.
APART = 6
LEFT, RIGHT, MIDDLE, BESIDE = "left", "right", "middle", "beside"
#: Each part's colours, from the centre outwards, and a name where labels differ. Where a part has more
#: answers than colours, those between have colours between.
SHADES = {
    LEFT: ((style.ORANGE, "Unfavourable"), (style.DARK_PINK, "Most unfavourable")),
    RIGHT: ((style.TURQUOISE, "Favourable"), (style.DARK_BLUE, "Most favourable")),
    MIDDLE: ((style.AROUND, "In the middle"),),
    BESIDE: ((style.PAPER, "Beside the scale"),),
}
#: What a colour of a part means.
Key = dict[str, list[tuple[str, str]]]


def distribution(table: pl.DataFrame, *, title: str, subtitle: str = "", source: str = "") -> go.Figure:
    """Draw the answers to one or many questions as bars that part at a common line.

    Favourable answers run to the right of the line and unfavourable ones to the left, each with the mildest
    nearest to it. The middle answer ("neither") is drawn apart at the right, because splitting it over the
    line would move the bars and make them hard to compare. Answers that are no point of the scale ("don't
    know") stand further right, hatched. Every bar is drawn to one scale.

    Parameters
    ----------
    table : polars.DataFrame
        One row per question and response option: `question`, `label`, `option`, `option_label`, `percent`
        (0-100), `base`, `position` (1..k along the scale), `beside` (not a point of the scale), `favourable`
        (true, false, or null for a middle answer; where it is null for a whole question, its lower positions
        go left and its higher ones right). A null percent, or a `status` other than reported, is not drawn.
    title, subtitle, source : str
        What is seen, its year and population, and where the numbers come from.

    Returns
    -------
    plotly.graph_objects.Figure
        `layout.meta["alt"]` says it in words.

    Raises
    ------
    ResultsError
        When the table lacks a column or has no rows.

    Examples
    --------
    >>> table = pl.DataFrame({"question": ["q1"] * 3, "label": ["Enough staff"] * 3, "option": [1, 2, 3],
    ...     "option_label": ["Disagree", "Neither", "Agree"], "percent": [50.0, 20.0, 30.0], "base": [90] * 3,
    ...     "position": [1, 2, 3], "beside": [False] * 3, "favourable": [False, None, True]})
    >>> distribution(table, title="Enough staff?").layout.meta["alt"]
    'Enough staff? Bars of the answers to Enough staff: Disagree 50.0%, Neither 20.0%, Agree 30.0%.'
    """
    table = tidy(table, COLUMNS, key=["question", "option"], numbers=["percent", "base"], where=WHERE)
    rows = _rows(table)
    bars = _coloured(_bars(table, rows)).sort("row", "part", "outwards", maintain_order=True)
    key = _key(bars)
    longest = max(width(line) for lines in rows["lines"] for line in lines.split("<br>"))
    left = style.EDGE + longest + 12 + BASE_WIDTH
    parts = _parts(bars, key, style.NARROWEST - left - style.EDGE)
    total = rows["bottom"].item(-1)

    fig = style.figure()
    style.pixel_rows(fig, total)
    fig.update_xaxes(range=[parts["low"], parts["high"]], visible=False)
    fig.update_layout(barmode="overlay")
    _draw(fig, bars, parts)
    fig.add_shape(type="line", x0=0, x1=0, y0=0, y1=total, line={"color": style.TEXT, "width": 1.5})
    _labels(fig, rows, left)
    head = _headings(fig, key, parts)
    apart = "middle answers stand at the right" if MIDDLE in key else ""
    return style.finish(
        fig,
        style.Room(height=total, left=left, head=head, foot=8),
        title=title,
        subtitle=sentences([subtitle, "percentages of all who answered", apart]),
        notes=reasons(table, "percent"),
        alt=_alt(bars, rows),
        source=source,
        numbers=listed(
            bars,
            {"Question": "label", "Answer": "option_label", "Per cent": "percent", "Base": "base"},
            "percent",
        ),
        suppressed=int(rows["suppressed"].sum()),
    )


def _rows(table: pl.DataFrame) -> pl.DataFrame:
    """Place every question on the page, as high as its label needs."""
    questions = table.group_by("question", maintain_order=True).agg(
        pl.col("label").first().cast(pl.String),
        pl.col("base").drop_nulls().max(),
        pl.col("percent").is_not_null().any().alias("drawn"),
        held_back().any().alias("suppressed"),
        why_not().filter(pl.col("percent").is_null()).first().alias("why"),
    )
    lines = [wrap(label, QUESTION_WIDTH) for label in questions["label"]]
    return (
        questions.with_columns(
            pl.Series("lines", ["<br>".join(text) for text in lines], pl.String),
            pl.Series("height", [max(BAR, LINE * len(text)) + PAD for text in lines]),
            count("base").alias("base_text"),
        )
        .with_columns(pl.col("height").cum_sum().alias("bottom"))
        .with_columns((pl.col("bottom") - pl.col("height") / 2).alias("y"))
    )


def _bars(table: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Give every option its part of the figure, its rank in that part and where its bar starts there."""
    beside = pl.col("beside").fill_null(value=False)
    points = pl.col("position").filter(~beside)
    unknown = pl.col("favourable").filter(~beside).is_null().all().over("question")
    from_middle = pl.col("position") - points.mean().over("question")
    good = pl.when(unknown).then(from_middle.sign()).otherwise(pl.col("favourable").cast(pl.Int8) * 2 - 1)
    chain = pl.when(beside).then(pl.lit(BESIDE)).when(good > 0).then(pl.lit(RIGHT))
    side = chain.when(good < 0).then(pl.lit(LEFT)).otherwise(pl.lit(MIDDLE))
    part = ["question", "part"]
    rises = pl.col("position").filter(part=RIGHT).mean() > pl.col("position").filter(part=LEFT).mean()
    turned = rises.over("question").fill_null(value=True) != (pl.col("part") != LEFT)
    end = pl.col("percent").fill_null(0).cum_sum().over(part)
    return (
        table.with_columns(pl.col("percent").cast(pl.Float64), side.alias("part"), unknown.alias("unknown"))
        .with_columns((pl.col("position") * pl.when(turned).then(-1).otherwise(1)).alias("outwards"))
        .join(rows.select("question", "y").with_row_index("row"), on="question", maintain_order="left")
        .sort("row", "part", "outwards", maintain_order=True)
        .with_columns(
            pl.int_range(pl.len()).over(part).alias("rank"),
            pl.when(part=LEFT).then(-end).otherwise(end - pl.col("percent")).alias("start"),
            (pl.len().over(part) - 1).alias("last"),
        )
        .with_columns(
            ((pl.col("rank") == pl.col("last")) & (pl.col("rank") > 0) & pl.col("part").is_in([LEFT, RIGHT]))
            .cast(pl.Int8)
            .alias("shade"),
            pl.when(pl.col("percent") >= READABLE)
            .then(pl.col("percent").round().cast(pl.Int64))
            .alias("text"),
            pl.format(
                "<b>{}</b><br>{}: {}<br>Base {}",
                safely("label"),
                safely("option_label"),
                fixed("percent", "percent"),
                count("base").fill_null("not known"),
            ).alias("hover"),
        )
    )


def _colour(part: str, rank: int, last: int) -> str:
    """Return the colour of an answer by its rank from the centre outwards."""
    mild, *strong = (colour for colour, _ in SHADES[part])
    return style.between(mild, strong[0], rank / last) if strong and last else mild


def _coloured(bars: pl.DataFrame) -> pl.DataFrame:
    """Add each answer's colour: every step of a scale is darker than the one before it."""
    ranks = bars.select("part", "rank", "last").unique().sort("part", "last", "rank")
    told = [_colour(*row) for row in ranks.iter_rows()]
    return bars.join(ranks.with_columns(pl.Series("colour", told)), on=["part", "rank", "last"])


def _key(bars: pl.DataFrame) -> Key:
    """Name the colours of each part: by the answers where all questions share them, else in general words."""
    found = (
        bars.group_by("part", "rank", "shade", "colour")
        .agg(pl.col("option_label").unique())
        .sort("part", "rank")
    )
    key = {}
    for (part,), ranks in found.group_by("part", maintain_order=True):
        shared = ranks["rank"].is_unique().all() and ranks["option_label"].list.len().max() == 1
        if shared:
            key[str(part)] = list(zip(ranks["colour"], ranks["option_label"].list.first(), strict=True))
        else:
            key[str(part)] = [SHADES[str(part)][n] for n in sorted(ranks["shade"].unique())]
    return key


def _parts(bars: pl.DataFrame, key: Key, pixels: float) -> dict[str, float]:
    """Return where each part starts on the scale; each is wide enough for its heading on a narrow page."""
    sums = bars.group_by("part", "question").agg(pl.col("percent").sum())
    most = sums.group_by("part").agg(pl.col("percent").max()).rows()
    wide = dict.fromkeys(SHADES, 0.0) | {part: sum_ + APART for part, sum_ in most}
    needed = {part: max(map(width, _heading(part, key[part], "□ "))) + 12 for part in key if part != LEFT}
    for _ in range(4):
        scale = sum(wide.values()) / pixels
        wide |= {part: max(wide[part], least * scale) for part, least in needed.items()}
    middle = wide[RIGHT]
    return {
        "low": -wide[LEFT],
        LEFT: 0.0,
        RIGHT: 0.0,
        MIDDLE: middle,
        BESIDE: middle + wide[MIDDLE],
        "high": middle + wide[MIDDLE] + wide[BESIDE],
    }


def _draw(fig: go.Figure, bars: pl.DataFrame, parts: dict[str, float]) -> None:
    for (part, shade), some in bars.drop_nulls("percent").group_by("part", "shade", maintain_order=True):
        colours = some["colour"].to_list()
        inks = [style.text_on(colour) for colour in colours]
        marker: dict[str, Any] = {"color": _one_or_all(colours), "line": {"color": style.PAPER, "width": 1.5}}
        if part == BESIDE:
            marker["line"] = {"color": style.MARK, "width": 1}
            marker["pattern"] = {"shape": "/", "fgcolor": style.AROUND, "bgcolor": style.PAPER, "size": 6}
        fig.add_bar(
            name=SHADES[str(part)][int(shade)][1],
            orientation="h",
            x=some["percent"].to_list(),
            base=(some["start"] + parts[str(part)]).to_list(),
            y=some["y"].to_list(),
            width=BAR,
            marker=marker,
            text=some["text"].to_list(),
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            constraintext="none",
            textfont={"size": style.LABEL, "color": _one_or_all(inks)},
            hovertext=some["hover"].to_list(),
            hovertemplate="%{hovertext}<extra></extra>",
        )


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(set(values)) == 1 else values


def _labels(fig: go.Figure, rows: pl.DataFrame, left: float) -> None:
    """Write the questions and their bases at the left, and why one is not drawn."""
    start = {"x": 0, "xanchor": "left", "align": "left", "xshift": style.EDGE - left}
    style.column(fig, rows["lines"], rows["y"], **start)
    bases = {"x": 0, "xanchor": "right", "xshift": -12, "font": style.QUIET}
    style.column(fig, rows["base_text"], rows["y"], **bases)
    style.note(fig, "Base", y=1, yanchor="bottom", **bases)
    hidden = rows.filter(~pl.col("drawn"))
    place = {"xref": "x", "x": 0, "xanchor": "left", "xshift": 8, "font": style.QUIET}
    style.column(fig, "not shown: " + hidden["why"], hidden["y"], **place)


def _headings(fig: go.Figure, key: Key, parts: dict[str, float]) -> float:
    """Write what each colour means above its part, and return the height of it."""
    most = 0
    for part, entries in key.items():
        lines = _heading(part, entries, "<span style='color:{};font-size:20px'>{}</span>")
        side, shift = ("right", -6) if part == LEFT else ("left", 2)
        place = {"xref": "x", "x": parts[part], "xanchor": side, "align": side, "xshift": shift}
        style.note(fig, "<br>".join(lines), **place, y=1, yanchor="bottom", yshift=LINE + 4)
        most = max(most, len(lines))
    return LINE * (1 + most) + 14


def _heading(part: str, entries: list[tuple[str, str]], swatch: str) -> list[str]:
    lines = []
    for own, name in entries:
        colour, mark = (style.MARK, "▨") if part == BESIDE else (own, "■")
        first, *more = wrap(name, 76 if part in {MIDDLE, BESIDE} else 180)
        square = swatch.format(colour, mark)
        lines += [f"{first} {square}" if part == LEFT else f"{square} {first}", *more]
    return lines


def _alt(bars: pl.DataFrame, rows: pl.DataFrame) -> str:
    said = []
    if rows.height == 1:
        options = bars.drop_nulls("percent").sort("beside", "position")
        named = options.select("option_label", "percent").rows()
        each = [f"{name} {shown(value, 'percent')}" for name, value in named]
        said.append(f"Bars of the answers to {rows['label'].item()}: {', '.join(each) or 'not shown'}.")
    else:
        said.append(f"Bars of the answers to {rows.height} questions.")
        known = bars.filter(~pl.col("unknown"), part=RIGHT).drop_nulls("percent")
        sums = known.group_by("question", maintain_order=True)
        shares = sums.agg(pl.col("label").first(), pl.col("percent").sum())
        if shares.height:
            (high, top), (low, bottom) = (
                at_the_end(shares, "label", "percent", "percent", highest=end) for end in (True, False)
            )
            level = shares.height > 1 and top == bottom
            ends = f"Most favourable answers: {high}, {top}; fewest: {low}, {bottom}."
            said.append(f"Each has {top} of favourable answers." if level else ends)
    hidden = rows.filter(~pl.col("drawn")).height
    if hidden and rows.height > 1:
        said.append(f"{hidden} not shown.")
    return " ".join(said)
