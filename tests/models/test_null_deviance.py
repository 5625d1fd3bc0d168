"""The deviance of the model with a constant only is that of statsmodels, without its fit."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.genmod.generalized_linear_model import GLM

from culture_metrics.models.glm import BINOMIAL, GAMMA, POISSON, Family, null_deviance

RNG = np.random.default_rng(3)
X = np.column_stack([np.ones(80), RNG.normal(size=80)])
MEAN = np.exp(0.3 + 0.2 * X[:, 1])
CASES = {
    "binomial": (BINOMIAL, RNG.binomial(50, 0.3, 80) / 50),
    "Poisson": (POISSON, RNG.poisson(4 * MEAN).astype(float)),
    "Gamma": (GAMMA, RNG.gamma(3, MEAN)),
    "negative binomial": (
        Family("negative binomial", "log", True, alpha=0.4),
        RNG.poisson(4 * MEAN).astype(float),
    ),
}


@pytest.mark.parametrize("offset", [None, RNG.normal(size=80) / 2], ids=["no offset", "offset"])
@pytest.mark.parametrize("weights", [None, RNG.uniform(1, 60, 80)], ids=["no weights", "weights"])
@pytest.mark.parametrize("case", CASES)
def test_it_is_that_of_statsmodels(case, weights, offset):
    family, y = CASES[case]
    found = GLM(y, X, family.model, offset=offset, var_weights=weights).fit()
    assert null_deviance(y, family, weights, offset, found) == pytest.approx(found.null_deviance, rel=1e-9)
