"""Links between staff experience and outcomes: outcomes, the panel and the models."""
