# Fit every design of cm.link_outcomes with every covariance, in R; writes link_covariances.csv.
# Run as `Rscript tests/reference/link_covariances.R` from the root of the project.
# R 4.2.2; sandwich 3.0-2, plm 2.6-2, clubSandwich 0.5.8, lme4 1.1-31, lmerTest 3.1-3, MASS 7.3.
# The panel is link_panel.csv without some rows, so that organisations have one to four years, some with gaps.
suppressMessages({library(MASS); library(sandwich); library(plm); library(clubSandwich); library(lmerTest)})
d <- read.csv("tests/reference/link_panel.csv")
d <- d[order(d$organisation, d$year), ]
i <- seq_len(nrow(d)) - 1
d <- d[(i * 7) %% 11 > 2 | i %% 13 == 0, ]
d <- d[!(d$organisation >= "R50" & d$year != 2019 + as.integer(substr(d$organisation, 2, 3)) %% 4), ]
d$one <- 1
out <- NULL
add <- function(id, estimate, se, df) {
  out <<- rbind(out, data.frame(id = id, estimate = unname(estimate), std_error = unname(se), df = unname(df)))
}
se <- function(v, term) sqrt(diag(v))[term]

# All covariances of a least-squares or generalised linear model; nested counts effects nested in the clusters.
all_of <- function(id, m, group, terms, nested = 0) {
  G <- length(unique(group)); n <- nobs(m); k <- length(coef(m)) - nested
  known <- inherits(m, "glm") && family(m)$family %in% c("binomial", "poisson")
  pearson <- sum(residuals(m, "pearson")^2) / df.residual(m)
  bread_only <- summary(m)$cov.unscaled
  found <- list(
    classical = list(bread_only * if (known) 1 else pearson, if (known) NA else df.residual(m)),
    scaled = list(bread_only * pearson, df.residual(m)),
    HC1 = list(vcovHC(m, "HC1"), df.residual(m)), HC3 = list(vcovHC(m, "HC3"), df.residual(m)),
    cluster = list(vcovCL(m, group, type = "HC0", cadjust = FALSE) * G / (G - 1) * (n - 1) / (n - k), G - 1))
  for (cov in names(found)) for (term in terms)
    add(paste(id, cov, term, sep = "."), coef(m)[term], se(found[[cov]][[1]], term), found[[cov]][[2]])
}
# The row of the same organisation some years away.
at <- function(d, column, years) d[[column]][match(paste(d$organisation, d$year + years), paste(d$organisation, d$year))]

for (w in c("one", "deaths")) {
  name <- function(design) paste(design, if (w == "one") "plain" else "weighted", sep = ".")
  d$w <- d[[w]]
  x <- d[d$year == 2022, ]
  all_of(name("cross_section"), lm(score ~ engagement + sickness, x, weights = w), x$organisation, "engagement")
  all_of(name("pooled"), lm(score ~ engagement + sickness + factor(year), d, weights = w), d$organisation, "engagement")

  x <- d; x$y <- at(d, "score", 1); x$back <- at(d, "engagement", 1); x$w <- at(d, w, 1); x <- x[!is.na(x$y), ]
  all_of(name("lagged"), lm(y ~ engagement + score + sickness + factor(year), x, weights = w), x$organisation, "engagement")
  std <- function(v) v / sd(v)
  x[c("z", "s")] <- lapply(x[c("engagement", "score")], std)
  x$y <- std(x$y); x$back <- std(x$back)
  all_of(name("cross_lagged"), lm(y ~ z + score + sickness + factor(year), x, weights = w), x$organisation, "z")
  all_of(name("cross_lagged"), lm(back ~ s + engagement + sickness + factor(year), x, weights = w), x$organisation, "s")

  x <- d[ave(d$one, d$organisation, FUN = sum) > 1, ]
  m <- lm(score ~ engagement + sickness + factor(year) + organisation, x, weights = w)
  all_of(name("fixed_effects"), m, x$organisation, "engagement", nested = length(unique(x$organisation)))
  if (w == "one") {
    p <- plm(score ~ engagement + sickness + factor(year), x, index = c("organisation", "year"), model = "within")
    add("fixed_effects.plain.sss.engagement", coef(p)["engagement"], se(vcovHC(p, type = "sss"), "engagement"), length(unique(x$organisation)) - 1)
  }
  x <- d
  for (v in c("score", "engagement", "sickness")) x[[v]] <- d[[v]] - at(d, v, -1)
  x <- x[!is.na(x$score), ]
  all_of(name("first_difference"), lm(score ~ engagement + sickness + factor(year), x, weights = w), x$organisation, "engagement")
}

