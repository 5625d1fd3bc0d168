# Makes wild_bootstrap.csv and wild_bootstrap.json: every sign vector of eight clusters, refitted one by one.
library(sandwich)
library(jsonlite)
set.seed(77)
sizes <- c(5, 8, 12, 6, 9, 20, 7, 10)
cluster <- rep(seq_along(sizes), sizes)
n <- length(cluster)
x <- rnorm(8)[cluster] + 0.5 * rnorm(n)
w <- rnorm(n)
y <- 1 + 0.45 * x + 0.3 * w + 0.6 * rnorm(8)[cluster] + rnorm(n)
write.csv(data.frame(cluster, x, w, y), "tests/reference/wild_bootstrap.csv", row.names = FALSE, quote = FALSE)
statistic <- function(outcome) {
  fit <- lm(outcome ~ x + w)
  unname(coef(fit)["x"] / sqrt(vcovCL(fit, cluster, type = "HC1")["x", "x"]))
}
restricted <- lm(y ~ w)
signs <- as.matrix(expand.grid(rep(list(c(-1, 1)), 8)))
found <- apply(signs, 1, function(v) statistic(fitted(restricted) + v[cluster] * resid(restricted)))
write_json(list(
  origin = paste("R", getRversion(), "lm, sandwich", packageVersion("sandwich")),
  statistic = statistic(y), p_value = mean(abs(found) >= abs(statistic(y)) * (1 - 1e-10)),
  quantiles = unname(quantile(abs(found), c(0.5, 0.9, 0.95)))
), "tests/reference/wild_bootstrap.json", auto_unbox = TRUE, digits = 14, pretty = TRUE)
