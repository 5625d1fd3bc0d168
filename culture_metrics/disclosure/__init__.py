"""Disclosure control: no result on too few respondents, nor one that follows from the others.

Beside `suppress`, which is at the top: `audit_disclosure` attacks a release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.lazy_names import lazy_names

if TYPE_CHECKING:
    from culture_metrics.disclosure.audit import DisclosureAudit as DisclosureAudit
    from culture_metrics.disclosure.audit import audit_disclosure as audit_disclosure
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "DisclosureAudit": "audit",
            "audit_disclosure": "audit",
        },
    )
