"""The match of a file's own column names with ours, given once by the user and found again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from culture_metrics.catalogue import DEFAULT, catalogue
from culture_metrics.errors import CultureMetricsError, ExtractError, UnknownNameError, unknown
from culture_metrics.extracts.columns import breakdown_of, is_question_code, question_code, text_columns
from culture_metrics.extracts.dates import MEANS, is_date
from culture_metrics.extracts.own_words import own_word
from culture_metrics.files.names import shown, squeeze
from culture_metrics.files.text import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Beside the data: for one file (`RXX_2024.columns.yaml`), and for all files of a folder.
ENDING = ".columns.yaml"
FOLDER_FILE = "culture-metrics.columns.yaml"


def save_mapping(path: str | Path, columns: Mapping[str, str], survey: str = DEFAULT) -> Path:
    """Save which columns of a file mean what; `read_extract` finds it again by itself.

    Parameters
    ----------
    path : str or Path
        The respondent file: the mapping lands beside it as `<name>.columns.yaml`. Or a folder: the mapping is
        for all files in it. Or a file that ends in `.yaml`.
    columns : mapping
        Name of the column in the file -> question code (`q25c`), measure id (`recommend_place_to_work`),
        identifying column (`locality_1`), or `breakdown`: groups under the column's own name, or under what
        follows (`breakdown: Care Group`).
    survey : str
        Id of the survey's catalogue; `cm.survey(folder).id` of one of your own.

    Returns
    -------
    Path
        Where it was saved.

    Raises
    ------
    UnknownNameError
        When a target does not exist in any edition of the survey.
    ExtractError
        When two columns are given the same meaning, or the place cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> saved = save_mapping(f"{folder}/RXX_2024.csv", {"Would recommend": "q25c", "Dept": "locality_1"})
    >>> saved.name
    'RXX_2024.columns.yaml'
    """
    path = Path(path)
    if path.is_dir():
        path = path / FOLDER_FILE
    elif path.suffix.lower() not in (".yaml", ".yml"):
        path = path.with_name(path.stem + ENDING)
    check_mapping(columns, survey)
    text = "# Columns of the file beside this one: its name for a column, and what the column means.\n"
    text += yaml.safe_dump(
        {"survey": survey, "columns": dict(columns)}, allow_unicode=True, sort_keys=False, width=1000
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ExtractError(
            "The column mapping cannot be saved",
            where=str(path),
            hint="Choose a folder that may be written to; read_extract takes the mapping as columns= too.",
        ) from error
    return path


def find_mapping(folder: Path | None, file: str, survey: str) -> tuple[dict[str, str], str | None, bool]:
    """Return the mapping saved for a file, the name of the file it stands in, and whether it is for all.

    Raises
    ------
    ExtractError, UnknownNameError
        When the saved mapping cannot be read or names something unknown.
    """
    if folder is None:
        return {}, None, False
    for name in (Path(file).stem + ENDING, FOLDER_FILE):
        path = folder / name
        if path.is_file():
            return _load(path, survey), name, name == FOLDER_FILE
    return {}, None, False


def saved_names(folder: Path | None, file: str, survey: str) -> dict[str, str]:
    """Return the mapping saved for a file as far as it can be read; one of another survey is none."""
    try:
        return find_mapping(folder, file, survey)[0]
    except CultureMetricsError:
        return {}


def check_mapping(columns: Mapping[str, str], survey: str, where: str | None = None) -> None:
    """Check that every target exists and none is given twice.

    Raises
    ------
    UnknownNameError, ExtractError
        Naming the target.
    """
    seen: dict[str, str] = {}
    for theirs, ours in columns.items():
        target = _known_target(str(ours), theirs, survey)
        if target is None:
            known = {c for e in catalogue(survey) for c in (*e.columns, *text_columns(e).values())}
            error = unknown("question or column", str(ours), sorted(known), where=where)
            raise UnknownNameError(
                f"Column '{theirs}' cannot stand for '{ours}': there is no such question or column",
                where=where,
                hint=error.hint,
            )
        if target in seen:
            raise ExtractError(
                f"Two columns are matched with {ours}",
                where=where,
                got=f"'{seen[target]}' and '{theirs}'",
                hint="Match one column with one question.",
            )
        seen[target] = theirs


def match_given(
    columns: Mapping[str, str], names: Iterable[str], where: str, *, strict: bool
) -> dict[str, str]:
    """Return the mapping by the names as they stand in the file.

    Raises
    ------
    ExtractError
        When a column is not in the file and `strict`.
    """
    names = [shown(name) for name in names]
    folded = {" ".join(name.split()).casefold(): name for name in names}
    found = {folded.get(" ".join(theirs.split()).casefold()): ours for theirs, ours in columns.items()}
    if strict and None in found:
        missing = [t for t in columns if " ".join(t.split()).casefold() not in folded]
        # Names are only suggested where the header is a header: else they could be a respondent's answers.
        is_header = len(missing) < len(columns) or any(map(is_question_code, names))
        near = unknown("column", missing[0], [n for n in names if is_header and n[:1].isalpha()])
        raise ExtractError(
            "The column mapping names columns that the file does not have",
            where=where,
            got=", ".join(f"'{name}'" for name in missing[:8]),
            hint=near.hint
            if near.hint and near.hint.startswith("Did")
            else "Check the spelling in the header row.",
        )
    return {theirs: ours for theirs, ours in found.items() if theirs is not None}


def _known_target(name: str, theirs: str, survey: str) -> str | None:
    if is_date(name):
        return MEANS
    word = own_word(name, theirs)
    if word is not None:
        return breakdown_of(word, catalogue(survey).edition(catalogue(survey).periods[-1]))
    code = question_code(name, catalogue(survey))
    for edition in catalogue(survey):
        if squeeze(name) in text_columns(edition):
            return text_columns(edition)[squeeze(name)]
        if code in edition.columns or any(q.code == code for q in edition.questions.values()):
            return code
        try:
            return edition.question(name).id
        except CultureMetricsError:
            continue
    return None


def _load(path: Path, survey: str) -> dict[str, str]:
    try:
        saved = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, OSError) as error:
        raise ExtractError(
            "The saved column mapping cannot be read",
            where=path.name,
            hint="Write it anew with save_mapping, or remove it.",
        ) from error
    columns = saved.get("columns") if isinstance(saved, dict) else None
    if not isinstance(columns, dict) or not all(isinstance(v, str) for v in columns.values()):
        raise ExtractError(
            "The saved column mapping has another form than expected",
            where=path.name,
            expected="`columns:` and below it lines such as "
            f"`{yaml.safe_dump(catalogue(survey).example).strip()}`",
            hint="Write it anew with save_mapping, or remove it.",
        )
    columns = {str(theirs): ours for theirs, ours in columns.items()}
    check_mapping(columns, survey, path.name)
    return columns
