"""Random respondent extracts, each of a kind that disclosure control has to stand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from culture_metrics.extracts.extract import Extract

#: Occupation groups, by one code of each.
OCCUPATIONS = {
    "Registered Nurses and Midwives": 26,
    "Medical and Dental": 13,
    "Nursing or Healthcare Assistants": 34,
    "Wider Healthcare Team": 38,
    "Allied Health Professionals, Healthcare Scientists, Scientific and Technical": 1,
    "Social Care": 35,
    "Other": 42,
    "Ambulance (operational)": 18,
}
#: Weighting groups that these are in; who gave no occupation is in the last.
WEIGHTING = (
    "nursing", "medical_and_dental", "admin_and_clerical", "allied_health", "social_care", "paramedic", "other"
)  # fmt: skip
AGES = ["16-20", "21-30", "31-40", "41-50", "51-65", "66+"]
#: Three questions make a sub-score; three sub-scores make the theme.
PARTS = {
    "motivation": ("q2a", "q2b", "q2c"),
    "involvement": ("q3c", "q3d", "q3f"),
    "advocacy": ("q25a", "q25c", "q25d"),
}
THEME = "staff_engagement"
LABELS = {"occupation_group": "q35", "age": "q27c"}


@dataclass(frozen=True)
class Call:
    """One question put to the library about one extract (or several)."""

    verb: str
    by: tuple = ()
    options: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """An extract of each year, what is asked of it, and the groups that respondents belong to."""

    kind: str
    seed: int
    extracts: tuple[Extract, ...]
    labels: tuple[pl.DataFrame, ...]
    calls: tuple[Call, ...]


def make(kind: str, seed: int) -> Case:
    rng = np.random.default_rng([sorted(KINDS).index(kind), seed])
    return replace(KINDS[kind](rng), kind=kind, seed=seed)


# --- groups -----------------------------------------------------------------------------------------------


def sizes(rng, total: int, groups: int, tiny: float = 0.4) -> np.ndarray:
    """Whole numbers of people that sum to `total`, some of them very few."""
    few = rng.random(groups) < tiny
    size = np.where(few, rng.integers(1, 11, groups), 0)
    while size.sum() > total // 2:
        size[rng.integers(groups)] = 0
    rest = np.flatnonzero(size == 0)
    if not len(rest):
        rest = np.array([0])
    share = rng.dirichlet(np.full(len(rest), 2.0))
    size[rest] += rng.multinomial(total - size.sum(), share)
    return size


def named(codes, stem: str) -> pl.Series:
    return pl.Series([f"{stem} {chr(65 + c // 26) if c >= 26 else ''}{chr(65 + c % 26)}" for c in codes])


def column(rng, total: int, groups: int, stem: str, tiny: float = 0.4) -> pl.Series:
    codes = np.repeat(np.arange(groups), sizes(rng, total, groups, tiny))
    return named(rng.permutation(codes), stem)


def occupations(rng, total: int, kinds: int = 5, tiny: float = 0.4) -> pl.Series:
    names = np.array(list(OCCUPATIONS))[:kinds]
    return pl.Series(rng.permutation(np.repeat(names, sizes(rng, total, kinds, tiny))))


def extra(rng, total: int, wanted: int) -> dict[str, pl.Series]:
    """Some more breakdowns that have nothing to do with the others."""
    made = {
        "occupation_group": lambda: occupations(rng, total, int(rng.integers(3, 7))),
        "age": lambda: pl.Series(rng.permutation(np.repeat(AGES, sizes(rng, total, 6)))),
        "site": lambda: column(rng, total, int(rng.integers(2, 6)), "Site"),
        "grade": lambda: column(rng, total, int(rng.integers(2, 7)), "Grade"),
    }
    names = list(rng.permutation(list(made)))[:wanted]
    return {str(n): made[str(n)]() for n in names}


def with_gaps(rng, groups: dict[str, pl.Series]) -> pl.DataFrame:
    """Now and then a few people have no group."""
    frame = pl.DataFrame(groups)
    for name in frame.columns:
        if rng.random() < 0.15:
            gone = rng.choice(frame.height, int(rng.integers(1, 15)), replace=False)
            frame = frame.with_columns(
                pl.when(pl.int_range(pl.len()).is_in(gone.tolist()))
                .then(None)
                .otherwise(pl.col(name))
                .alias(name)
            )
    return frame


# --- answers ----------------------------------------------------------------------------------------------


def extract_of(
    rng,
    labels: pl.DataFrame,
    *,
    year: str = "2024",
    gaps: float | None = None,
    organisation=None,
    parts: int | None = None,
) -> Extract:
    """Respondents in these groups with answers by chance, and some without one."""
    total = labels.height
    if gaps is None:
        gaps = float(rng.choice([0.0, 0.02, 0.08, 0.15]))
    parts = parts or int(rng.choice([1, 1, 3]))
    base = {
        "respondent": [f"p{i:05d}" for i in range(total)],
        "organisation": organisation if organisation is not None else ["RXX"] * total,
        "benchmark_group": ["Acute and Acute & Community Trusts"] * total,
    }
    text = labels.drop([c for c in LABELS if c in labels.columns])
    answers = {}
    for part in list(PARTS)[3 - parts :]:
        for question in PARTS[part]:
            lean = rng.dirichlet(np.full(5, 1.5))
            code = rng.choice([1, 2, 3, 4, 5], total, p=lean)
            answers[question] = (
                pl.Series(np.where(rng.random(total) < gaps, 0, code)).cast(pl.Int8).replace(0, None)
            )
    if "occupation_group" in labels.columns:
        answers["q35"] = labels["occupation_group"].replace_strict(
            OCCUPATIONS, return_dtype=pl.Int8, default=None
        )
    if "age" in labels.columns:
        answers["q27c"] = labels["age"].replace_strict(
            {a: i + 1 for i, a in enumerate(AGES)}, return_dtype=pl.Int8, default=None
        )
    frame = pl.concat([pl.DataFrame(base), text, pl.DataFrame(answers)], how="horizontal")
    return Extract("nss_england", year, frame, {})


def total_of(rng) -> int:
    return int(rng.integers(60, 401))


def case(labels, extracts, calls) -> Case:
    as_tuple = lambda x: tuple(x) if isinstance(x, list | tuple) else (x,)  # noqa: E731
    return Case("", 0, as_tuple(extracts), as_tuple(labels), tuple(calls))


# --- kinds ------------------------------------------------------------------------------------------------


def nested_groups(rng, total: int, levels: int) -> dict[str, pl.Series]:
    """Departments within directorates, teams within departments; now and then somebody works elsewhere."""
    upper = np.repeat(np.arange(n := int(rng.integers(3, 7))), sizes(rng, total, n, 0.1))
    columns, number = [upper], 0
    for _ in range(levels - 1):
        lower = np.zeros(total, dtype=int)
        number = 0
        for code in np.unique(columns[-1]):
            here = np.flatnonzero(columns[-1] == code)
            groups = int(rng.integers(1, min(6, len(here)) + 1))
            lower[here] = number + np.repeat(np.arange(groups), sizes(rng, len(here), groups, 0.5))
            number += groups
        columns.append(lower)
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 3))):
            someone = rng.integers(total)
            columns[0] = columns[0].copy()
            columns[0][someone] = rng.integers(n)
    stems = ["Directorate", "Department", "Team"]
    return {f"locality_{i + 1}": named(c, stems[i]) for i, c in enumerate(columns)}


def nested(rng) -> Case:
    total, levels = total_of(rng), int(rng.integers(2, 4))
    groups = nested_groups(rng, total, levels)
    if rng.random() < 0.5:
        groups |= extra(rng, total, 1)
    labels = with_gaps(rng, groups)
    return case(labels, extract_of(rng, labels), [Call("estimate", tuple(groups))])


def coincide(rng) -> Case:
    """Groups of one breakdown, alone or together, are those of another but for a few people."""
    total = total_of(rng)
    kinds = int(rng.integers(3, 7))
    first = rng.permutation(np.repeat(np.arange(kinds), sizes(rng, total, kinds, 0.1)))
    merged = np.arange(kinds)
    for _ in range(int(rng.integers(0, 3))):
        merged[rng.integers(kinds)] = merged[rng.integers(kinds)]
    split = rng.random() < 0.5
    second = merged[first] * 2 + (rng.random(total) < 0.5 if split else 0)
    for _ in range(int(rng.integers(1, 4))):
        few = rng.choice(total, int(rng.integers(1, 6)), replace=False)
        second[few] = second[rng.integers(total)]
    names = np.array(list(OCCUPATIONS))
    groups = {"locality_1": named(second, "Directorate"), "occupation_group": pl.Series(names[first])}
    if rng.random() < 0.5:
        groups |= {k: v for k, v in extra(rng, total, 2).items() if k not in groups}
    labels = with_gaps(rng, groups)
    return case(labels, extract_of(rng, labels), [Call("estimate", tuple(groups))])


def crossed(rng) -> Case:
    total = total_of(rng)
    groups = {
        "locality_1": column(rng, total, int(rng.integers(2, 6)), "Directorate", 0.2),
        "locality_2": column(rng, total, int(rng.integers(2, 6)), "Site", 0.2),
    }
    by: list = ["locality_1", "locality_2", ("locality_1", "locality_2")]
    if rng.random() < 0.3:
        groups["locality_3"] = column(rng, total, int(rng.integers(2, 4)), "Grade", 0.2)
        by = [*groups, ("locality_1", "locality_2"), ("locality_1", "locality_3")]
    if rng.random() < 0.3:
        by = [b for b in by if isinstance(b, tuple) or rng.random() < 0.5]
    labels = with_gaps(rng, groups)
    return case(labels, extract_of(rng, labels), [Call("estimate", tuple(by))])


def overlap_groups(rng, total: int, wanted: int) -> dict[str, pl.Series]:
    groups: dict[str, pl.Series] = {}
    codes = None
    for i in range(wanted):
        n = int(rng.integers(2, 8))
        fresh = rng.permutation(np.repeat(np.arange(n), sizes(rng, total, n)))
        if codes is not None and rng.random() < 0.6:
            stay = rng.random(total) < rng.uniform(0.5, 0.98)
            fresh = np.where(stay, codes % n, fresh)
        codes = fresh
        groups[f"locality_{i + 1}" if i < 3 else ["site", "grade", "base"][i - 3]] = named(codes, f"G{i + 1}")
    return groups


def overlap(rng) -> Case:
    total = total_of(rng)
    groups = overlap_groups(rng, total, int(rng.integers(3, 7)))
    labels = with_gaps(rng, groups)
    return case(labels, extract_of(rng, labels), [Call("estimate", tuple(groups))])


def nonresponse(rng) -> Case:
    total = total_of(rng)
    if rng.random() < 0.5:
        groups = nested_groups(rng, total, 2)
    else:
        groups = overlap_groups(rng, total, int(rng.integers(1, 4)))
    labels = with_gaps(rng, groups)
    gaps = float(rng.choice([0.02, 0.05, 0.1, 0.15]))
    return case(labels, extract_of(rng, labels, gaps=gaps, parts=3), [Call("estimate", tuple(groups))])


def weighted(rng) -> Case:
    """An occupation mix that is not the organisation's, beside figures without weights."""
    total, kinds = total_of(rng), int(rng.integers(3, 6))
    groups = {"occupation_group": occupations(rng, total, kinds, 0.3)}
    if rng.random() < 0.5:
        groups |= nested_groups(rng, total, 2)
    else:
        groups |= overlap_groups(rng, total, int(rng.integers(1, 3)))
    # A ward of one occupation and a person of another, now and then.
    labels = with_gaps(rng, groups)
    if rng.random() < 0.5:
        name = next(c for c in labels.columns if c.startswith("locality"))
        ward = labels[name].drop_nulls().mode().sort()[0]
        alike = labels["occupation_group"].drop_nulls().mode().sort()[0]
        here = (labels[name] == ward).fill_null(value=False).to_numpy().nonzero()[0]
        others = here[int(rng.integers(1, 3)) :]
        labels = labels.with_columns(
            pl.when(pl.int_range(pl.len()).is_in(others.tolist()))
            .then(pl.lit(alike))
            .otherwise(pl.col("occupation_group"))
            .alias("occupation_group")
        )
    share = rng.dirichlet(np.full(len(WEIGHTING), 3.0))
    mix = dict(zip(WEIGHTING, share.tolist(), strict=True))
    by = tuple(labels.columns)
    calls = [Call("estimate", by), Call("estimate", by, {"mix": mix})]
    return case(labels, extract_of(rng, labels), calls)


