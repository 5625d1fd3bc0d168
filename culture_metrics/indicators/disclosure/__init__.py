"""Disclosure control: no result on too few respondents, nor one that follows from the others."""

from culture_metrics.indicators.disclosure.audit import DisclosureAudit, audit_disclosure
from culture_metrics.indicators.disclosure.hide import suppress

__all__ = ["DisclosureAudit", "audit_disclosure", "suppress"]
