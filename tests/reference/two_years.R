# Reference numbers for the comparison of two years, from R alone (base and stats).
# Run: Rscript tests/reference/two_years.R > tests/reference/two_years.csv  (R 4.2.2)
# Welch: t.test of two samples; the samples are written with it, so that anyone can repeat them.
# Agresti-Caffo (2000): written out from the paper's formula. Newcombe (1998): method 10, from prop.test's
# Wilson intervals without continuity correction.
# Holm and Benjamini-Hochberg: p.adjust.
options(digits = 15)
set.seed(20)
say <- function(case, name, ...) cat(paste(c(case, name, formatC(c(...), digits = 15, format = "g")), collapse = ","), "\n", sep = "")
cat("case,quantity,value\n")

for (case in 1:3) {
  n <- c(12, 60, 400)[case]; m <- c(15, 45, 900)[case]
  x <- round(pmin(10, pmax(0, rnorm(n, 6, 2))), 2); y <- round(pmin(10, pmax(0, rnorm(m, 6.4, 1.5))), 2)
  w <- t.test(y, x)
  name <- paste0("welch", case)
  for (q in c("mean_from", "mean_to", "sd_from", "sd_to", "n_from", "n_to", "se", "df", "t", "p", "low", "high", "pooled_p"))
    say(name, q, switch(q, mean_from = mean(x), mean_to = mean(y), sd_from = sd(x), sd_to = sd(y), n_from = n, n_to = m,
      se = w$stderr, df = w$parameter, t = w$statistic, p = w$p.value, low = w$conf.int[1], high = w$conf.int[2],
      pooled_p = t.test(y, x, var.equal = TRUE)$p.value))
  # equivalence: the larger of two one-sided tests against 0.5
  p1 <- t.test(y, x, mu = -0.5, alternative = "greater")$p.value
  p2 <- t.test(y, x, mu = 0.5, alternative = "less")$p.value
  say(name, "p_equivalence", max(p1, p2))
}

ac <- function(x1, n1, x2, n2) {
  p1 <- (x1 + 1) / (n1 + 2); p2 <- (x2 + 1) / (n2 + 2)
  se <- sqrt(p1 * (1 - p1) / (n1 + 2) + p2 * (1 - p2) / (n2 + 2))
  d <- p2 - p1
  c(low = d - qnorm(.975) * se, high = d + qnorm(.975) * se, se = se, p = 2 * pnorm(-abs(d / se)))
}
wilson <- function(x, n) suppressWarnings(prop.test(x, n, correct = FALSE)$conf.int)
newcombe <- function(x1, n1, x2, n2) {
  p1 <- x1 / n1; p2 <- x2 / n2; w1 <- wilson(x1, n1); w2 <- wilson(x2, n2)
  c(low = (p2 - p1) - sqrt((p2 - w2[1])^2 + (w1[2] - p1)^2), high = (p2 - p1) + sqrt((w2[2] - p2)^2 + (p1 - w1[1])^2))
}
counts <- list(c(48, 80, 56, 70), c(0, 20, 3, 25), c(29, 30, 30, 30), c(612, 1000, 649, 1000), c(9, 10, 3, 10))
for (i in seq_along(counts)) {
  k <- counts[[i]]; a <- ac(k[1], k[2], k[3], k[4]); b <- newcombe(k[1], k[2], k[3], k[4])
  name <- paste0("percent", i)
  for (j in 1:4) say(name, c("x_from", "n_from", "x_to", "n_to")[j], k[j])
  for (q in names(a)) say(name, paste0("ac_", q), a[q])
  for (q in names(b)) say(name, paste0("newcombe_", q), b[q])
}

p <- c(0.0001, 0.004, 0.0191, 0.0201, 0.03, 0.049, 0.2, 0.5, 0.9, 1)
for (i in seq_along(p)) {
  say("adjust", paste0("p", i), p[i])
  say("adjust", paste0("holm", i), p.adjust(p, "holm")[i])
  say("adjust", paste0("bh", i), p.adjust(p, "BH")[i])
}
