# Reference numbers for weighted and unweighted estimates, from R's survey package.
# Run from the root of the repository: Rscript tests/reference/weighted_estimates.R
# Writes tests/reference/weighted_estimates.csv. Needs the packages survey (made with 4.1-1, R 4.2.2).
#
# Weights: each organisation gets the occupation mix of both together, capped at 5, mean 1 in an organisation.
# "pooled": AHPs, others and nurses weighted as one group, in both organisations: hidden in some measure of RYY.
# Standard errors: every organisation is a stratum (its respondents are a sample of their own).
library(survey)
d <- read.csv("tests/reference/respondents.csv")
group <- cut(d$q35, c(0, 12, 17, 23, 25, 33, 34, 37, 40, 42),
  labels = c("ahp", "medical", "ambulance", "other1", "nurses", "hca", "social", "wider", "other2"))
group <- as.character(group); group[group %in% c("other1", "other2")] <- "other"
one <- rep(1, nrow(d))
weights_of <- function(group) {
  wanted <- prop.table(table(group))[group]
  w <- pmin(as.numeric(wanted) / (ave(one, d$organisation, group, FUN = sum) / ave(one, d$organisation, FUN = sum)), 5)
  w / ave(w, d$organisation)
}
d$occupation_group <- weights_of(group)
d$pooled <- weights_of(ifelse(group %in% c("ahp", "other", "nurses"), "few", group))
d$none <- 1
item <- function(x) (x - 1) * 2.5
items <- cbind(item(d$q2a), item(d$q2b), item(d$q2c))
d$motivation <- ifelse(rowSums(!is.na(items)) >= 2, rowMeans(items, na.rm = TRUE), NA)
d$recommend_place_to_work <- 100 * (d$q25c >= 4)
rows <- list()
for (weighting in c("none", "occupation_group", "pooled")) for (m in c("motivation", "recommend_place_to_work")) {
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
