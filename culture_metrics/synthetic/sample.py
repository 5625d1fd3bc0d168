"""Draw respondents from the synthetic population."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import DEFAULT, catalogue
from culture_metrics.errors import CultureMetricsError
from culture_metrics.extracts.extract import Extract
from culture_metrics.synthetic import places
from culture_metrics.synthetic.blocks import BLOCKS, FACTORS
from culture_metrics.synthetic.national import SHAPE, marginal
from culture_metrics.synthetic.organisation import Organisation, organisation
from culture_metrics.synthetic.population import Population, population

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culture_metrics.catalogue import Question
    from culture_metrics.synthetic.national import Floats
    from culture_metrics.synthetic.population import Item

    Codes = NDArray[np.int8]
    Places = NDArray[np.intp]

#: Rises when the same call would give other answers.
GENERATOR_VERSION = "1"
NO_ANSWER = -1


def respondents(
    year: int | str = 2024,
    organisations: int = 1,
    respondents_per_organisation: int = 2000,
    seed: int = 1,
    survey: str = DEFAULT,
) -> Extract:
    """Make a respondent extract whose population values are known.

    Parameters
    ----------
    year : int or str
        An edition of the survey, or a quarter such as "2024-Q1" of the pulse survey.
    organisations, respondents_per_organisation : int
        How many organisations (`SYN01`, `SYN02`, ...) and respondents in each.
    seed : int
        The same seed gives the same organisations in every year, and the same answers in every call.
    survey : str
        `nss_england` or `national_quarterly_pulse`.

    Returns
    -------
    Extract
        The frame holds `respondent`, `organisation`, `benchmark_group`, `region`, `ics`, `locality_1`
        (directorates, one of them too small to be shown), `locality_2` (sites), all String, and every
        question of the edition (Int8).

    Raises
    ------
    CultureMetricsError
        When a number is not positive, or the survey has no such edition.

    Notes
    -----
    Answers are shaped on rounded national percentages of 2024 (`data_schemas/nss_england/marginals.csv`);
    differences between groups of staff are invented. The same organisation differs between two years by
    chance only, but for the planted change (see `planted`).

    Examples
    --------
    >>> extract = respondents(2024, respondents_per_organisation=500)
    >>> extract
    Extract(NHS Staff Survey, England, 2024: 500 respondents, 1 organisation, 131 columns)
    >>> extract.frame["organisation"][0], extract.frame["q25c"].dtype
    ('SYN01', Int8)
    """
    size, period, edition = respondents_per_organisation, str(year), catalogue(survey).edition(year)
    check_numbers(organisations=organisations, respondents_per_organisation=size, seed=seed)
    people = population(survey, edition.period)
    columns = [c for q in edition.questions.values() for c in q.columns]
    codes = np.empty((len(columns), organisations * size), dtype=np.int8)
    text: list[pl.DataFrame] = []
    for index in range(1, organisations + 1):
        own = organisation(seed, index)
        rng = np.random.default_rng([seed, index, int("".join(c for c in period if c.isdigit()))])
        cell = np.unravel_index(rng.choice(own.cells.size, size, p=own.cells.ravel()), SHAPE)
        text.append(_text(own, cell[3], rng))
        drawn = _answers(people, own, period, cell, rng)
        for row, column in enumerate(columns):
            codes[row, (index - 1) * size : index * size] = drawn[column]
    answers = pl.DataFrame(dict(zip(columns, codes, strict=True))).with_columns(
        pl.all().replace(NO_ANSWER, None)
    )
    return Extract(
        survey=survey,
        period=period,
        frame=pl.concat([pl.concat(text), answers], how="horizontal"),
        provenance={
            "synthetic": True,
            "generator": f"culture_metrics.synthetic {GENERATOR_VERSION}",
            "seed": seed,
            "organisations": organisations,
            "respondents_per_organisation": size,
        },
    )


def check_numbers(**numbers: int) -> None:
    """Refuse what is not a whole number of at least one (or nought for a seed)."""
    for name, value in numbers.items():
        least = 0 if name == "seed" else 1
        if not isinstance(value, int) or value < least:
            raise CultureMetricsError(f"{name} must be a whole number of at least {least}", got=repr(value))


def _text(own: Organisation, directorate: Places, rng: np.random.Generator) -> pl.DataFrame:
    size = len(directorate)
    directorate = directorate.copy()
    # Drawn from all directorates, so that it takes nothing from the population value of any other.
    few = min(places.SMALL_DIRECTORATE_SIZE, size // 10)
    directorate[rng.choice(size, few, replace=False)] = len(places.DIRECTORATES)
    names = pl.Series([*places.DIRECTORATES, places.SMALL_DIRECTORATE])
    number = pl.int_range(1, size + 1).cast(pl.String).str.zfill(6)
    site = rng.choice(len(places.SITES), size, p=list(places.SITES.values()))
    return pl.select(
        respondent=pl.format(f"{own.code}-{{}}", number),
        organisation=pl.lit(own.code),
        benchmark_group=pl.lit(own.benchmark_group),
        region=pl.lit(own.region),
        ics=pl.lit(own.ics),
        locality_1=names.gather(directorate),
        locality_2=pl.Series(list(places.SITES)).gather(site),
    )


def _answers(
    people: Population,
    own: Organisation,
    period: str,
    cell: tuple[Places, ...],
    rng: np.random.Generator,
) -> dict[str, Codes]:
    """Draw the codes of every column, in the order of the form, so that routing sees the answers before."""
    size = len(cell[0])
    general = rng.standard_normal(size)
    factors = {
        name: weight * general + np.sqrt(1 - weight**2) * rng.standard_normal(size)
        for name, weight in FACTORS.items()
    }
    drawn: dict[str, Codes] = {}
    columns: dict[str, Codes] = {}
    for question in people.edition.questions.values():
        silent = rng.random(size) < people.missing(question)
        if question.asked_if:
            asked = [np.isin(drawn[gate], codes) for gate, codes in question.asked_if]
            silent |= ~np.logical_or.reduce(asked)
        if question.kind == "multi":
            codes = _ticks(people, cell, rng)
        elif question.id in people.items:
            item = people.items[question.id]
            codes = _answer(item, own.mean(item, period), cell, factors, rng)[None]
        else:
            codes = _cell_answer(question, cell, rng)[None]
        codes[:, silent] = NO_ANSWER
        drawn[question.id] = codes[0]
        columns |= dict(zip(question.columns, codes, strict=True))
    return columns


def _answer(
    item: Item,
    mean: Floats,
    cell: tuple[Places, ...],
    factors: dict[str, Floats],
    rng: np.random.Generator,
) -> Codes:
    block, size = BLOCKS[item.block], len(cell[0])
    behind = mean[cell] + np.sqrt(1 - block.loading**2) * rng.standard_normal(size)
    if block.factor:
        behind += block.loading * factors[block.factor]
    codes: Codes = np.array(item.order, dtype=np.int8)[(behind > item.cuts[:, None]).sum(axis=0)]
    if item.beside:
        edges = np.cumsum(item.beside_share, axis=0)[:, cell[0]]
        place = (rng.random(size) >= edges).sum(axis=0)
        off = place < len(item.beside)
        codes[off] = np.array(item.beside, dtype=np.int8)[place[off]]
    return codes


def _ticks(people: Population, cell: tuple[Places, ...], rng: np.random.Generator) -> Codes:
    """Tick grounds of discrimination; "other" is ticked by those who tick no other."""
    chance = np.stack([ground[cell[1:3]] for ground in people.grounds])
    ticks = rng.random(chance.shape) < chance
    return np.vstack([ticks, ~ticks.any(axis=0)]).astype(np.int8)


def _cell_answer(question: Question, cell: tuple[Places, ...], rng: np.random.Generator) -> Codes:
    """Answer what the cell already says: condition, or the code within the occupation or ethnic group."""
    group, minority, condition, _ = cell
    if question.id == "long_term_condition":
        return np.where(condition == 1, 1, 2).astype(np.int8)
    is_occupation = question.id == "occupation"
    grouping = question.scale.groups["occupation_group" if is_occupation else "ethnicity_summary"]
    percent, chance = marginal(question), rng.random(len(group))
    codes = np.empty(len(group), dtype=np.int8)
    for place, members in enumerate(grouping.values()):
        rows = (group if is_occupation else minority) == place
        edges = np.cumsum([percent[code] for code in members])
        codes[rows] = np.array(members, dtype=np.int8)[np.searchsorted(edges / edges[-1], chance[rows])]
    return codes
