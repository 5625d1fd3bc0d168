"""Leadership and culture frameworks as data: what each asks for, and what of it a survey measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from culture_metrics.catalogue.form import Files, Mistake, near, read_one_yaml, shape_mistakes
from culture_metrics.catalogue.known import catalogue, surveys
from culture_metrics.errors import CatalogueError, unknown

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from culture_metrics.catalogue.model import Survey

#: How far the measures of a dimension stand for what the framework asks there.
COVERAGES = ("full", "part", "none")
ENDINGS = (".yaml", ".yml")
SHAPE: Mapping[str, Any] = {
    "title": str, "nation": str, "publisher": str, "year": str, "about": str, "survey": str, "source": str,
    "licence": str, "years?": [int], "read_with?": [str],
    "dimensions": [
        {
            "label": str, "family?": str, "meaning": str, "coverage": str,
            "indicators?": [{"measure": str, "why": str, "by?": str}], "not_measured?": [str],
        },
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Indicator:
    """A measure that stands for something in a framework: why, and by which groups it is read, if by any."""

    measure: str
    why: str
    by: str | None = None


@dataclass(frozen=True)
class Dimension:
    """A dimension of a framework.

    `meaning` is what the framework asks there, in our own words; `coverage` (full, part, none) how far its
    indicators measure it; `not_measured` what of it no question of the survey asks. `family` is the heading
    it stands under, where the framework has several.
    """

    label: str
    family: str
    meaning: str
    coverage: str
    indicators: tuple[Indicator, ...]
    not_measured: tuple[str, ...]


@dataclass(frozen=True)
class Definition:
    """A framework as its file has it; `years` are the first and last of a run that it promises to watch."""

    id: str
    title: str
    nation: str
    publisher: str
    year: str
    about: str
    survey: str
    source: str
    licence: str
    dimensions: tuple[Dimension, ...]
    years: tuple[int, ...] = ()
    read_with: tuple[str, ...] = ()


@cache
def packaged() -> tuple[str, ...]:
    """Return the ids of the frameworks of the package.

    Examples
    --------
    >>> "people_promise" in packaged()
    True
    """
    return tuple(sorted(one.name.removesuffix(".yaml") for one in _folder().iterdir()))


def _folder() -> Traversable:
    return files("data_schemas").joinpath("frameworks")


def define_framework(which: str | Path) -> Definition:
    """Return a framework: by id that of the package, by path one of your own.

    Parameters
    ----------
    which : str or Path
        Id; a YAML file; or a folder with one.

    Raises
    ------
    UnknownNameError
        When there is no such framework or file.
    CatalogueError
        When the file does not hold together: every mistake, with its line and remedy.
    """
    if not isinstance(which, str | Path):
        raise unknown("framework", str(which), packaged(), where="framework")
    if which in packaged():
        return _of_package(str(which))
    path = Path(which)
    if path.is_dir():
        found = own_files(path)
        if len(found) != 1:
            raise CatalogueError(
                f"The folder has {len(found)} framework files, and one was expected",
                where=str(which),
                hint="Name the file, or read all of them: cm.frameworks(folder).",
            )
        path = found[0]
    if not path.is_file():
        error = unknown("framework", str(which), packaged())
        error.hint = f"{error.hint} One of your own is read from its file: cm.framework('ours.yaml')."
        raise error
    return _read(path.parent, path.name)


def own_files(folder: Path) -> list[Path]:
    """Return the YAML files of a folder, in order."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)


@cache
def _of_package(name: str) -> Definition:
    return _read(_folder(), f"{name}.yaml")


def _read(folder: Traversable, name: str) -> Definition:
    mistakes, spec = check_framework(folder, name)
    if mistakes:
        raise CatalogueError(
            f"The framework in {name} cannot be used\n" + "\n".join(map(str, mistakes)),
            where=name,
            hint="Mend them; data_schemas/README.md says what a framework file holds.",
        )
    told = {key: spec[key] for key in SHAPE if not key.endswith("?") and key != "dimensions"}
    return Definition(
        id=name.rsplit(".", maxsplit=1)[0],
        dimensions=tuple(_dimension(one) for one in spec["dimensions"]),
        years=tuple(spec.get("years") or ()),
        read_with=tuple(spec.get("read_with") or ()),
        **told,
    )


