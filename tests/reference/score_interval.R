# Reference numbers for the difference of two shares, from R alone (stats).
# Run: Rscript tests/reference/score_interval.R > tests/reference/score_interval.csv  (R 4.2.2)
# Test: the pooled score test is the chi-squared test without continuity correction (prop.test).
# Interval: Mee (1984), the differences d that the score test does not reject: |q - p - d| is at most 1.96 standard
# errors at the likeliest shares with q = p + d. These are found by maximising the likelihood (optimize), and the ends
# by uniroot: nothing of the closed form that the package uses.
options(digits = 15)
likeliest <- function(x1, n1, x2, n2, d) {
  ends <- c(max(0, -d), min(1, 1 - d))
  term <- function(k, s) ifelse(k == 0, 0, k * log(s))
  f <- function(p) term(x1, p) + term(n1 - x1, 1 - p) + term(x2, p + d) + term(n2 - x2, 1 - p - d)
  optimize(f, ends, maximum = TRUE, tol = 1e-13)$maximum
}
statistic <- function(x1, n1, x2, n2, d) {
  p <- likeliest(x1, n1, x2, n2, d); q <- p + d
  (x2 / n2 - x1 / n1 - d) / sqrt(p * (1 - p) / n1 + q * (1 - q) / n2)
}
cat("x_from,n_from,x_to,n_to,z,p,low,high\n")
for (k in list(c(48, 80, 56, 70), c(0, 20, 3, 25), c(29, 30, 30, 30), c(612, 1000, 649, 1000), c(9, 10, 3, 10),
               c(0, 11, 0, 30), c(2, 400, 11, 380), c(15, 15, 11, 15), c(1, 12, 1, 150))) {
  d <- k[3] / k[4] - k[1] / k[2]; z <- qnorm(.975)
  test <- suppressWarnings(prop.test(k[c(3, 1)], k[c(4, 2)], correct = FALSE))
  f <- function(at, side) statistic(k[1], k[2], k[3], k[4], at) - side * z
  low <- uniroot(f, c(-1 + 1e-9, d - 1e-9), side = 1, tol = 1e-13)$root
  high <- uniroot(f, c(d + 1e-9, 1 - 1e-9), side = -1, tol = 1e-13)$root
  cat(paste(c(k, formatC(c(sign(d) * sqrt(test$statistic), test$p.value, low, high), digits = 12, format = "g")), collapse = ","), "\n", sep = "")
}
