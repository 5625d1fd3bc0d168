"""Seeds that nobody can know without the respondents."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

#: Respondents that are written out at a time.
ROWS = 2**14


def secret_seed(respondents: pl.DataFrame, seed: int) -> list[int]:
    """Return a seed for drawing respondents: a number, and a digest of all that they answered, in any order.

    Parameters
    ----------
    respondents : polars.DataFrame
        The whole table, with every column: what is left out can be guessed more easily.
    seed : int
        Tells draws from the same respondents apart.

    Notes
    -----
    Who knows how often each respondent was drawn has, with every figure of a replicate, one linear equation
    in their values, and with as many as there are respondents all of the values. So the seed of a published
    figure must not be public. Seeds from the operating system would not be, but nobody could repeat the work
    with them. With a digest of the answers mixed in, whoever has the file draws the same again, and whoever
    has not would have to guess the answers of all to find out about one.

    Examples
    --------
    >>> import polars as pl
    >>> one, other = (secret_seed(pl.DataFrame({"q25c": [a, 4, 5]}), 7) for a in (1, 2))
    >>> one == other, one[0] == other[0]
    (False, True)
    """
    flat = sorted(name for name, kind in respondents.schema.items() if not kind.is_nested())
    # Line by line and sorted: the same people in another order are the same people.
    lines = sorted(
        sha256(line).digest()
        for some in respondents.select(flat).iter_slices(ROWS)
        for line in some.write_csv(include_header=False).encode().split(b"\n")
        if line
    )
    digest = sha256("\n".join(flat).encode() + b"".join(lines))
    return [seed, *np.frombuffer(digest.digest(), np.uint32).tolist()]
