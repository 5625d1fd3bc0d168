"""What the synthetic staff are like: invented effects, in standard deviations of the answer behind an answer.

Higher is the good end of a question that has one, else the higher code. None of these figures is a statistic.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

#: Correlation of each factor with the general one.
FACTORS = MappingProxyType(
    {
        "motivation": 0.75,
        "autonomy": 0.80,
        "pressure": 0.70,
        "recognition": 0.85,
        "flexibility": 0.70,
        "culture": 0.80,
        "team": 0.80,
        "inclusion": 0.80,
        "leadership": 0.75,
        "burnout": 0.70,
        "negative": 0.60,
        "fairness": 0.75,
        "voice": 0.80,
        "appraisal": 0.65,
        "development": 0.80,
        "leaving": 0.75,
        "seniority": 0.0,
    }
)
#: The factor behind incidents, and so behind who is asked about them.
GATE_FACTOR = "negative"


class Block(NamedTuple):
    """Questions that share a factor and the effects of who answers.

    `occupation` is in the order of the breakdown: allied health and scientific, medical, ambulance, nurses,
    assistants, social care, wider team, other. `ethnicity` is the shift of all other ethnic groups combined,
    `condition` that of staff with a long-term condition, `spread` the deviation between organisations.
    """

    items: str
    factor: str | None
    loading: float
    occupation: tuple[float, ...]
    ethnicity: float = 0.0
    condition: float = 0.0
    spread: float = 0.0


NONE = (0.0,) * 8

BLOCKS = MappingProxyType(
    {
        "motivation": Block(
            "look_forward_to_work enthusiastic_about_job time_passes_quickly",
            *("motivation", 0.75, (0.05, 0.1, -0.4, 0.05, 0.1, 0.05, -0.1, 0.05), 0.25, -0.15, 0.05),
        ),
        "autonomy": Block(
            "knows_responsibilities trusted_to_do_job can_show_initiative can_make_suggestions "
            "involved_in_changes can_make_improvements choice_in_how_to_work",
            *("autonomy", 0.74, (0.05, 0, -0.7, 0, -0.15, 0.1, 0, 0.35), 0.05, -0.2, 0.05),
        ),
        "pressure": Block(
            "can_meet_demands adequate_materials enough_staff unrealistic_time_pressures action_on_wellbeing",
            *("pressure", 0.76, (-0.1, -0.2, -0.1, -0.15, 0, -0.1, 0.15, -0.1), 0.2, -0.25, 0.1),
        ),
        "recognition": Block(
            "satisfied_with_recognition satisfied_with_being_valued satisfied_with_pay",
            *("recognition", 0.76, (0, 0.05, -0.4, -0.1, -0.15, 0.05, 0.05, 0.3), 0.1, -0.25, 0.07),
        ),
        "flexibility": Block(
            "satisfied_with_flexible_working organisation_helps_balance achieves_balance "
            "can_discuss_flexible_working",
            *("flexibility", 0.8, (0, -0.25, -0.6, -0.1, -0.05, 0.1, 0.2, 0.3), 0.05, -0.15, 0.09),
        ),
        "culture": Block(
            "role_makes_difference care_is_top_priority acts_on_patient_concerns recommend_place_to_work "
            "recommend_for_treatment",
            *("culture", 0.8, (0, 0.05, -0.25, 0, 0.05, 0, 0, 0.15), 0.2, -0.2, 0.16),
        ),
        "team": Block(
            "strained_relationships team_shares_objectives team_meets_on_effectiveness "
            "respected_by_colleagues team_understands_roles enjoys_working_with_team team_has_freedom "
            "team_handles_disagreements teams_work_together",
            *("team", 0.76, (0.1, 0.1, -0.4, 0.05, -0.05, 0.1, -0.1, 0.2), 0.05, -0.15, 0.06),
        ),
        "inclusion": Block(
            "valued_by_team attached_to_team colleagues_are_kind colleagues_are_respectful "
            "colleagues_show_appreciation",
            *("inclusion", 0.8, (0.15, 0.1, -0.35, 0, -0.1, 0.1, 0, 0.2), -0.1, -0.2, 0.05),
        ),
        "leadership": Block(
            "manager_encourages manager_gives_feedback manager_asks_opinion manager_interested_in_wellbeing "
            "manager_values_work manager_understands_problems manager_listens manager_cares "
            "manager_takes_action",
            *("leadership", 0.88, (0.1, -0.05, -0.35, 0, -0.05, 0.15, 0, 0.3), -0.05, -0.15, 0.06),
        ),
        "burnout": Block(
            "work_emotionally_exhausting burnt_out work_frustrates exhausted_at_thought_of_work "
            "worn_out_after_work every_hour_tiring no_energy_for_family",
            *("burnout", 0.82, (-0.05, -0.1, -0.4, -0.2, -0.1, -0.15, 0.25, 0.05), 0.25, -0.4, 0.06),
        ),
        "health": Block(
            "musculoskeletal_problems work_related_stress came_to_work_unwell",
            *("negative", 0.7, (0.05, 0.25, -0.6, -0.15, -0.2, -0.05, 0.1, 0.2), 0.1, -0.5, 0.06),
        ),
        "pressed_to_work_unwell": Block(
            "manager_pressure_to_work_unwell",
            *("leadership", 0.45, (0, 0.1, -0.1, -0.15, -0.15, 0, 0.05, 0.15), -0.05, -0.15, 0.05),
        ),
        "incidents_with_patients": Block(
            "violence_from_patients harassment_from_patients discrimination_from_patients "
            "sexual_behaviour_from_patients",
            *("negative", 0.65, (0.15, -0.1, -0.9, -0.4, -0.45, -0.15, 0.6, 0.7), -0.1, -0.1, 0.12),
        ),
        "incidents_with_staff": Block(
            "violence_from_managers violence_from_colleagues harassment_from_managers "
            "harassment_from_colleagues sexual_behaviour_from_staff",
            *("negative", 0.65, (0.1, -0.05, -0.3, -0.1, -0.1, 0.05, 0.1, 0.05), -0.15, -0.35, 0.08),
        ),
        "discrimination_by_staff": Block(
            "discrimination_from_staff",
            *("negative", 0.6, (0.05, -0.1, -0.3, -0.05, -0.05, 0, 0.1, 0.1), -0.5, -0.35, 0.08),
        ),
        "errors_seen": Block(
            "errors_seen",
            *("negative", 0.3, (-0.05, -0.35, -0.35, -0.3, -0.1, 0, 0.45, 0.4), 0.1, -0.1, 0.06),
        ),
        "reporting": Block(
            "violence_reported harassment_reported",
            *("voice", 0.35, (0, -0.2, 0.1, 0.1, 0.1, 0.1, 0, 0), 0.1, -0.05, 0.06),
        ),
        "fairness": Block(
            "fair_career_progression respects_individual_differences",
            *("fairness", 0.75, (0.05, 0.05, -0.4, 0, 0, 0, 0, 0.1), -0.45, -0.25, 0.09),
        ),
        "voice": Block(
            "errors_treated_fairly errors_reporting_encouraged errors_lead_to_action errors_get_feedback "
            "secure_raising_clinical_concerns confident_clinical_concerns_addressed safe_to_speak_up "
            "confident_concerns_addressed",
            *("voice", 0.8, (0, -0.1, -0.3, 0.05, 0.1, 0.05, 0, 0.1), 0.15, -0.2, 0.1),
        ),
        "food": Block(
            "can_eat_well_at_work",
            *("pressure", 0.35, (0, -0.1, -0.5, -0.15, -0.1, 0.15, 0.2, 0.35), 0.1, -0.15, 0.1),
        ),
        "had_appraisal": Block(
            "had_appraisal", None, 0, (0.05, 0.15, -0.6, 0.05, 0, 0.1, -0.1, -0.05), spread=0.25
        ),
        "appraisal": Block(
            "appraisal_helped_improve appraisal_clear_objectives appraisal_felt_valued",
            *("appraisal", 0.82, (-0.05, -0.05, -0.35, 0, 0.2, 0, 0, -0.05), 0.45, -0.15, 0.08),
        ),
        "development": Block(
            "challenging_work career_opportunities can_improve_skills supported_to_develop "
            "can_access_learning can_access_clinical_supervision",
            *("development", 0.8, (0.1, 0.15, -0.2, 0.1, -0.05, 0.05, -0.25, 0), 0.15, -0.2, 0.07),
        ),
        "leaving": Block(
            "thinks_about_leaving will_look_for_new_job will_leave_when_possible leaving_destination",
            *("leaving", 0.86, (0, 0.1, -0.1, -0.05, 0.05, 0.05, 0, -0.05), -0.05, -0.25, 0.08),
        ),
        "paid_hours": Block(
            "additional_paid_hours", None, 0, (0.2, -0.2, -0.4, -0.2, -0.3, 0.2, 0.15, 0.3), -0.45
        ),
        "unpaid_hours": Block(
            "additional_unpaid_hours", "pressure", 0.3, (-0.2, -0.7, 0.1, -0.2, 0.4, -0.4, 0.3, -0.5), 0.25
        ),
        "contact": Block("patient_contact", None, 0, (0.3, 1, 1, 0.7, 1.2, 0.6, -1.5, -1.3)),
        "hours": Block("contracted_hours", None, 0, (0.2, -0.3, -0.3, 0.1, 0.1, 0.1, 0, -0.5), -0.5),
        "covid": Block("covid_ward covid_redeployed covid_remote", None, 0, NONE),
        "gender": Block("gender", None, 0, (-0.1, 1.1, 0.9, -0.4, -0.25, -0.1, 0, 0.3), 0.25),
        "identity": Block("gender_same_as_at_birth sexual_orientation", None, 0, NONE),
        "seniority": Block(
            "age length_of_service", "seniority", 0.7, (-0.05, 0, -0.1, 0, -0.15, 0.1, 0.15, 0.2), -0.3
        ),
        "religion": Block("religion", None, 0, NONE, 1.3),
        "origin": Block("recruited_from_abroad", None, 0, (0, 0.6, -0.5, 0.4, -0.1, -0.2, -0.5, -0.5), 1.3),
        "family": Block("children_at_home carer", None, 0, NONE, 0.2),
        "adjustments": Block("adjustments_made", "leadership", 0.4, NONE, -0.1),
        "home": Block("works_from_home", None, 0, (0.1, -0.4, -0.7, -0.5, -1.5, 0.6, 0.6, 1.4), -0.2),
        # The last two make the groups themselves: all other ethnic groups combined, and a condition.
        "ethnicity": Block("", None, 0, (-0.15, 0.6, -1, 0.2, 0.1, 0, -0.2, -0.35), spread=0.35),
        "condition": Block("", None, 0, (0, -0.6, 0.1, 0, 0.05, 0.2, 0.05, 0.05), -0.35, spread=0.03),
    }
)

#: Answers that are no scale, in an order that makes the shifts above sensible.
ORDERS = MappingProxyType(
    {
        "gender": (1, 2, 3, 4, 9),
        "gender_same_as_at_birth": (1, 2, 9),
        "sexual_orientation": (1, 2, 3, 4, 5),
        "religion": (1, 9, 5, 8, 2, 3, 7, 4, 6),
        "recruited_from_abroad": (2, 9, 1),
        "leaving_destination": (4, 3, 2, 1, 5, 9),
    }
)
#: How much more often each occupation group gives an answer off the scale.
OFF_SCALE = MappingProxyType(
    {
        "role_makes_difference": (0.3, 0.2, 0.3, 0.2, 0.2, 0.3, 2.5, 2.0),
        "can_access_clinical_supervision": (0.3, 0.3, 0.6, 0.2, 0.5, 0.3, 2.6, 2.2),
    }
)
#: Shift of the grounds of discrimination: (all other ethnic groups combined, with a long-term condition).
GROUNDS = MappingProxyType({"ethnic_background": (1.6, 0.0), "race": (1.6, 0.0), "disability": (0.0, 1.1)})
#: Share without an answer by section of the form: the same in every edition, rising towards the end.
MISSING = MappingProxyType(
    {
        "your_job": 0.010,
        "your_team": 0.012,
        "people_in_your_organisation": 0.013,
        "your_managers": 0.014,
        "health_wellbeing_safety": 0.017,
        "personal_development": 0.020,
        "your_organisation": 0.022,
        "covid": 0.024,
        "background": 0.027,
    }
)