# A random intercept; HC1 and HC3 of the rows from which lme4's share of the organisation's mean is taken.
ct <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-13, ftol_abs = 1e-15))
d$between <- ave(d$engagement, d$organisation); d$within <- d$engagement - d$between
intercept <- function(id, form, terms) {
  m <- lmer(update(form, . ~ . + (1 | organisation)), d, control = ct)
  s <- coef(summary(m)); robust <- as.matrix(vcovCR(m, cluster = d$organisation, type = "CR1S"))
  v <- as.data.frame(VarCorr(m))$vcov
  x <- cbind(y = d$score, model.matrix(form, d))
  share <- 1 - 1 / sqrt(1 + ave(d$one, d$organisation, FUN = sum) * v[1] / v[2])
  x <- x - share * apply(x, 2, function(column) ave(column, d$organisation))
  moved <- lm(x[, 1] ~ x[, -1] - 1)
  names(moved$coefficients) <- colnames(x)[-1]
  G <- length(unique(d$organisation)); carry <- sum(table(d$organisation) > 1)
  for (term in terms) {
    add(paste(id, "classical", term, sep = "."), s[term, 1], s[term, 2], s[term, "df"])
    for (hc in c("HC1", "HC3")) {
      robust_rows <- vcovHC(moved, hc); dimnames(robust_rows) <- list(colnames(x)[-1], colnames(x)[-1])
      add(paste(id, hc, term, sep = "."), s[term, 1], se(robust_rows, term), s[term, "df"])
    }
    add(paste(id, "cluster", term, sep = "."), s[term, 1], se(robust, term), if (term == "within") carry - 1 else G - 1)
  }
}
intercept("mixed.plain", score ~ engagement + sickness + factor(year), "engagement")
intercept("within_between.plain", score ~ within + between + sickness + factor(year), c("within", "between"))

# Other kinds of outcome: all years pooled, and what takes the place of fixed effects (mean and deviation).
tight <- glm.control(epsilon = 1e-14, maxit = 100)
x <- d[ave(d$one, d$organisation, FUN = sum) > 1, ]
other <- function(kind, left, family, offset = NULL, weights = NULL) {
  pair <- list(pooled = d, fixed_effects = x)
  for (design in names(pair)) {
    data <- pair[[design]]
    data$off <- if (is.null(offset)) 0 else log(data[[offset]])
    data$w <- if (is.null(weights)) 1 else data[[weights]]
    if (design == "fixed_effects" && kind %in% c("target_met", "agency")) next
    right <- if (design == "pooled") "engagement" else "within + between"
    form <- as.formula(paste(left, "~", right, "+ factor(year) + offset(off)"))
    m <- suppressWarnings(glm(form, family, data, weights = w, control = tight))
    all_of(paste(design, kind, sep = "."), m, data$organisation, strsplit(right, " + ", fixed = TRUE)[[1]])
  }
}
other("cases", "cases", poisson, offset = "bed_days")
other("leavers", "leavers", binomial, weights = "headcount")
other("sickness", "sickness", quasibinomial)
other("target_met", "target_met", binomial)
other("agency", "agency", Gamma("log"))

for (column in c("estimate", "std_error", "df")) out[[column]] <- signif(out[[column]], 12)
write.csv(out, "tests/reference/link_covariances.csv", row.names = FALSE)
