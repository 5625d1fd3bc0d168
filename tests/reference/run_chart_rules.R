# Reference flags of run charts, from the rule functions of the R package NHSRplotthedots (MIT licence; its file
# R/ptd_calculate_point_type.R, repository nhs-r-community/NHSRplotthedots, commit
# 050b07d7eacc011767532732f69b8fd7d6a28fd3). Limits by the package's own rule: 2.66 mean moving ranges, moving
# ranges from 3.267 times their mean on left out. `way`: 1 improvement, -1 concern where higher is better, in the order
# of the package's ptd_special_cause_type (outside, trend, two of three, shift), which a trend gives its own direction:
# that of the step to the point, or from it where the trend goes on. Needs base R only.
# Run: Rscript tests/reference/run_chart_rules.R ptd_calculate_point_type.R > tests/reference/run_chart_rules.csv
source(commandArgs(trailingOnly = TRUE)[1])
set.seed(7)
cat("series,point,value,mean,reach,outside,shift,trend,near,way\n")
shapes <- list(
  rnorm(24), cumsum(rnorm(24)), c(rnorm(12), rnorm(12, 2)), seq(-1, 1, length.out = 20) + rnorm(20, 0, .1),
  c(rnorm(10), 6, rnorm(10)), rnorm(40), cumsum(rnorm(40, 0, .6)), rnorm(6), c(1, 2, 1, 2, 10, rep(c(1, 2), 6), 1),
  # Falling while above the mean, rising while below it, and a peak that two trends share.
  c(rep(c(4, 5), 4), seq(9, 6.6, by = -0.4), rep(c(4, 5), 5)), c(rep(c(7, 6), 4), seq(2, 4.4, by = 0.4), rep(c(7, 6), 5)),
  c(seq(1, 7), seq(6.5, 1, by = -0.9))
)
for (s in seq_along(shapes)) {
  y <- round(shapes[[s]], 4); m <- mean(y); mr <- abs(diff(y))
  reach <- 2.66 * mean(mr[mr < 3.267 * mean(mr)])
  outside <- y > m + reach | y < m - reach
  rtm <- sign(y - m); near <- !outside & (y < m - reach * 2 / 3 | y > m + reach * 2 / 3)
  shift <- ptd_part_of_seven_trend(ptd_seven_point_one_side_mean(rtm))
  seven <- ptd_seven_point_trend(y)
  trend <- pmax(ptd_part_of_seven_trend(seven), ptd_part_of_seven_trend(-seven))
  two <- ptd_part_of_two_in_three(ptd_two_in_three(near, rtm), near)
  step <- sign(diff(y))
  way <- ifelse(c(trend[-1], 0) == 1 & trend == 1, c(step, tail(step, 1)), c(0, step))
  point <- ifelse(outside, rtm, ifelse(trend == 1, ifelse(way == 1, 1, -1), ifelse(two == 1 | shift == 1, rtm, 0)))
  for (i in seq_along(y))
    cat(paste(c(s, i, y[i], trimws(formatC(c(m, reach), digits = 15, format = "g")), as.numeric(outside[i]), shift[i], trend[i], two[i], point[i]),
      collapse = ","), "\n", sep = "")
}
