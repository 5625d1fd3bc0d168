# Reference numbers for moderated error variances, written from Smyth (2004), sections 6.1 and 6.2, and DerSimonian
# and Laird (1986): variances by people to a cluster from glm() with variance mu^2, the trigamma function inverted
# by uniroot(). Base R only (made with R 4.2.2). Run from the root of the repository:
# Rscript tests/reference/moderated.R, which writes tests/reference/moderated.csv.
cases <- list(
  clusters = data.frame(own = c(1.9, 3.9, 1.8, 5.0, 4.1, 6.5, 3.3), df = c(2, 3, 4, 5, 3, 8, 6),
                        crowding = c(4, 6, 5, 15, 12, 25, 9)),
  uneven = data.frame(own = c(0.4, 3.1, 1.2, 7.9, 2.2, 0.9), df = c(11, 25, 40, 60, 90, 150), crowding = 1),
  alike = data.frame(own = c(1.02, 0.97, 1.05, 0.94, 1.0), df = c(11, 25, 40, 60, 90), crowding = 1))
rows <- list()
for (name in names(cases)) {
  d <- cases[[name]]
  formula <- if (length(unique(d$crowding)) > 1) own ~ crowding else own ~ 1
  fit <- glm(formula, family = quasi(link = "identity", variance = "mu^2"), weights = df, data = d,
             start = if (length(unique(d$crowding)) > 1) c(mean(d$own), 0) else mean(d$own),
             control = glm.control(epsilon = 1e-14, maxit = 200))
  line <- unname(fitted(fit)); stopifnot(all(coef(fit) >= 0))
  e <- log(d$own / line) - digamma(d$df / 2) + log(d$df / 2)
  w <- 1 / trigamma(d$df / 2)
  m <- sum(w * e) / sum(w)
  beyond <- (sum(w * (e - m)^2) - (nrow(d) - 1)) / (sum(w) - sum(w^2) / sum(w))
  if (beyond > 0) {
    h <- uniroot(function(h) trigamma(h) - beyond, c(1e-3, 1e6), tol = 1e-14)$root
    d0 <- 2 * h
    centre <- line * exp(m + digamma(h) - log(h))
    variance <- (d0 * centre + d$df * d$own) / (d0 + d$df)
    total <- pmin(d0 + d$df, sum(d$df))
  } else {
    variance <- line; total <- rep(sum(d$df), nrow(d))
  }
  rows[[name]] <- data.frame(case = name, d, variance, total)
}
d <- do.call(rbind, rows)
d[-1] <- lapply(d[-1], function(x) sprintf("%.12g", x))
write.csv(d, "tests/reference/moderated.csv", row.names = FALSE, quote = FALSE)
