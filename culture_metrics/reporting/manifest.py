"""The manifest: what went into a report and what made it, so that someone else can repeat it."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import polars as pl

import culture_metrics
from culture_metrics.study.files import told_of
from culture_metrics.study.settings import STUDY_FILE
from culture_metrics.wording.numbers import held_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from culture_metrics.study.settings import Settings
    from culture_metrics.study.study import Study

PACKAGES = (
    "polars", "pandera", "numpy", "scipy", "plotly", "ipython", "mistune", "fastexcel", "xlsxwriter",
)  # fmt: skip


def manifest(
    study: Study,
    results: pl.DataFrame,
    notebooks: Sequence[str],
    left_out: Sequence[tuple[str, str]],
    calibrate: int = 0,
) -> dict[str, Any]:
    """Describe a report in plain values: no path, no name of a user or computer, no answer.

    Parameters
    ----------
    study : Study
        What was read.
    results : polars.DataFrame
        Results as they are written, suppressed.
    notebooks : sequence of str
        Those that ran.
    left_out : sequence of (str, str)
        Those that did not, and why.
    calibrate : int
        Pairs of years that show what verdicts are worth; 0 for none.

    Returns
    -------
    dict
        `culture_metrics, created, survey, organisation, year, periods, options, inputs, rows, notebooks,
        left_out, suppression, software`. `inputs` has file name, kind, period and SHA-256; `rows` the counts
        read, used and set aside of each respondent file, and those of the organisation, null where fewer than
        the minimum base answered or that would follow; `suppression` the
        rule and how many results are held back, in all and by period and breakdown; not for which reason,
        which would tell small groups from those hidden beside them. `attack` says how many sets of measures
        were attacked once all was decided, and of how many anything follows about fewer people;
        `earlier_reports` whether the ledger of an earlier report was kept to; `not_looked_at` what was not.
    """
    survey, rule = study.edition.survey, study.rule
    official = (
        f" Official workbooks hold back results on fewer than {survey.written_minimum}."
        if study.published
        else ""
    )
    # Groups are pooled in what is written: what is held back is counted group by group.
    attacked, found = study.attacked()
    own = [of.suppressed[0].table for of in study.every]
    counted = pl.concat([*own, results.filter(source="published")])
    return {
        "culture_metrics": culture_metrics.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "survey": survey.id,
        "organisation": study.organisation,
        "year": study.year,
        "periods": sorted({source.period for of in study.every for source in of.sources}),
        "options": {
            "breakdowns": list(study.by),
            "weighting": "none for respondent files" + ", as published for workbooks" * bool(study.published),
            "minimum_base": rule.minimum_base,
            "minimum_count": rule.minimum_count,
            "calibrate": calibrate,
        },
        "inputs": [
            *(
                _input(r.extract.provenance, "respondent file", r.extract.period)
                for of in study.every
                for r in of.reports
            ),
            *(
                _input(p.provenance, "published workbook", p.period)
                for of in study.every
                for p in of.published
            ),
            *_said(study.settings),
        ],
        "rows": [row for of in study.every for row in _rows(of)],
        "notebooks": list(notebooks),
        "left_out": [{"notebook": name, "reason": reason} for name, reason in left_out],
        "suppression": {
            "rule": f"{rule.words}{official}",
            "held_back": counted.select(held_back().sum()).item(),
            "by_breakdown": _held_back(counted),
            "attack": {"sets_of_measures": attacked, "open": found},
            "earlier_reports": any(
                call.from_ledger for of in study.every for e in of.extracts for call in e.decision.calls
            ),
            "not_looked_at": sorted(
                {e.decision.not_looked_at for of in study.every for e in of.extracts} - {None}
            ),
        },
        "software": {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }


def _rows(study: Study) -> Iterator[dict[str, Any]]:
    """Count the rows of each period; null where few answered, and what would give those away."""
    for one in told_of(study):
        report = one.report
        yield {
            "period": report.extract.period,
            "read": report.rows_read if one.whole else None,
            "used": None if one.few else report.rows_used,
            "set_aside": report.rows_set_aside if one.whole else None,
            "answers_set_aside": None if one.few else report.cells_set_aside,
            "used_of_organisation": None if one.few else one.own.frame.height,
        }


def _held_back(results: pl.DataFrame) -> list[dict[str, Any]]:
    """Count what is held back by period and breakdown: not which groups, nor how few they are."""
    return (
        results.group_by("period", "breakdown")
        .agg(results=pl.len(), held_back=held_back().sum())
        .filter(pl.col("held_back") > 0)
        .sort("period", "breakdown")
        .to_dicts()
    )


def _said(settings: Settings | None) -> list[dict[str, Any]]:
    """Return study.yaml and what it names beside the files of answers, as inputs."""
    if settings is None:
        return []
    kinds = {STUDY_FILE: "the trust's own words"} | {h.file: "headcounts" for h in settings.headcounts}
    paths = {name: settings.folder / name for name in kinds}
    return [
        _input({"file": name, "sha256": sha256(path.read_bytes()).hexdigest()}, kinds[name], "")
        for name, path in paths.items()
    ]


def _input(provenance: Mapping[str, Any], kind: str, period: str) -> dict[str, Any]:
    file = provenance.get("file")
    return {
        "file": file or "built-in example (invented)",
        "kind": kind,
        "period": period,
        "sha256": provenance.get("sha256") if file else None,
    }
