"""Open a file: what it is, whether it is safe, then its table or its sheets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from culture_metrics.files.columnar import check_columnar, read_columnar
from culture_metrics.files.delimited import read_delimited
from culture_metrics.files.kinds import file_hash, file_kind
from culture_metrics.files.labelled import check_labelled, read_labelled
from culture_metrics.files.safety import check_text, check_workbook

if TYPE_CHECKING:
    from collections.abc import Callable

    from culture_metrics.files.header import Look
    from culture_metrics.files.raw import RawTable
    from culture_metrics.files.workbooks import Workbook

_CHECKS = {
    "csv": check_text,
    "excel": check_workbook,
    "parquet": check_columnar,
    "spss": check_labelled,
    "stata": check_labelled,
}


@dataclass(frozen=True)
class Opened:
    """A file that is what its name says and was found safe.

    Attributes
    ----------
    path : Path
        Where it is.
    kind : str
        `csv`, `excel`, `parquet`, `spss` or `stata`.
    """

    path: Path
    kind: str

    @property
    def file(self) -> str:
        """Its name, for messages."""
        return self.path.name

    @property
    def sha256(self) -> str:
        """Its hash, for provenance."""
        return file_hash(self.path)

    def text(self, look: Look, *, head_only: bool = False) -> RawTable:
        """Return the table of a CSV file."""
        return read_delimited(self.path, look, head_only=head_only)

    def labelled(self, known: Callable[[str], bool], *, head_only: bool = False) -> RawTable:
        """Return the table of an SPSS or Stata file; see `read_labelled`."""
        return read_labelled(self.path, known, head_only=head_only)

    def columnar(self, *, head_only: bool = False) -> RawTable:
        """Return the table of a Parquet file."""
        return read_columnar(self.path, head_only=head_only)

    def workbook(self) -> Workbook:
        """Return the workbook."""
        from culture_metrics.files.workbooks import Workbook

        return Workbook(self.path)


def open_file(path: str | Path) -> Opened:
    r"""Tell what a file is and check that it is safe; nothing of its table has been read yet.

    Raises
    ------
    FileFormatError
        When it is missing, empty, of a kind that cannot be read, not what its name says, damaged or too
        large: the same for every reader.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "RXX_2024.csv")
    ...     _ = file.write_text("ODS code,q25c\nRXX,4\n")
    ...     open_file(file).kind
    'csv'
    """
    opened = Opened(Path(path), file_kind(Path(path)))
    _CHECKS[opened.kind](opened.path)
    return opened
