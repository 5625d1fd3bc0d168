"""Attack at size: `python -m tests.redteam --extracts 500 --kind nested --seed 0`."""

from __future__ import annotations

import argparse

from tests.redteam.campaign import FULL, HEAD, QUICK, campaign, line
from tests.redteam.extracts import KINDS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.redteam", description=__doc__)
    parser.add_argument("--extracts", type=int, default=100)
    parser.add_argument("--kind", action="append", choices=sorted(KINDS), help="every kind when left out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="as the tests do it")
    asked = parser.parse_args()
    print(HEAD, flush=True)
    for kind in asked.kind or KINDS:
        outcomes = campaign(kind, asked.extracts, asked.seed, QUICK if asked.quick else FULL)
        print(line(kind, outcomes), flush=True)


if __name__ == "__main__":
    main()
