"""Disclosure control: no result on too few respondents, nor one that follows from the others."""

from culture_metrics.disclosure.audit import DisclosureAudit, audit_disclosure
from culture_metrics.disclosure.suppress import hidden_cells, suppress

__all__ = ["DisclosureAudit", "audit_disclosure", "hidden_cells", "suppress"]
