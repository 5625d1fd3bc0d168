# Reference numbers for designs, domains, ratios, raking and intervals, from R's survey package.
# Run from the root of the repository: Rscript tests/reference/survey_design.R [file to write]
# Writes tests/reference/survey_design.csv. Needs the package survey (made with 4.1-1, R 4.2.2).
#
# Data: sample.csv (made up by make_sample.py) and apistrat, which comes with the package.
suppressMessages(library(survey))
options(survey.lonely.psu = "adjust", digits = 17)
to <- commandArgs(trailingOnly = TRUE)
to <- if (length(to)) to[1] else "tests/reference/survey_design.csv"
rows <- list()
add <- function(case, organisation, group, measure, estimate, std_error, conf_low = NA, conf_high = NA)
  rows[[length(rows) + 1]] <<- data.frame(case, organisation, group, measure,
    estimate = sprintf("%.16g", estimate), std_error = sprintf("%.16g", std_error),
    conf_low = sprintf("%.16g", conf_low), conf_high = sprintf("%.16g", conf_high))

d <- read.csv("tests/reference/sample.csv", na.strings = "")
item <- (d[, c("q2a", "q2b", "q2c")] - 1) * 2.5
d$motivation <- ifelse(rowSums(!is.na(item)) >= 2, rowMeans(item, na.rm = TRUE), NA)
d$recommend_place_to_work <- 100 * (d$q25c >= 4)
d$one <- 1
d$stratum <- paste(d$organisation, d$grade)
d$psu <- paste(d$organisation, d$ward)
d$eligible <- c(RXX = 400, RYY = 300, RZZ = 280)[d$organisation]
measures <- c("motivation", "recommend_place_to_work")

# One measure at a time: a formula of several would drop whoever lacks any of them.
means <- function(case, design, by = NULL) for (m in measures) {
  if (is.null(by)) {
    r <- svymean(as.formula(paste0("~", m)), design, na.rm = TRUE)
    add(case, "all", "all", m, coef(r), SE(r))
  } else {
    r <- svyby(as.formula(paste0("~", m)), as.formula(paste0("~", by)), design, svymean, na.rm = TRUE)
    for (i in seq_len(nrow(r))) add(case, r$organisation[i],
      if ("locality_1" %in% names(r)) r$locality_1[i] else "all", m, r[[m]][i], r$se[i])
  }
}
both <- function(case, design) { means(case, design, "organisation")
  means(case, subset(design, !is.na(locality_1)), "organisation + locality_1") }

# Domains of the whole sample: those outside count with zero.
both("strata, domains", svydesign(ids = ~1, strata = ~organisation, weights = ~weight, data = d))
both("no strata, domains", svydesign(ids = ~1, weights = ~weight, data = d))
both("unweighted, domains", svydesign(ids = ~1, strata = ~organisation, weights = ~one, data = d))
both("fpc, domains", svydesign(ids = ~1, strata = ~organisation, weights = ~weight, fpc = ~eligible, data = d))
both("finer strata, domains", svydesign(ids = ~1, strata = ~stratum, weights = ~weight, data = d))
both("clusters, domains", svydesign(ids = ~psu, strata = ~organisation, weights = ~weight, data = d))
both("clusters in finer strata, domains", svydesign(ids = ~psu, strata = ~stratum, weights = ~weight, data = d))
d$lone <- ifelse(d$psu == "RXX ward 1", "lone", d$stratum)
both("a stratum of one cluster, domains", svydesign(ids = ~psu, strata = ~lone, weights = ~weight, data = d))
both("clusters without strata, domains", svydesign(ids = ~psu, weights = ~weight, data = d))

# Every organisation, and every group in it, a sample of its own.
own <- function(case, ids, weights) for (m in measures) for (o in unique(d$organisation)) for (g in c("all", na.omit(unique(d$locality_1)))) {
  s <- d[!is.na(d[[m]]) & d$organisation == o & (g == "all" | d$locality_1 %in% g), ]
  r <- svymean(as.formula(paste0("~", m)), svydesign(ids = ids, weights = weights, data = s))
  add(case, o, g, m, coef(r), SE(r))
}
own("own samples", ~1, ~weight)
own("own samples, unweighted", ~1, ~one)
own("own samples, clusters", ~psu, ~weight)

# Intervals of percentages on the logit scale.
for (o in unique(d$organisation)) {
  s <- subset(d, organisation == o & !is.na(q25c)); s$yes <- s$q25c >= 4
  p <- svyciprop(~yes, svydesign(ids = ~1, weights = ~one, data = s), method = "xlogit", df = nrow(s) - 1)
  add("logit interval", o, "all", "recommend_place_to_work", 100 * p, 100 * sqrt(attr(p, "var")),
    100 * attr(p, "ci")[1], 100 * attr(p, "ci")[2])
}

# All organisations together, weighted by size: eligible staff over respondents.
d$size <- d$eligible / ave(d$one, d$organisation, FUN = sum)
size <- svydesign(ids = ~1, strata = ~organisation, weights = ~size, data = d)
means("size", size)
for (m in measures) {
  r <- svyby(as.formula(paste0("~", m)), ~locality_1, size, svymean, na.rm = TRUE)
  for (i in seq_len(nrow(r))) add("size", "all", r$locality_1[i], m, r[[m]][i], r$se[i])
}

