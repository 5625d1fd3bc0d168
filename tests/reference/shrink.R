# Reference numbers for shrunken estimates: the normal hierarchical model with flat priors on centre and spread,
# integrated with R's own integrate() and uniroot(), one group at a time.
# Run from the root of the repository: Rscript tests/reference/shrink.R
# Writes tests/reference/shrink.csv. Needs base R only (made with R 4.2.2).
cases <- list(
  twelve = list(y = c(4.98, 5.28, 6.3, 6.42, 6.6, 6.51, 7.5, 5.93, 6.32, 6.92, 7.25, 7.13),
                v = c(0.23, 0.38, 0.1, 0.38, 0.16, 0.2, 0.34, 0.19, 0.24, 0.06, 0.31, 0.24)),
  alike = list(y = c(6.0, 6.1, 5.9, 6.05), v = rep(0.5, 4)),
  three = list(y = c(6.0, 6.4, 7.2), v = c(0.05, 0.2, 0.1)),
  apart = list(y = c(20, 35, 50, 61, 74), v = c(4, 9, 1, 16, 2)))
rows <- list()
for (name in names(cases)) {
  y <- cases[[name]]$y; v <- cases[[name]]$v
  # Density of the spread t: the centre integrated out by hand. Finite sums over t from 0 to infinity.
  logd <- Vectorize(function(t) {
    w <- 1 / (v + t^2); m <- sum(w * y) / sum(w)
    0.5 * sum(log(w)) - 0.5 * log(sum(w)) - 0.5 * sum(w * (y - m)^2)
  })
  top <- max(logd(seq(0, 5 * sd(y) + 1, length.out = 2000)))
  # t = u / (1 - u), so that the tail has an end.
  over <- function(f) integrate(function(u) {
    t <- u / (1 - u); exp(logd(t) - top) * f(t) / (1 - u)^2
  }, 0, 1, rel.tol = 1e-11, subdivisions = 4000)$value
  total <- over(function(t) rep(1, length(t)))
  mean_of <- function(f) over(f) / total
  w_of <- function(t) 1 / (v + t^2)
  m_of <- function(t) sum(w_of(t) * y) / sum(w_of(t))
  centre <- mean_of(Vectorize(m_of))
  upto <- function(s) integrate(function(t) exp(logd(t) - top), 0, s, rel.tol = 1e-11)$value / total
  spread <- uniroot(function(s) upto(s) - 0.5, c(1e-6, 20 * sd(y) + 5), tol = 1e-12)$root
  for (i in seq_along(y)) {
    kept <- function(t) t^2 / (v[i] + t^2)
    mean_i <- Vectorize(function(t) m_of(t) + kept(t) * (y[i] - m_of(t)))
    sd_i <- Vectorize(function(t) sqrt(v[i] * kept(t) + (1 - kept(t))^2 / sum(w_of(t))))
    value <- mean_of(mean_i)
    below <- function(x) mean_of(function(t) pnorm((x - mean_i(t)) / sd_i(t)))
    end <- function(q) uniroot(function(x) below(x) - q, value + c(-1, 1) * 12 * sqrt(v[i] + var(y)),
                               tol = 1e-12)$root
    rows[[length(rows) + 1]] <- data.frame(case = name, y = y[i], v = v[i], centre = centre, spread = spread,
      kept = mean_of(kept), value = value, low = end(0.025), high = end(0.975))
  }
}
d <- do.call(rbind, rows)
d[-1] <- lapply(d[-1], function(x) sprintf("%.12g", x))
write.csv(d, "tests/reference/shrink.csv", row.names = FALSE, quote = FALSE)
