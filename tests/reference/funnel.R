# Funnel limits with over-dispersion (Spiegelhalter 2005, Statistics in Medicine 24, section 5), written from the
# paper and not from the package. Invented organisations, so that nothing published is stored.
# Rscript funnel.R > funnel.csv
set.seed(20050)
n <- 40
worth <- round(exp(runif(n, log(150), log(9000))))
made <- list(
  score = list(y = rnorm(n, 6.8, sqrt(0.18^2 + 1.6^2 / worth)), sd = 1.6),
  quiet = list(y = rnorm(n, 6.8, 0.7 * 1.6 / sqrt(worth)), sd = 1.6),
  percent = list(y = 100 * rbinom(n, worth, plogis(rnorm(n, 0.4, 0.25))) / worth, sd = NA)
)
out <- NULL
for (kind in names(made)) {
  y <- made[[kind]]$y
  target <- weighted.mean(y, worth)
  sd <- made[[kind]]$sd
  if (is.na(sd)) sd <- 100 * sqrt(target / 100 * (1 - target / 100))
  s <- sd / sqrt(worth)
  z <- (y - target) / s
  q <- quantile(z, c(0.1, 0.9), type = 7)
  zw <- pmin(pmax(z, q[1]), q[2])
  phi <- mean(zw^2)
  w <- 1 / s^2
  tau2 <- max(0, (n * phi - (n - 1)) / (sum(w) - sum(w^2) / sum(w)))
  width <- sqrt(s^2 + tau2)
  out <- rbind(out, data.frame(
    kind, y, worth, target, phi, tau = sqrt(tau2),
    low_95 = target - qnorm(0.975) * width, high_95 = target + qnorm(0.975) * width,
    low_998 = target - qnorm(0.999) * width, high_998 = target + qnorm(0.999) * width
  ))
}
out[-1] <- lapply(out[-1], function(x) trimws(formatC(x, digits = 15, format = "g")))
write.csv(out, stdout(), row.names = FALSE, quote = FALSE)
