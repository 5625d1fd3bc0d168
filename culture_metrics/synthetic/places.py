"""Where the synthetic staff work: kinds of organisation, directorates and sites, all invented."""

from __future__ import annotations

from types import MappingProxyType

#: Standard deviation of the common effect of an organisation, and of a directorate inside it.
ORGANISATION_SPREAD = 0.07
DIRECTORATE_SPREAD = 0.12

#: Kinds of organisation: benchmark group, common effect, and how common each occupation group is there.
KINDS = MappingProxyType(
    {
        "A": ("Acute and Acute & Community Trusts", 0.0, (1, 1, 0.2, 1, 1, 0.5, 1, 1)),
        "M": (
            "Mental Health & Learning Disability and Mental Health, Learning Disability & Community Trusts",
            *(0.1, (1.3, 0.6, 0.01, 0.9, 1.2, 4, 1, 1)),
        ),
        "C": ("Community Trusts", 0.2, (2.2, 0.3, 0.01, 1.1, 0.9, 2, 1, 0.9)),
        "S": ("Acute Specialist Trusts", 0.2, (1.2, 1.3, 0.01, 0.9, 0.9, 0.1, 1.1, 1)),
        "B": ("Ambulance Trusts", -0.1, (0.03, 0.03, 20, 0.05, 0.02, 0.01, 0.8, 1.2)),
    }
)
#: The kind of each organisation, again and again.
SEQUENCE = "AAAAMAACASAMAABAMASM"
REGIONS = (
    "North West",
    "Midlands",
    "London",
    "South East",
    "North East and Yorkshire",
    "East of England",
    "South West",
)
#: Directorates (locality_1), and the share of each occupation group that works there, in per cent.
DIRECTORATES = MappingProxyType(
    {
        "Urgent Care": (8, 30, 90, 30, 32, 3, 10, 6),
        "Planned Care": (8, 35, 2, 30, 30, 3, 12, 8),
        "Women and Children": (4, 15, 0, 18, 10, 20, 6, 4),
        "Diagnostics and Pharmacy": (35, 12, 0, 2, 10, 0, 7, 5),
        "Therapies and Community": (35, 3, 6, 13, 13, 54, 6, 6),
        "Mental Wellbeing": (5, 3, 0, 4, 5, 20, 2, 3),
        "Estates and Facilities": (0, 0, 2, 0, 0, 0, 24, 6),
        "Digital and Information": (1, 0, 0, 1, 0, 0, 10, 12),
        "Corporate Services": (1, 0, 0, 1, 0, 0, 20, 40),
        "Research and Education": (3, 2, 0, 1, 0, 0, 3, 10),
    }
)
#: A directorate of so few that it must be suppressed: respondents of any directorate, by chance.
SMALL_DIRECTORATE = "Chaplaincy"
SMALL_DIRECTORATE_SIZE = 7
#: Sites (locality_2) and their shares: sites differ by chance only.
SITES = MappingProxyType({"North Site": 0.5, "South Site": 0.3, "Community Sites": 0.2})
