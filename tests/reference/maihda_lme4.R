# Strata of two breakdowns by lme4 (REML): null model, and main effects with what is beyond their sum.
# Rscript maihda_lme4.R writes maihda_lme4.csv (a row a stratum) and maihda_lme4_variances.csv.
library(lme4)
set.seed(20241)
cells <- expand.grid(first = c("A", "B", "C"), second = c("p", "q", "r", "s"))
cells$stratum <- factor(paste(cells$first, cells$second, sep = " \u00d7 "))
cells$n <- c(14, 95, 40, 210, 33, 61, 18, 120, 75, 26, 48, 12)
effect <- c(A = 0, B = 0.5, C = -0.4)[cells$first] + c(p = 0, q = 0.3, r = -0.2, s = 0.1)[cells$second] +
  rnorm(12, 0, 0.35)
people <- cells[rep(seq_len(12), cells$n), ]
people$y <- 6 + effect[rep(seq_len(12), cells$n)] + rnorm(nrow(people), 0, 1.8)
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12))
null <- lmer(y ~ 1 + (1 | stratum), people, control = control)
full <- lmer(y ~ first + second + (1 | stratum), people, control = control)
beyond <- ranef(full)$stratum[as.character(cells$stratum), 1]
fixed <- predict(full, cells, re.form = NA)
out <- data.frame(
  stratum = cells$stratum, n = cells$n,
  mean = tapply(people$y, people$stratum, mean)[as.character(cells$stratum)],
  squares = tapply(people$y, people$stratum, function(x) sum((x - mean(x))^2))[as.character(cells$stratum)],
  null_value = coef(null)$stratum[as.character(cells$stratum), 1],
  fixed = fixed, value = fixed + beyond, beyond = beyond
)
write.csv(format(out, digits = 15), "maihda_lme4.csv", row.names = FALSE, quote = FALSE, fileEncoding = "UTF-8")
variances <- function(m) as.data.frame(VarCorr(m))$vcov
write.csv(
  format(data.frame(model = c("null", "full"), between = c(variances(null)[1], variances(full)[1]),
    within = c(variances(null)[2], variances(full)[2])), digits = 15),
  "maihda_lme4_variances.csv", row.names = FALSE, quote = FALSE
)
