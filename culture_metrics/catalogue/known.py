"""The surveys that are known: those of the package, and those read from folders of one's own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from culture_metrics.catalogue.checks import read_own_survey
from culture_metrics.catalogue.load import read_survey
from culture_metrics.catalogue.model import Survey
from culture_metrics.errors import CatalogueError, UnknownNameError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The survey that is meant where none is named.
DEFAULT = "nss_england"
#: Surveys outside the package that were read in this process, by id.
_OWN: dict[str, Survey] = {}


def surveys() -> tuple[str, ...]:
    """Return the ids of the surveys that have a catalogue: those of the package, then those read by `survey`.

    Examples
    --------
    >>> surveys()[:2]
    ('national_quarterly_pulse', 'nss_england')
    """
    return (*_packaged(), *sorted(_OWN))


@cache
def _packaged() -> tuple[str, ...]:
    return tuple(
        sorted(p.name for p in files("data_schemas").iterdir() if p.joinpath("questions.csv").is_file())
    )


def catalogue(survey: str = DEFAULT) -> Survey:
    """Return the catalogue of a survey: every question, scale, measure and breakdown of every edition.

    Parameters
    ----------
    survey : str
        `nss_england` (the NHS Staff Survey), `national_quarterly_pulse`, or the id of a survey that was read
        with `survey`.

    Returns
    -------
    Survey
        `.edition(2024)` gives the questions and measures of a year, `.describe(name)` of an edition says
        what one of them is.

    Raises
    ------
    UnknownNameError
        When there is no such survey.

    Notes
    -----
    Built from the data files in `data_schemas`. What has not been read in an official guide is marked there
    and shown by `describe`.

    Examples
    --------
    >>> len(catalogue().edition(2024).questions), len(catalogue().edition(2024).scores)
    (118, 30)
    """
    if survey in _OWN:
        return _OWN[survey]
    if survey not in _packaged():
        error = unknown("survey", survey, surveys())
        own = "One of your own is read from its folder: cm.survey('folder'), or --survey folder."
        raise UnknownNameError(error.what, hint=f"{error.hint} {own}")
    return _of_package(survey)


def known_surveys(names: Iterable[str]) -> dict[str, Survey]:
    """Return those surveys of a table of results that have a catalogue, by id.

    Examples
    --------
    >>> list(known_surveys(["nss_england", "elsewhere"]))
    ['nss_england']
    """
    return {name: catalogue(name) for name in names if name in surveys()}


def least_base(names: Iterable[str]) -> int:
    """Return the minimum base of results of these surveys: the largest; of others that of the NHS survey.

    Examples
    --------
    >>> least_base(["nss_england"]), least_base([])
    (11, 11)
    """
    known = known_surveys(names)
    return max(s.minimum_base for s in (known or known_surveys([DEFAULT])).values())


@cache
def _of_package(survey: str) -> Survey:
    try:
        return read_survey(survey, files("data_schemas").joinpath(survey))
    except (KeyError, ValueError, TypeError) as error:
        raise CatalogueError(
            f"The catalogue of {survey} does not hold together ({type(error).__name__}: {error})",
            where=f"data_schemas/{survey}",
            hint=f"culture-metrics survey check data_schemas/{survey} says where.",
        ) from error


def survey(folder: str | Path | Survey) -> Survey:
    """Read a survey of your own from its folder of YAML and CSV files, and make it known by its id.

    Parameters
    ----------
    folder : str, Path or Survey
        The folder, inside or outside the package, as `data_schemas/README.md` describes it; the id of a
        survey that is known already; or a survey, which is returned.

    Returns
    -------
    Survey
        `read_extract`, `study` and `report` take it as `survey=`; files with its codes are told to be
        of it from then on.

    Raises
    ------
    CatalogueError
        When its files do not hold together: every mistake, with file, row, column and remedy.

    Examples
    --------
    >>> survey("nss_england").label
    'NHS Staff Survey, England'
    """
    if isinstance(folder, Survey):
        if folder.folder is not None:
            _OWN[folder.id] = folder
        return folder
    if isinstance(folder, str) and (folder in surveys() or not Path(folder).exists()):
        return catalogue(folder)
    found = read_own_survey(Path(folder))
    if found.folder is None:
        return catalogue(found.id)
    known = _OWN.get(found.id)
    if known is not None and known.folder != found.folder:
        raise CatalogueError(
            f"Two surveys have the id {found.id}",
            where=f"{found.folder} and {known.folder}",
            hint="Give one of the folders another name, or its editions.yaml another `id:`.",
        )
    _OWN[found.id] = found
    return found
