# The same in R: Rscript summaries.R PEER FILE.csv ROUNDS. Prints what summaries.py prints.
suppressPackageStartupMessages({
  library(data.table)
  library(jsonlite)
})
arguments <- commandArgs(trailingOnly = TRUE)
peer <- arguments[1]
rounds <- as.integer(arguments[3])
scores <- paste0("s", 1:9)
began <- proc.time()[["elapsed"]]
data <- fread(arguments[2], colClasses = list(character = "trust"))
read <- proc.time()[["elapsed"]] - began
if (peer != "data.table") {
  suppressPackageStartupMessages(library(survey))
  data <- as.data.frame(data)
}
long <- function(trust, score, mean, error) data.frame(trust, score, mean, error)

# One formula for each score: with all nine in one, svyby leaves out whoever lacks any of them.
svyby_trusts <- function() {
  design <- svydesign(ids = ~1, strata = ~trust, weights = ~weight, data = data)
  do.call(rbind, lapply(scores, function(s) {
    found <- svyby(as.formula(paste0("~", s)), ~trust, design, svymean, na.rm = TRUE)
    long(found$trust, s, found[[s]], found$se)
  }))
}
one_design_each <- function() {
  do.call(rbind, lapply(split(data, data$trust), function(part) {
    design <- svydesign(ids = ~1, weights = ~weight, data = part)
    do.call(rbind, lapply(scores, function(s) {
      found <- svymean(as.formula(paste0("~", s)), design, na.rm = TRUE)
      long(part$trust[1], s, coef(found), SE(found)[1])
    }))
  }))
}
two_passes <- function() {
  data[, rbindlist(lapply(scores, function(s) {
    there <- !is.na(.SD[[s]])
    y <- .SD[[s]][there]
    w <- weight[there]
    n <- length(y)
    mean <- sum(w * y) / sum(w)
    list(score = s, mean = mean, error = sqrt(sum((w * (y - mean))^2) * n / (n - 1)) / sum(w))
  })), by = trust, .SDcols = scores]
}
run <- list("svyby" = svyby_trusts, "one design" = one_design_each, "data.table" = two_passes)[[peer]]
seconds <- cpu <- numeric(rounds)
for (round in seq_len(rounds)) {
  began <- proc.time()
  found <- run()
  taken <- proc.time() - began
  seconds[round] <- taken[["elapsed"]]
  cpu[round] <- taken[["user.self"]] + taken[["sys.self"]]
}
status <- readLines("/proc/self/status")
peak <- as.numeric(gsub("[^0-9]", "", grep("^VmHWM", status, value = TRUE))) / 1024
found <- as.data.frame(found)
found$trust <- as.character(found$trust)
found$score <- as.character(found$score)
cat(toJSON(list(read = unbox(read), seconds = seconds, cpu = cpu, peak_mb = unbox(peak), rows = unname(found)),
  dataframe = "values", digits = NA
))
