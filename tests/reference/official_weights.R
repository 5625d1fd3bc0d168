# Reference numbers for official weights, from R's survey package: organisations, and the country as a whole.
# Run from the root of the repository: Rscript tests/reference/official_weights.R
# Reads official_year.csv, writes official_weights.csv. Needs the package survey (made with 4.1-1, R 4.2.2).
#
# Weight of a respondent of group g in organisation o of benchmark group b: min(5, (n_bg / N_b) / (n_og / N_o)), N of all
# respondents. Standard errors: every organisation is a stratum. National: eligible staff over respondents times it.
library(survey)
d <- read.csv("tests/reference/official_year.csv", na.strings = "")
eligible <- c(RA1 = 300, RA2 = 250, RB1 = 200, RB2 = 90, RM1 = 400, RM2 = 120)
code <- ifelse(is.na(d$q35), 0, d$q35)
fine <- rep("other", nrow(d))
for (own in list(list("nursing", 26:34), list("ahp", c(1:3, 5:10)), list("science", c(4, 11, 12)), list("medical", 13:17),
                 list("social", 35:37), list("admin", 38), list("central", 39), list("management", 41), list("paramedic", 18:19),
                 list("technician", 20:21), list("control", 22), list("transport", 23)))
  fine[code %in% own[[2]]] <- own[[1]]
all_kinds <- c("nursing", "ahp", "admin", "central", "management")
apart <- list(Acute = c(all_kinds, "science", "medical"), Ambulance = c(all_kinds, "paramedic", "technician", "control", "transport"),
              Mental = c(all_kinds, "medical", "social"), ICBs = character())
kind <- sub(" .*", "", d$benchmark_group)
d$group <- ifelse(mapply(function(g, k) g %in% apart[[k]], fine, kind), fine, "other")
one <- rep(1, nrow(d))
share <- function(of, within) ave(one, of, within, FUN = sum) / ave(one, within, FUN = sum)
d$w <- pmin(5, share(d$group, d$benchmark_group) / share(d$group, d$organisation))
d$w[kind == "ICBs"] <- 1
stopifnot(max(d$w) == 5)
item <- function(x) (x - 1) * 2.5
items <- cbind(item(d$q2a), item(d$q2b), item(d$q2c))
d$motivation <- ifelse(rowSums(!is.na(items)) >= 2, rowMeans(items, na.rm = TRUE), NA)
d$recommend_place_to_work <- 100 * (d$q25c >= 4)
d$patient_contact <- 100 * (d$q1 <= 2)
d$size <- eligible[d$organisation] / ave(one, d$organisation, FUN = sum)
number <- function(x) sprintf("%.15g", x)
rows <- list()
for (m in c("motivation", "recommend_place_to_work", "patient_contact")) {
  s <- d[!is.na(d[[m]]), ]
  own <- if (m == "patient_contact") rep(1, nrow(s)) else s$w
  design <- svydesign(ids = ~1, strata = ~organisation, weights = own, data = s)
  b <- svyby(as.formula(paste0("~", m)), ~organisation, design, svymean)
  rows[[length(rows) + 1]] <- data.frame(organisation = b$organisation, measure = m, estimate = number(b[[m]]),
    std_error = number(b$se), base = as.vector(table(s$organisation)[b$organisation]))
  # The country: trusts alone; who did not answer is a zero in the design of all.
  t <- d[!is.na(d$size), ]
  t$ww <- if (m == "patient_contact") 1 else t$size * t$w
  here <- svydesign(ids = ~1, strata = ~organisation, weights = ~ww, data = t)
  answered <- subset(here, !is.na(t[[m]]))
  e <- svymean(as.formula(paste0("~", m)), answered)
  rows[[length(rows) + 1]] <- data.frame(organisation = "all", measure = m, estimate = number(coef(e)),
    std_error = number(SE(e)), base = sum(!is.na(t[[m]])))
}
write.csv(do.call(rbind, rows), "tests/reference/official_weights.csv", row.names = FALSE, quote = FALSE)