# Response distribution of one question.
d$answer <- factor(d$q25c)
r <- svyby(~answer, ~organisation, svydesign(ids = ~1, strata = ~organisation, weights = ~weight, data = d), svymean, na.rm = TRUE)
for (k in 1:5) for (i in seq_len(nrow(r))) add("distribution", r$organisation[i], "all", paste0("option ", k),
  100 * r[[paste0("answer", k)]][i], 100 * r[[paste0("se.answer", k)]][i])

# Post-stratification and raking of each organisation to its staff in post, from equal weights. Respondents
# whose group is not known are a group of their own that keeps its share.
d$sex <- ifelse(is.na(d$q27a), 0, d$q27a); d$ltc <- ifelse(is.na(d$q31a), 0, d$q31a)
margin <- function(s, v, staff) { t <- table(s[[v]]); k <- t[names(t) != "0"]
  f <- c(if ("0" %in% names(t)) t["0"], sum(k) * staff / sum(staff)); data.frame(setNames(list(as.numeric(names(t))), v), Freq = as.numeric(f)) }
staff <- list(RXX = list(c(60, 40), c(20, 80)), RYY = list(c(75, 25), c(15, 85)), RZZ = list(c(66, 34), c(30, 70)))
for (o in unique(d$organisation)) {
  s <- d[d$organisation == o, ]
  u <- svydesign(ids = ~1, weights = ~one, data = s)
  sex <- margin(s, "sex", staff[[o]][[1]]); ltc <- margin(s, "ltc", staff[[o]][[2]])
  x <- postStratify(u, ~sex, sex)
  r <- rake(u, list(~sex, ~ltc), list(sex, ltc), control = list(maxit = 200, epsilon = 1e-12))
  s$fsex <- factor(s$sex); s$fltc <- factor(s$ltc)
  c1 <- calibrate(svydesign(ids = ~1, weights = ~one, data = s), ~ fsex + fltc,
    c(nrow(s), sex$Freq[-1], ltc$Freq[-1]), calfun = "raking", epsilon = 1e-13, maxit = 200)
  for (m in measures) {
    for (case in c("post-stratified", "raked", "calibrated")) {
      design <- switch(case, "post-stratified" = x, raked = r, calibrated = c1)
      a <- svymean(as.formula(paste0("~", m)), design, na.rm = TRUE)
      add(case, o, "all", m, coef(a), SE(a))
      b <- svyby(as.formula(paste0("~", m)), ~locality_1, design, svymean, na.rm = TRUE)
      for (i in seq_len(nrow(b))) add(case, o, b$locality_1[i], m, b[[m]][i], b$se[i])
    }
  }
  w <- weights(r) / mean(weights(r))
  add("raking", o, "all", "largest weight", max(w), NA)
  add("raking", o, "all", "design effect", length(w) * sum(w^2) / sum(w)^2, NA)
  t3 <- trimWeights(r, upper = 1.3 * mean(weights(r)), strict = TRUE)
  a <- svymean(~motivation, t3, na.rm = TRUE); add("trimmed", o, "all", "motivation", coef(a), NA)
}

# apistrat: strata, finite population correction, domains, ratio, raking.
data(api)
strat <- svydesign(ids = ~1, strata = ~stype, weights = ~pw, fpc = ~fpc, data = apistrat)
for (m in c("api00", "enroll")) { a <- svymean(as.formula(paste0("~", m)), strat); add("apistrat", "all", "all", m, coef(a), SE(a))
  b <- svyby(as.formula(paste0("~", m)), ~stype + sch.wide, strat, svymean)
  for (i in seq_len(nrow(b))) add("apistrat", "all", paste(b$stype[i], b$sch.wide[i], sep = " × "), m, b[[m]][i], b$se[i])
  b <- svyby(as.formula(paste0("~", m)), ~awards, strat, svymean)
  for (i in seq_len(nrow(b))) add("apistrat", "all", b$awards[i], m, b[[m]][i], b$se[i]) }
a <- svyratio(~api.stu, ~enroll, strat); add("apistrat ratio", "all", "all", "api.stu", coef(a), SE(a))
b <- svyby(~api.stu, ~awards, denominator = ~enroll, strat, svyratio)
for (i in seq_len(nrow(b))) add("apistrat ratio", "all", b$awards[i], "api.stu", b[["api.stu/enroll"]][i], b[["se.api.stu/enroll"]][i])
apistrat$one <- 1
equal <- svydesign(ids = ~1, weights = ~one, data = apistrat)
n <- nrow(apistrat)
stype <- data.frame(stype = c("E", "H", "M"), Freq = n * c(4421, 755, 1018) / 6194)
wide <- data.frame(sch.wide = c("No", "Yes"), Freq = n * c(1072, 5122) / 6194)
raked <- rake(equal, list(~stype, ~sch.wide), list(stype, wide), control = list(maxit = 200, epsilon = 1e-12))
post <- postStratify(equal, ~stype, stype)
for (m in c("api00", "enroll")) for (case in c("apistrat raked", "apistrat post-stratified")) {
  design <- if (case == "apistrat raked") raked else post
  a <- svymean(as.formula(paste0("~", m)), design); add(case, "all", "all", m, coef(a), SE(a))
  b <- svyby(as.formula(paste0("~", m)), ~awards, design, svymean)
  for (i in seq_len(nrow(b))) add(case, "all", b$awards[i], m, b[[m]][i], b$se[i])
}
write.csv(do.call(rbind, rows), to, row.names = FALSE, quote = TRUE)
