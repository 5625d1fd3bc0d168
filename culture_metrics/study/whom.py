"""Whom a study is about: the ODS code of an organisation that is given, or written in a file, by its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.files.organisations import codes_by_name, folded
from culture_metrics.files.organisations import no_such as no_organisation
from culture_metrics.study.settings import STUDY_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.errors import UnknownNameError
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.published import Published
    from culture_metrics.study.settings import Settings


def names_of(published: Sequence[Published]) -> dict[str, str]:
    """Return the codes of organisations by their names in workbooks; a name that two bear is none's.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> names_of(cm.study([]).published)["invented trust 1"]
    'SYN01'
    """
    return codes_by_name(
        row for book in published for row in book.organisations.select("organisation", "name").iter_rows()
    )


def code_of(wanted: str | None, published: Sequence[Published]) -> str | None:
    """Return the code of the organisation of exactly this name; what is no name of one comes back."""
    return None if wanted is None else names_of(published).get(folded(wanted), wanted.strip())


def by_code(extract: Extract, published: Sequence[Published]) -> Extract:
    """Write the code of an organisation that stands in a respondent file by its name in a workbook."""
    names = names_of(published)
    codes = {
        name: names[folded(name)]
        for name in extract.frame["organisation"].drop_nulls().unique()
        if folded(name) in names
    }
    if not codes:
        return extract
    frame = extract.frame.with_columns(pl.col("organisation").replace(codes))
    return replace(extract, frame=frame, provenance={**extract.provenance, "codes_of_names": codes})


def no_such(wanted: str, codes: Sequence[str], published: Sequence[Published]) -> UnknownNameError:
    """Make the error for an organisation that no file has; a name that is like one is only suggested."""
    return no_organisation(wanted, codes, names_of(published), "the files that were given")


def peers_of(settings: Settings, published: Sequence[Published]) -> Settings:
    """Write the codes of the peers that study.yaml names, each by its code or its exact name in a workbook.

    Raises
    ------
    UnknownNameError
        When no workbook has one of them.
    """
    if not settings.peers or not published:
        return settings
    known = {code.casefold(): code for book in published for code in book.organisations["organisation"]}
    names, codes = names_of(published), []
    for wanted in settings.peers:
        code = names.get(folded(wanted)) or known.get(wanted.strip().casefold())
        if code is None:
            raise no_organisation(wanted, [*known.values()], names, f"{STUDY_FILE}, peers")
        codes.append(code)
    return replace(settings, peers=tuple(codes))
