# Fit the long differences of cm.link_outcomes with every covariance, in R; writes long_differences.csv.
# Run as `Rscript tests/reference/long_differences.R` from the root of the project.
# R 4.2.2; sandwich 3.0-2, plm 2.6-2. The panel is link_panel.csv without some rows, as in link_covariances.R.
# plm takes the changes: diff(shift = "time") joins by year, so a missing year leaves a gap.
suppressMessages({library(sandwich); library(plm)})
d <- read.csv("tests/reference/link_panel.csv")
d <- d[order(d$organisation, d$year), ]
i <- seq_len(nrow(d)) - 1
d <- d[(i * 7) %% 11 > 2 | i %% 13 == 0, ]
d <- d[!(d$organisation >= "R50" & d$year != 2019 + as.integer(substr(d$organisation, 2, 3)) %% 4), ]
d$one <- 1
p <- pdata.frame(d, index = c("organisation", "year"))
out <- NULL
add <- function(id, m, v, df) {
  out <<- rbind(out, data.frame(id = id, estimate = unname(coef(m)["engagement"]),
    std_error = unname(sqrt(diag(v))["engagement"]), df = df, rows = nobs(m)))
}
for (k in c(1, 2, 3)) for (w in c("one", "deaths")) {
  x <- data.frame(organisation = d$organisation, year = d$year, w = d[[w]])
  for (v in c("score", "engagement", "sickness")) x[[v]] <- as.numeric(diff(p[[v]], lag = k, shift = "time"))
  x <- x[complete.cases(x), ]
  years <- if (length(unique(x$year)) > 1) " + factor(year)" else ""
  m <- lm(as.formula(paste0("score ~ engagement + sickness", years)), x, weights = w)
  G <- length(unique(x$organisation)); n <- nobs(m); q <- length(coef(m))
  id <- paste0("long_difference", if (k == 3) "" else paste0("_", k), if (w == "one") ".plain" else ".weighted")
  add(paste0(id, ".classical"), m, vcov(m), df.residual(m))
  add(paste0(id, ".HC1"), m, vcovHC(m, "HC1"), df.residual(m))
  add(paste0(id, ".HC3"), m, vcovHC(m, "HC3"), df.residual(m))
  cluster <- vcovCL(m, x$organisation, type = "HC0", cadjust = FALSE) * G / (G - 1) * (n - 1) / (n - q)
  add(paste0(id, ".cluster"), m, cluster, G - 1)
  if (w == "one") cat(k, "years:", n, "changes of", G, "organisations\n")
}
for (column in c("estimate", "std_error")) out[[column]] <- signif(out[[column]], 12)
write.csv(out, "tests/reference/long_differences.csv", row.names = FALSE)