def calls(rng) -> Case:
    """Two or three calls on one extract, in any order."""
    total = total_of(rng)
    style = int(rng.integers(3))
    if style == 0:
        groups = nested_groups(rng, total, 2)
    elif style == 1:
        groups = overlap_groups(rng, total, 3)
    else:
        groups = {
            "locality_1": column(rng, total, int(rng.integers(2, 6)), "Directorate", 0.2),
            "locality_2": column(rng, total, int(rng.integers(2, 6)), "Site", 0.2),
        }
    if rng.random() < 0.3:
        groups |= extra(rng, total, 1)
    labels = with_gaps(rng, groups)
    names = list(groups)
    crosses = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    made = []
    for _ in range(int(rng.integers(2, 4))):
        by: list = [n for n in names if rng.random() < 0.7]
        if rng.random() < 0.5:
            by.append(crosses[rng.integers(len(crosses))])
        by = by or [names[0]]
        verb = str(rng.choice(["estimate", "estimate", "distributions", "replicate", "agreement"]))
        if verb == "agreement":
            made.append(Call(verb, (str(rng.choice(names)),), {"measure": "advocacy"}))
        else:
            made.append(Call(verb, tuple(by)))
    return case(labels, extract_of(rng, labels), made)


def parts(rng) -> Case:
    """Calls on an extract and on parts of it: without a few people, or a group of one breakdown alone."""
    total = total_of(rng)
    groups = nested_groups(rng, total, 2) if rng.random() < 0.5 else overlap_groups(rng, total, 2)
    labels = with_gaps(rng, groups)
    names = list(groups)
    inside: dict[str, np.ndarray] = {}
    for number in range(int(rng.integers(1, 3))):
        if rng.random() < 0.6:
            here = np.ones(total, bool)
            here[rng.choice(total, int(rng.integers(1, 15)), replace=False)] = False
        else:
            column = labels[str(rng.choice(names))]
            here = (
                (column == rng.choice(column.drop_nulls().unique().sort())).fill_null(value=False).to_numpy()
            )
        inside[f"part {number}"] = here
    whole = labels
    for name, here in inside.items():
        labels = labels.with_columns(pl.Series(name, np.where(here, "in", "out")))
    extract = extract_of(rng, whole)
    made = [
        Call("estimate", tuple(n for n in names if rng.random() < 0.8), {"part": part} if part else {})
        for part in rng.permutation(["", *inside])
    ]
    if rng.random() < 0.3:
        made.append(Call("estimate", tuple(names), {"without": "q25a", **made[0].options}))
    return case(labels, extract, made)


