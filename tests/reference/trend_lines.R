# Reference lines through years of known variance, from R alone: lm with weights 1/variance; its standard error is
# divided by the residual standard deviation, since the variances are known; Q is the weighted sum of squares.
# Run: Rscript tests/reference/trend_lines.R > tests/reference/trend_lines.csv  (R 4.2.2)
cat("case,years,values,variances,slope,std_error,p,p_not_straight\n")
cases <- list(
  list(c(2021, 2022, 2023), c(6.1, 6.15, 6.4), c(.002, .003, .0015)),
  list(c(2018, 2019, 2021, 2022, 2024), c(61.2, 60.1, 55.0, 56.2, 58.1), c(1.1, 1, .9, 1.3, .8)),
  list(c(2021, 2022, 2023, 2024, 2025), c(7.0, 7.01, 7.02, 6.99, 7.0), c(.01, .02, .01, .01, .01))
)
for (i in seq_along(cases)) {
  x <- cases[[i]][[1]]; y <- cases[[i]][[2]]; v <- cases[[i]][[3]]
  m <- lm(y ~ x, weights = 1 / v); s <- summary(m)
  b <- coef(m)[2]; se <- s$coefficients[2, 2] / s$sigma; q <- sum(residuals(m)^2 / v)
  cat(paste(c(i, paste(x, collapse = " "), paste(y, collapse = " "), paste(v, collapse = " "),
    trimws(formatC(c(b, se, 2 * pnorm(-abs(b / se)), pchisq(q, length(x) - 2, lower.tail = FALSE)), digits = 15, format = "g"))),
    collapse = ","), "\n", sep = "")
}
