"""Models of panels: designs, kinds of outcome, samples, estimators and covariances."""
