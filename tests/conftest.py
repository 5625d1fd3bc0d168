"""Fixtures: real files that stay outside the project, where they are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"private acceptance files are not here: shared/{name}")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real published files."""
    return _folder("data")


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """Folder of published figures to tie out with."""
    return _folder("reference")


@pytest.fixture(scope="session")
def published_2024(shared_data):
    """The official 2024 workbook of organisation results, read once."""
    from culture_metrics import read_published

    (path,) = (shared_data / "nss2024").glob("*.xlsx")
    return read_published(path)
