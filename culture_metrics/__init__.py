"""Culture indicators from NHS staff-survey extracts that people can trust, compare and act on.

What there is, by task; `help(cm.estimate)` says more of each:

- Read and check: `inspect_file`, `read_extract`, `validate`, `check_pair`, `save_mapping` for a respondent
  extract; `read_published` for official workbooks; `study` takes files of both kinds and shows what is in
  them.
- Look up: `catalogue` has the surveys' editions, questions, measures (by id) and breakdowns; `survey` reads
  one of your own from its folder.
- Indicators: `estimate` (scores and headline percentages), `distributions` (every answer), `score` (each
  respondent), `estimate_values` (numbers of your own); `Weights`, `official_mix`, `rake`, `Design` for
  weights and sampling; `replicate`, `shrink` for standard errors by bootstrap and steadier figures of small
  groups; `agreement` for what may be averaged over a group.
- Compare: `mirror` gives the official figures from your own extract; `benchmark` with other organisations;
  `oversight` for the scores of the oversight framework; `find_peers` for organisations like one's own;
  `equality_gaps` between groups of staff (WRES, WDES, any two); `compare_years`, `trend` over time;
  `decompose_change` for what a change is made of; `calibrate` for how often their verdicts are wrong here,
  and find what is there.
- Leadership: `frameworks` lists them, `framework` reads results through one and says what is not measured;
  `before_after` follows a programme beside its benchmark group.
- Outcomes: `outcomes`, `outcome`, `Outcome`, `read_outcome` say what they are; `panel`, `read_panel` set them
  beside the survey; `link_outcomes` and `specification_curve` model the link.
- Protect and share: `suppress` hides small groups (estimates come hidden); `save_results` writes results to
  pass on; `report` makes the whole report, or a page for each directorate.
- Whatever a verb returns has `.table` (a polars frame), `.figure()`, `.summary()`, `.provenance` and
  `.save(path)`, and shows itself in a notebook; verbs take such results, frames, or lists of them.
- Study: `study()` takes the study.yaml at hand; `.only(...)` keeps to one group, `.explore(...)` shows a
  figure with controls in JupyterLab.
- Try out: `synthetic.respondents` makes up an extract, `study([])` two years and a workbook.

What is needed less often is one step below; `help(cm.links)` lists a room:

- `compare`: organisations better than their profile predicts, strata of several breakdowns together, recovery
  of the lowest and regression to the mean, run charts, questions that make a change, sensitivity to
  non-response, what to assume of published figures.
- `links`: mediation, moderation, relative weights, a cross-lagged model for R; what such a study can find.
- `measurement`: agreement of published percentages. `published`: scores rebuilt from answers, workbooks
  written. `results`: the tables as objects, and their check. `disclosure`: an attacker for a release.
- `views`: figures for tables of your own. `synthetic`: made-up respondents and panels with a known truth.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

# At once, not when first used: the function must stand where the module of the same name would.
from culture_metrics.catalogue import catalogue as catalogue
from culture_metrics.catalogue import survey as survey
from culture_metrics.lazy_names import lazy_names

if TYPE_CHECKING:
    from culture_metrics import compare as compare
    from culture_metrics import disclosure as disclosure
    from culture_metrics import links as links
    from culture_metrics import measurement as measurement
    from culture_metrics import published as published
    from culture_metrics import results as results
    from culture_metrics import synthetic as synthetic
    from culture_metrics import views as views
    from culture_metrics.compare.before_after import before_after as before_after
    from culture_metrics.compare.benchmark import benchmark as benchmark
    from culture_metrics.compare.calibration import calibrate as calibrate
    from culture_metrics.compare.decompose import decompose_change as decompose_change
    from culture_metrics.compare.equality import equality_gaps as equality_gaps
    from culture_metrics.compare.frameworks import framework as framework
    from culture_metrics.compare.frameworks import frameworks as frameworks
    from culture_metrics.compare.mirror import mirror as mirror
    from culture_metrics.compare.oversight import oversight as oversight
    from culture_metrics.compare.peers import find_peers as find_peers
    from culture_metrics.compare.trend import trend as trend
    from culture_metrics.compare.years import compare_years as compare_years
    from culture_metrics.extracts.cross_file import check_pair as check_pair
    from culture_metrics.extracts.mapping import save_mapping as save_mapping
    from culture_metrics.extracts.read import read_extract as read_extract
    from culture_metrics.extracts.validate import validate as validate
    from culture_metrics.indicators.design import Design as Design
    from culture_metrics.indicators.distributions import distributions as distributions
    from culture_metrics.indicators.estimate import estimate as estimate
    from culture_metrics.indicators.official_mix import official_mix as official_mix
    from culture_metrics.indicators.raking import rake as rake
    from culture_metrics.indicators.replicates import replicate as replicate
    from culture_metrics.indicators.scoring import score as score
    from culture_metrics.indicators.values import estimate_values as estimate_values
    from culture_metrics.indicators.weights import Weights as Weights
    from culture_metrics.links.link_outcomes import link_outcomes as link_outcomes
    from culture_metrics.links.specification_curve import specification_curve as specification_curve
    from culture_metrics.measurement.agreement import agreement as agreement
    from culture_metrics.outcomes.outcome import Outcome as Outcome
    from culture_metrics.outcomes.outcome import outcome as outcome
    from culture_metrics.outcomes.outcome import outcomes as outcomes
    from culture_metrics.outcomes.panel import panel as panel
    from culture_metrics.outcomes.read_outcome import read_outcome as read_outcome
    from culture_metrics.outcomes.read_panel import read_panel as read_panel
    from culture_metrics.published import read_published as read_published
    from culture_metrics.reporting.report import report as report
    from culture_metrics.results.save import save_results as save_results
    from culture_metrics.results.shrink import shrink as shrink
    from culture_metrics.results.suppress import suppress as suppress
    from culture_metrics.study.inspect import inspect_file as inspect_file
    from culture_metrics.study.read import study as study
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "Design": "indicators.design",
            "Outcome": "outcomes.outcome",
            "Weights": "indicators.weights",
            "agreement": "measurement.agreement",
            "before_after": "compare.before_after",
            "benchmark": "compare.benchmark",
            "calibrate": "compare.calibration",
            "catalogue": "catalogue",
            "check_pair": "extracts.cross_file",
            "compare": "compare",
            "compare_years": "compare.years",
            "decompose_change": "compare.decompose",
            "disclosure": "disclosure",
            "distributions": "indicators.distributions",
            "equality_gaps": "compare.equality",
            "estimate": "indicators.estimate",
            "estimate_values": "indicators.values",
            "find_peers": "compare.peers",
            "framework": "compare.frameworks",
            "frameworks": "compare.frameworks",
            "inspect_file": "study.inspect",
            "link_outcomes": "links.link_outcomes",
            "links": "links",
            "measurement": "measurement",
            "mirror": "compare.mirror",
            "official_mix": "indicators.official_mix",
            "outcome": "outcomes.outcome",
            "outcomes": "outcomes.outcome",
            "oversight": "compare.oversight",
            "panel": "outcomes.panel",
            "published": "published",
            "rake": "indicators.raking",
            "read_extract": "extracts.read",
            "read_outcome": "outcomes.read_outcome",
            "read_panel": "outcomes.read_panel",
            "read_published": "published",
            "replicate": "indicators.replicates",
            "report": "reporting.report",
            "results": "results",
            "save_mapping": "extracts.mapping",
            "save_results": "results.save",
            "score": "indicators.scoring",
            "shrink": "results.shrink",
            "specification_curve": "links.specification_curve",
            "study": "study.read",
            "suppress": "results.suppress",
            "survey": "catalogue",
            "synthetic": "synthetic",
            "trend": "compare.trend",
            "validate": "extracts.validate",
            "views": "views",
        },
    )

__version__ = "0.1.0"

# Functions and rooms of one name: loaded later than here, the room would stand where the function is.
for _room in ("outcomes", "study"):
    import_module(f"culture_metrics.{_room}")
    del globals()[_room]