def _dimension(spec: Mapping[str, Any]) -> Dimension:
    return Dimension(
        label=spec["label"],
        family=spec.get("family") or "",
        meaning=spec["meaning"],
        coverage=spec["coverage"],
        indicators=tuple(Indicator(**one) for one in spec.get("indicators") or ()),
        not_measured=tuple(spec.get("not_measured") or ()),
    )


def check_framework(folder: Traversable, name: str) -> tuple[list[Mistake], Any]:
    """Read a framework file and say all that is wrong with it: its form first, then what it names.

    Returns
    -------
    (list of Mistake, object)
        The mistakes, and what the file says.
    """
    lines: dict[Any, int] = {}
    mistakes, spec = read_one_yaml(folder, name, lines)
    if mistakes:
        return mistakes, spec
    read = Files({name: spec}, [], lines)
    mistakes = list(shape_mistakes(read, name, spec, SHAPE, ()))
    return mistakes or list(_content(read, name, spec)), spec


def _content(read: Files, name: str, spec: Mapping[str, Any]) -> Iterator[Mistake]:
    """Report what is not known, stands twice, or does not go together."""
    if spec["survey"] not in surveys():
        remedy = f"{near(spec['survey'], surveys())} One of your own is read first: cm.survey('folder')."
        yield read.mistake(name, ("survey",), f"the survey {spec['survey']} is not known", remedy)
        return
    if not spec["dimensions"]:
        yield read.mistake(name, ("dimensions",), "there are no dimensions", "Write at least one.")
    survey, seen = catalogue(spec["survey"]), set()
    for place, dimension in enumerate(spec["dimensions"]):
        path, titled = ("dimensions", place), (dimension.get("family"), dimension["label"])
        if titled in seen:
            yield read.mistake(name, path, f"{dimension['label']} stands twice", "Give it another label.")
        seen.add(titled)
        yield from _covered(read, name, dimension, path)
        yield from _measured(read, name, dimension, path, survey)


def _covered(
    read: Files, name: str, dimension: Mapping[str, Any], path: tuple[Any, ...]
) -> Iterator[Mistake]:
    coverage = dimension["coverage"]
    has, lacks = (bool(dimension.get(key)) for key in ("indicators", "not_measured"))
    here = (*path, "coverage")
    if coverage not in COVERAGES:
        yield read.mistake(name, here, f"{coverage} is no coverage", "Write full, part or none.")
    elif has == (coverage == "none"):
        remedy = "Write none where there are no indicators, and only there."
        yield read.mistake(name, here, f"it says {coverage}, and that does not fit its indicators", remedy)
    elif not lacks and coverage != "full":
        remedy = "Say under `not_measured` what the survey does not ask."
        yield read.mistake(name, here, f"it says {coverage}, and not what is missing", remedy)


def _measured(
    read: Files, name: str, dimension: Mapping[str, Any], path: tuple[Any, ...], survey: Survey
) -> Iterator[Mistake]:
    measures = {measure for edition in survey for measure in edition.measures}
    groups = {breakdown for edition in survey for breakdown in edition.breakdowns}
    seen = set()
    for place, one in enumerate(dimension.get("indicators") or ()):
        here, by = (*path, "indicators", place), one.get("by")
        if one["measure"] not in measures:
            found = f"no edition has the measure {one['measure']}"
            yield read.mistake(name, (*here, "measure"), found, near(one["measure"], measures))
        if by is not None and by not in groups:
            found = f"no edition has the breakdown {by}"
            yield read.mistake(name, (*here, "by"), found, near(by, groups))
        if (one["measure"], by) in seen:
            yield read.mistake(name, here, f"{one['measure']} stands twice", "Keep one of them.")
        seen.add((one["measure"], by))
