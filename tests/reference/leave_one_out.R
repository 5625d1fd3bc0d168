# Shares near the ends of their scale, each predicted by the quasi-binomial fit of all others: R's own glm.
# Rscript tests/reference/leave_one_out.R   (R 4.x, base packages only)
set.seed(14)
n <- 40
kind <- rep(0:1, length.out = n)
size <- round(rnorm(n), 4)
mix <- round(rnorm(n), 4)
eta <- -3.5 + 0.8 * kind - 0.5 * size + 0.3 * mix + rnorm(n, 0, 0.4)
share <- round(plogis(eta), 3)
share[c(3, 17)] <- 0
share[30] <- 1
data <- data.frame(share, kind, size, mix)
rows <- lapply(seq_len(n), function(i) {
  fit <- suppressWarnings(glm(share ~ kind + size + mix, family = quasibinomial, data = data[-i, ],
                              control = glm.control(epsilon = 1e-14, maxit = 100)))
  told <- predict(fit, data[i, ], se.fit = TRUE)
  data.frame(logit = told$fit, error = told$se.fit, scale = summary(fit)$dispersion)
})
out <- cbind(data, do.call(rbind, rows))
write.csv(out, "tests/reference/leave_one_out.csv", row.names = FALSE, quote = FALSE)