def agreement(rng) -> Case:
    """Agreement within groups, beside the results of the same groups."""
    total = total_of(rng)
    groups = {"locality_1": column(rng, total, int(rng.integers(3, 9)), "Directorate", 0.5)}
    if rng.random() < 0.5:
        groups |= {"locality_2": column(rng, total, int(rng.integers(2, 6)), "Site", 0.2)}
    labels = with_gaps(rng, groups)
    asked = [Call("agreement", ("locality_1",), {"measure": "advocacy"})]
    if rng.random() < 0.7:
        asked.append(Call("estimate", tuple(groups)))
    return case(labels, extract_of(rng, labels), asked)


def draws(rng) -> Case:
    """Replicates of a total, which every respondent answered."""
    total = int(rng.integers(60, 200))
    labels = pl.DataFrame({"locality_1": column(rng, total, 3, "Directorate", 0.2)})
    asked = [Call("draws", (), {"measure": "recommend_place_to_work"})]
    return case(labels, extract_of(rng, labels, gaps=0.0, parts=1), asked)


def years(rng) -> Case:
    """Two years of one trust: most people answered in both, and teams are those of last year."""
    total = total_of(rng)
    groups = nested_groups(rng, total, 2)
    if rng.random() < 0.5:
        groups |= extra(rng, total, 1)
    labels = with_gaps(rng, groups)
    again = labels.sample(
        fraction=float(rng.uniform(0.85, 1.0)), seed=int(rng.integers(2**31)), shuffle=False
    )
    extracts = [extract_of(rng, labels, year="2023", parts=1), extract_of(rng, again, year="2024", parts=1)]
    return case(
        [labels, again],
        extracts,
        [Call("estimate", tuple(groups)), Call("decompose", tuple(groups), {"measure": "advocacy"})],
    )


