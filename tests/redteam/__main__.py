"""Attack at size: `python -m tests.redteam --extracts 500 --kind nested --seed 0`."""

from __future__ import annotations

import argparse

from tests.redteam.campaign import FULL, HEAD, QUICK, campaign, line
from tests.redteam.extracts import KINDS
from tests.redteam.files import counted, report_attack


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.redteam", description=__doc__)
    parser.add_argument("--extracts", type=int, default=100)
    kinds = [*sorted(KINDS), "reports"]
    parser.add_argument("--kind", action="append", choices=kinds, help="every kind but reports when left out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="as the tests do it")
    asked = parser.parse_args()
    print(HEAD, flush=True)
    for kind in asked.kind or KINDS:
        if kind == "reports":
            for seed in range(asked.seed, asked.seed + asked.extracts):
                print("report", seed, counted(*report_attack(seed)), flush=True)
            continue
        outcomes = campaign(kind, asked.extracts, asked.seed, QUICK if asked.quick else FULL)
        print(line(kind, outcomes), flush=True)


if __name__ == "__main__":
    main()
