# Reference numbers for the comparison of two years, from R alone (base and stats).
# Run: Rscript tests/reference/two_years.R > tests/reference/two_years.csv  (R 4.2.2)
# Welch: t.test of two samples; the samples are written with it, so that anyone can repeat them.
# Percentages: score_interval.R.
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

p <- c(0.0001, 0.004, 0.0191, 0.0201, 0.03, 0.049, 0.2, 0.5, 0.9, 1)
for (i in seq_along(p)) {
  say("adjust", paste0("p", i), p[i])
  say("adjust", paste0("holm", i), p.adjust(p, "holm")[i])
  say("adjust", paste0("bh", i), p.adjust(p, "BH")[i])
}
