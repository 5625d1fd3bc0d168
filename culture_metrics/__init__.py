"""Culture indicators from NHS staff-survey extracts that people can trust, compare and act on.

What there is, by task; `help(cm.estimate)` says more of each:

- Read and check: `inspect_file`, `read_extract`, `validate`, `check_pair`, `save_mapping` for a respondent
  extract; `is_published`, `read_published` for official workbooks; `study` takes files of both
  kinds and shows what is in them.
- Look up: `catalogue` has the surveys' editions, questions, measures (by id) and breakdowns; `survey` reads
  one of your own from its folder.
- Indicators: `estimate` (scores and headline percentages), `distributions` (every answer), `score` (each
  respondent), `estimate_values` (numbers of your own); `Weights`, `rake`, `Design` for weights and sampling;
  `replicate`, `shrink` for standard errors by bootstrap and steadier figures of small groups;
  `rebuild_scores`, `validate_results` for results that others worked out.
- Compare: `benchmark` with other organisations; `compare_years`, `trend`, `recovery`, `run_chart` over time;
  `decompose_change`, `change_contributions`, `nonresponse_sensitivity`, `Assumptions` for what a change is
  made of; `agreement`, `agreement_of_percentages` for what may be averaged over a group.
- Outcomes: `outcomes`, `outcome`, `Outcome`, `read_outcome` say what they are; `panel`, `read_panel` set them
  beside the survey; `link_outcomes`, `specification_curve`, `relative_weights`, `mediate`, `moderate`,
  `lavaan_model` model the link; `detectable_link`, `false_alarms` say what such a study can find.
- Protect and share: `suppress` hides small groups (estimates come hidden), `audit_disclosure` attacks a
  release; `save_results` writes results to pass on, `write_published` the official layout.
- Whatever a verb returns has `.table` (a polars frame), `.figure()`, `.summary()`, `.provenance` and
  `.save(path)`, and shows itself in a notebook; verbs take such results, frames, or lists of them.
- Try out: `synthetic.respondents` makes up an extract, `study([])` two years and a workbook.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# At once, not when first used: the function must stand where the module of the same name would.
from culture_metrics.catalogue import catalogue as catalogue
from culture_metrics.catalogue import survey as survey

if TYPE_CHECKING:
    from culture_metrics import synthetic as synthetic
    from culture_metrics.compare.assumptions import Assumptions as Assumptions
    from culture_metrics.compare.benchmark import benchmark as benchmark
    from culture_metrics.compare.contributions import change_contributions as change_contributions
    from culture_metrics.compare.decompose import decompose_change as decompose_change
    from culture_metrics.compare.nonresponse import nonresponse_sensitivity as nonresponse_sensitivity
    from culture_metrics.compare.pulse import run_chart as run_chart
    from culture_metrics.compare.recovery import recovery as recovery
    from culture_metrics.compare.trend import trend as trend
    from culture_metrics.compare.years import compare_years as compare_years
    from culture_metrics.disclosure import audit_disclosure as audit_disclosure
    from culture_metrics.extracts.cross_file import check_pair as check_pair
    from culture_metrics.extracts.mapping import save_mapping as save_mapping
    from culture_metrics.extracts.read import read_extract as read_extract
    from culture_metrics.extracts.validate import validate as validate
    from culture_metrics.indicators.design import Design as Design
    from culture_metrics.indicators.distributions import distributions as distributions
    from culture_metrics.indicators.estimate import estimate as estimate
    from culture_metrics.indicators.raking import rake as rake
    from culture_metrics.indicators.replicates import replicate as replicate
    from culture_metrics.indicators.scoring import score as score
    from culture_metrics.indicators.shrink import shrink as shrink
    from culture_metrics.indicators.values import estimate_values as estimate_values
    from culture_metrics.indicators.weights import Weights as Weights
    from culture_metrics.links.false_alarms import false_alarms as false_alarms
    from culture_metrics.links.lavaan import lavaan_model as lavaan_model
    from culture_metrics.links.link_outcomes import link_outcomes as link_outcomes
    from culture_metrics.links.mediation import mediate as mediate
    from culture_metrics.links.moderation import moderate as moderate
    from culture_metrics.links.power import detectable_link as detectable_link
    from culture_metrics.links.relative_weights import relative_weights as relative_weights
    from culture_metrics.links.specification_curve import specification_curve as specification_curve
    from culture_metrics.measurement.agreement import agreement as agreement
    from culture_metrics.measurement.percentages import agreement_of_percentages as agreement_of_percentages
    from culture_metrics.outcomes.outcome import Outcome as Outcome
    from culture_metrics.outcomes.outcome import outcome as outcome
    from culture_metrics.outcomes.outcome import outcomes as outcomes
    from culture_metrics.outcomes.panel import panel as panel
    from culture_metrics.outcomes.read_outcome import read_outcome as read_outcome
    from culture_metrics.outcomes.read_panel import read_panel as read_panel
    from culture_metrics.published import is_published as is_published
    from culture_metrics.published import read_published as read_published
    from culture_metrics.published import rebuild_scores as rebuild_scores
    from culture_metrics.published import write_published as write_published
    from culture_metrics.results.checks import validate_results as validate_results
    from culture_metrics.results.save import save_results as save_results
    from culture_metrics.results.suppress import suppress as suppress
    from culture_metrics.study.inspect import inspect_file as inspect_file
    from culture_metrics.study.read import study as study

__version__ = "0.1.0"

#: Public name -> module it lives in. Loaded when first used, so that the import stays quick.
_FACE = {
    "Assumptions": "culture_metrics.compare.assumptions",
    "Design": "culture_metrics.indicators.design",
    "Outcome": "culture_metrics.outcomes.outcome",
    "Weights": "culture_metrics.indicators.weights",
    "agreement": "culture_metrics.measurement.agreement",
    "agreement_of_percentages": "culture_metrics.measurement.percentages",
    "audit_disclosure": "culture_metrics.disclosure",
    "benchmark": "culture_metrics.compare.benchmark",
    "change_contributions": "culture_metrics.compare.contributions",
    "check_pair": "culture_metrics.extracts.cross_file",
    "compare_years": "culture_metrics.compare.years",
    "decompose_change": "culture_metrics.compare.decompose",
    "detectable_link": "culture_metrics.links.power",
    "distributions": "culture_metrics.indicators.distributions",
    "estimate": "culture_metrics.indicators.estimate",
    "estimate_values": "culture_metrics.indicators.values",
    "false_alarms": "culture_metrics.links.false_alarms",
    "inspect_file": "culture_metrics.study.inspect",
    "is_published": "culture_metrics.published",
    "lavaan_model": "culture_metrics.links.lavaan",
    "link_outcomes": "culture_metrics.links.link_outcomes",
    "mediate": "culture_metrics.links.mediation",
    "moderate": "culture_metrics.links.moderation",
    "nonresponse_sensitivity": "culture_metrics.compare.nonresponse",
    "outcome": "culture_metrics.outcomes.outcome",
    "outcomes": "culture_metrics.outcomes.outcome",
    "panel": "culture_metrics.outcomes.panel",
    "rake": "culture_metrics.indicators.raking",
    "read_extract": "culture_metrics.extracts.read",
    "read_outcome": "culture_metrics.outcomes.read_outcome",
    "read_panel": "culture_metrics.outcomes.read_panel",
    "read_published": "culture_metrics.published",
    "rebuild_scores": "culture_metrics.published",
    "recovery": "culture_metrics.compare.recovery",
    "relative_weights": "culture_metrics.links.relative_weights",
    "replicate": "culture_metrics.indicators.replicates",
    "run_chart": "culture_metrics.compare.pulse",
    "save_results": "culture_metrics.results.save",
    "save_mapping": "culture_metrics.extracts.mapping",
    "score": "culture_metrics.indicators.scoring",
    "shrink": "culture_metrics.indicators.shrink",
    "specification_curve": "culture_metrics.links.specification_curve",
    "study": "culture_metrics.study.read",
    "suppress": "culture_metrics.results.suppress",
    "synthetic": "culture_metrics",
    "trend": "culture_metrics.compare.trend",
    "validate": "culture_metrics.extracts.validate",
    "validate_results": "culture_metrics.results.checks",
    "write_published": "culture_metrics.published",
}

__all__ = sorted(["catalogue", "survey", *_FACE])  # noqa: PLE0605


# Functions and rooms of one name: loaded later than here, the room would stand where the function is.
for _room in ("outcomes", "study"):
    import_module(f"culture_metrics.{_room}")
    del globals()[_room]


def __getattr__(name: str) -> Any:
    if name not in _FACE:
        raise AttributeError(f"module 'culture_metrics' has no attribute '{name}'")
    module = _FACE[name]
    if module == "culture_metrics":
        return import_module(f"culture_metrics.{name}")
    found = getattr(import_module(module), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
