# Reference flags of run charts, from the rule functions of the R package NHSRplotthedots (MIT licence; its file
# R/ptd_calculate_point_type.R, repository nhs-r-community/NHSRplotthedots, commit
# 09c4d14c2b9911c0f4d359fcf07227c6ed4c592e). Limits by the package's own rule: 2.66 mean moving ranges, moving
# ranges from 3.267 times their mean on left out.
# Run: Rscript tests/reference/run_chart_rules.R ptd_calculate_point_type.R > tests/reference/run_chart_rules.csv
source(commandArgs(trailingOnly = TRUE)[1])
set.seed(7)
cat("series,point,value,mean,reach,outside,shift,trend,near\n")
shapes <- list(
  rnorm(24), cumsum(rnorm(24)), c(rnorm(12), rnorm(12, 2)), seq(-1, 1, length.out = 20) + rnorm(20, 0, .1),
  c(rnorm(10), 6, rnorm(10)), rnorm(40), cumsum(rnorm(40, 0, .6)), rnorm(6), c(1, 2, 1, 2, 10, rep(c(1, 2), 6), 1)
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
  for (i in seq_along(y))
    cat(paste(c(s, i, y[i], trimws(formatC(c(m, reach), digits = 15, format = "g")), as.numeric(outside[i]), shift[i], trend[i], two[i]),
      collapse = ","), "\n", sep = "")
}
