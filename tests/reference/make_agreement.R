# Makes agreement_items.csv and agreement_items.json: five questions in eight groups, and what R's multilevel says.
library(multilevel)
library(jsonlite)
set.seed(20241)
sizes <- c(12, 15, 18, 25, 30, 14, 40, 22)
group <- rep(LETTERS[1:8], sizes)
lean <- rnorm(8, 0, 0.5)[match(group, LETTERS)] + rnorm(length(group), 0, 0.7)
answer <- function(shift) pmin(5, pmax(1, round(3.2 + shift + lean + rnorm(length(lean), 0, 0.8))))
data <- data.frame(group, sapply(c(q1 = -0.3, q2 = 0, q3 = 0.2, q4 = 0.4, q5 = -0.1), answer))
write.csv(data, "tests/reference/agreement_items.csv", row.names = FALSE, quote = FALSE)
items <- data[, -1]
one <- function(found, name) setNames(as.list(found[[name]]), found$grpid)
write_json(list(
  origin = paste("R", getRversion(), "multilevel", packageVersion("multilevel")),
  rwg_q1 = one(rwg(data$q1, data$group, ranvar = 2), "rwg"),
  rwg_j = one(rwg.j(items, data$group, ranvar = 2), "rwg.j"),
  rwg_j_skewed = one(rwg.j(items, data$group, ranvar = 1.34), "rwg.j"),
  r_star_wg_j = one(rwg.j.lindell(items, data$group, ranvar = 2), "rwg.lindell"),
  ad = one(ad.m(items, data$group), "AD.M"),
  ad_q1 = one(ad.m(data$q1, data$group), "AD.M")
), "tests/reference/agreement_items.json", auto_unbox = TRUE, digits = 12, pretty = TRUE)
