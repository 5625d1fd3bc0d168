# Reference numbers for the pieces of a change (Kitagawa; Oaxaca-Blinder), from R's lm().
# Run from the root of the repository: Rscript tests/reference/change_pieces.R
# Writes tests/reference/change_pieces.csv. Needs base R only (made with R 4.2.2).
#
# Organisation RXX of respondents.csv stands for the earlier year, RYY for the later. Groups are made of the
# answers to q2a and q2b; y is the headline percentage of q25c. Levels come from lm() with R's own treatment
# contrasts, so nothing is shared with the library's cross-product matrices.
d <- read.csv("tests/reference/respondents.csv")
d <- d[!is.na(d$q25c), ]
d$y <- 100 * (d$q25c >= 4)
d$first <- ifelse(is.na(d$q2a), "Not given", ifelse(d$q2a <= 3, "low", ifelse(d$q2a == 4, "four", "five")))
d$second <- ifelse(is.na(d$q2b), "Not given", ifelse(d$q2b <= 3, "low", "high"))
old <- d[d$organisation == "RXX", ]; new <- d[d$organisation == "RYY", ]
rows <- list()
add <- function(case, piece, breakdown, group, value)
  rows[[length(rows) + 1]] <<- data.frame(case = case, piece = piece, breakdown = breakdown, group = group,
    estimate = sprintf("%.15g", value))
share <- function(s, b, g) mean(s[[b]] == g)
for (case in c("one", "two")) for (interaction in c(FALSE, TRUE)) {
  by <- if (case == "one") "first" else c("first", "second")
  name <- paste0(case, if (interaction) "_interaction" else "")
  f <- reformulate(by, "y")
  fit0 <- lm(f, old); fit1 <- lm(f, new)
  # How much higher the later year's fit stands for each person, and the standard the pieces are taken at.
  gain <- function(s) predict(fit1, s) - predict(fit0, s)
  add(name, "total", "all", "all", mean(new$y) - mean(old$y))
  within <- if (interaction) mean(gain(old)) else (mean(gain(old)) + mean(gain(new))) / 2
  add(name, "within", "all", "all", within)
  if (interaction) add(name, "interaction", "all", "all", mean(gain(new)) - mean(gain(old)))
  for (b in by) {
    groups <- sort(unique(d[[b]]))
    level <- function(fit) { k <- coef(fit)[paste0(b, groups)]; k[is.na(k)] <- 0; k }
    l <- if (interaction) level(fit0) else (level(fit0) + level(fit1)) / 2
    p0 <- sapply(groups, share, s = old, b = b); p1 <- sapply(groups, share, s = new, b = b)
    p <- if (interaction) p0 else (p0 + p1) / 2
    mix <- (p1 - p0) * (l - sum(p * l))
    add(name, "mix", b, "all", sum(mix))
    for (i in seq_along(groups)) {
      g <- groups[i]
      add(name, "mix", b, g, mix[i])
      part <- function(s) mean(gain(s) * (s[[b]] == g))
      add(name, "within", b, g, if (interaction) part(old) else (part(old) + part(new)) / 2)
      if (interaction) add(name, "interaction", b, g, part(new) - part(old))
    }
  }
}
# A group that left and one that came: the earlier year without "four", the later without "five". What they add
# is mix: the level of each in the year without it is the one at which nothing changes on average among its
# people. For one breakdown that is the level it has in the other year.
old <- old[old$first != "four", ]; new <- new[new$first != "five", ]
for (case in c("one", "two")) {
  by <- if (case == "one") "first" else c("first", "second")
  name <- paste0("left_", case)
  X <- function(s) do.call(cbind, lapply(by, function(b) {
    m <- outer(s[[b]], sort(unique(d[[b]])), "==") * 1
    colnames(m) <- paste0(b, sort(unique(d[[b]]))); m }))
  level <- function(s) { k <- coef(lm(s$y ~ 0 + X(s))); names(k) <- colnames(X(s)); k[is.na(k)] <- 0; k }
  l0 <- level(old); l1 <- level(new)
  l0["firstfour"] <- 0; l1["firstfive"] <- 0
  # Nobody gained among those of "five" (earlier year) and of "four" (later year).
  five <- X(old[old$first == "five", ]); four <- X(new[new$first == "four", ])
  l1["firstfive"] <- -mean(five %*% (l1 - l0)); l0["firstfour"] <- mean(four %*% (l1 - l0))
  add(name, "total", "all", "all", mean(new$y) - mean(old$y))
  gain <- function(s) drop(X(s) %*% (l1 - l0))
  add(name, "within", "all", "all", (mean(gain(old)) + mean(gain(new))) / 2)
  l <- (l0 + l1) / 2
  for (b in by) {
    groups <- sort(unique(d[[b]])); own <- l[paste0(b, groups)]
    p0 <- sapply(groups, share, s = old, b = b); p1 <- sapply(groups, share, s = new, b = b)
    mix <- (p1 - p0) * (own - sum((p0 + p1) / 2 * own))
    add(name, "mix", b, "all", sum(mix))
    for (i in seq_along(groups)) {
      add(name, "mix", b, groups[i], mix[i])
      part <- function(s) mean(gain(s) * (s[[b]] == groups[i]))
      add(name, "within", b, groups[i], (part(old) + part(new)) / 2)
    }
  }
}
write.csv(do.call(rbind, rows), "tests/reference/change_pieces.csv", row.names = FALSE, quote = FALSE)
