# Reference numbers for weighted and unweighted estimates, from R's survey package.
# Run from the root of the repository: Rscript tests/reference/weighted_estimates.R
# Writes tests/reference/weighted_estimates.csv. Needs the packages survey (made with 4.1-1, R 4.2.2).
#
# Weights: the official ones for community trusts, to the mix of both together; capped at 5.
# "pooled": nurses and AHPs weighted as one group, in both organisations: hidden in some measure of RYY.
# Standard errors: every organisation is a stratum (its respondents are a sample of their own).
library(survey)
d <- read.csv("tests/reference/respondents.csv")
group <- rep("other", nrow(d))
group[d$q35 %in% 26:34] <- "nursing"; group[d$q35 %in% c(1:3, 5:10)] <- "ahp"; group[d$q35 == 38] <- "admin"
group[d$q35 == 39] <- "central"; group[d$q35 == 41] <- "management"
one <- rep(1, nrow(d))
weights_of <- function(group) {
  wanted <- prop.table(table(group))[group]
  pmin(as.numeric(wanted) / (ave(one, d$organisation, group, FUN = sum) / ave(one, d$organisation, FUN = sum)), 5)
}
d$official <- weights_of(group)
d$pooled <- weights_of(ifelse(group %in% c("ahp", "nursing"), "few", group))
d$none <- 1
item <- function(x) (x - 1) * 2.5
items <- cbind(item(d$q2a), item(d$q2b), item(d$q2c))
d$motivation <- ifelse(rowSums(!is.na(items)) >= 2, rowMeans(items, na.rm = TRUE), NA)
d$recommend_place_to_work <- 100 * (d$q25c >= 4)
rows <- list()
for (weighting in c("none", "official", "pooled")) for (m in c("motivation", "recommend_place_to_work")) {
  s <- d[!is.na(d[[m]]), ]
  s$ww <- s[[weighting]]
  design <- svydesign(ids = ~1, strata = ~organisation, weights = ~ww, data = s)
  b <- svyby(as.formula(paste0("~", m)), ~organisation, design, svymean)
  for (i in seq_len(nrow(b))) {
    k <- s$organisation == b$organisation[i]
    rows[[length(rows) + 1]] <- data.frame(organisation = b$organisation[i], measure = m, weighting = weighting,
      estimate = sprintf("%.15g", b[[m]][i]), std_error = sprintf("%.15g", b$se[i]), base = sum(k),
      effective_base = sprintf("%.15g", sum(s$ww[k])^2 / sum(s$ww[k]^2)))
  }
}
write.csv(do.call(rbind, rows), "tests/reference/weighted_estimates.csv", row.names = FALSE, quote = FALSE)