def organisations(rng) -> Case:
    """Several organisations, some of few people, unweighted and as national figures."""
    number = int(rng.integers(2, 6))
    total = total_of(rng)
    size = sizes(rng, total, number, 0.4)
    names = [f"R{chr(65 + i)}X" for i in range(number)]
    own = np.repeat(names, size)
    labels = with_gaps(rng, overlap_groups(rng, total, int(rng.integers(1, 3))))
    eligible = {n: int(s * rng.uniform(1.2, 3)) + 1 for n, s in zip(names, size, strict=True)}
    by = tuple(labels.columns)
    extract = extract_of(rng, labels, organisation=own.tolist())
    labels = labels.with_columns(pl.Series("organisation", own))
    return case(labels, extract, [Call("estimate", by), Call("estimate", by, {"eligible": eligible})])


WARDS = [
    "Theatres North",
    "Outpatients",
    "Pharmacy",
    "Estates",
    "Maternity",
    "Cardiology",
    "Endoscopy",
    "Renal",
]
#: How people write the same ward, and what they write who have none.
SLIPS = [
    str.upper,
    str.lower,
    lambda w: w[:-1],
    lambda w: w[:3] + w[4:],
    lambda w: w[:2] + w[3:4] + w[2:3] + w[4:],
]
#: Not "Missing": a page says "Missing questions" of itself, which gives nobody away.
NONE = ["Unknown", "n/a", "Not known", "Not stated", "TBC"]


def texts(rng) -> Case:
    """Names as people write them, a column of addresses, and groups that vanish: what checks speak about."""
    total = total_of(rng)
    wards = list(rng.permutation(WARDS))[: int(rng.integers(4, 8))]

    def ward_column() -> pl.Series:
        codes = np.repeat(np.arange(len(wards)), sizes(rng, total, len(wards), 0.5))
        names = [str(wards[c]) for c in rng.permutation(codes)]
        for _ in range(int(rng.integers(1, 6))):
            for place in rng.integers(total, size=int(rng.integers(1, 4))):
                slip = SLIPS[int(rng.integers(len(SLIPS)))]
                names[place] = slip(names[place]) if rng.random() < 0.6 else str(rng.choice(NONE))
        return pl.Series(names)

    labels, extracts = [], []
    for year in ("2023", "2024"):
        groups = {"locality_1": ward_column(), "locality_2": column(rng, total, 5, "Site")}
        groups["contact"] = pl.Series([f"person{i}.{year}@trust.example" for i in range(total)])
        frame = pl.DataFrame(groups)
        if year == "2024" and rng.random() < 0.5:
            gone = frame["locality_1"].value_counts().filter(pl.col("count") < 11)["locality_1"].to_list()
            if gone:
                frame = frame.with_columns(pl.col("locality_1").replace(gone[0], "New Place"))
        labels.append(frame)
        extracts.append(extract_of(rng, frame, year=year, parts=1))
    return case(labels, extracts, [Call("estimate", ("contact",)), Call("validate"), Call("check_pair")])


KINDS = {
    "nested": nested,
    "coincide": coincide,
    "crossed": crossed,
    "overlap": overlap,
    "nonresponse": nonresponse,
    "weighted": weighted,
    "calls": calls,
    "parts": parts,
    "agreement": agreement,
    "draws": draws,
    "years": years,
    "organisations": organisations,
    "texts": texts,
}
