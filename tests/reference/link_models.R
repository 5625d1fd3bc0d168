# Fit to link_panel.csv, in R, the models that cm.link_outcomes takes; writes link_models.csv.
# Run as `Rscript tests/reference/link_models.R` from the root of the project.
# R 4.2.2; MASS 7.3, ordinal 2022.11-16, sandwich 3.0-2, lme4 1.1-31, geepack where installed.
suppressMessages({library(MASS); library(sandwich); library(ordinal); library(lme4)})
d <- read.csv("tests/reference/link_panel.csv")
d <- d[order(d$organisation, d$year), ]
d$f <- factor(d$year)
d$z <- d$engagement / sd(d$engagement)
d$rating <- factor(d$rating, c("inadequate", "requires improvement", "good", "outstanding"), ordered = TRUE)
one <- d[d$year == 2022, ]
one$z <- one$engagement / sd(one$engagement)
out <- NULL
add <- function(id, estimate, se, extra = NA) {
  out <<- rbind(out, data.frame(id = id, estimate = unname(estimate), std_error = unname(se), extra = unname(extra)))
}
cl <- function(m) sqrt(diag(vcovCL(m, cluster = d$organisation, type = "HC1", cadjust = TRUE)))
form <- function(y) as.formula(paste(y, "~ z + f + region"))
tight <- glm.control(epsilon = 1e-14, maxit = 100)

m <- lm(form("score"), d); add("ols_cluster", coef(m)["z"], cl(m)["z"])
m1 <- lm(score ~ z + region, one); add("ols_hc3", coef(m1)["z"], sqrt(diag(vcovHC(m1, "HC3")))["z"])

m <- glm(cases ~ z + f + region + offset(log(bed_days)), quasipoisson, d, control = tight)
add("quasipoisson_scaled", coef(m)["z"], coef(summary(m))["z", 2], summary(m)$dispersion)
add("poisson_cluster", coef(m)["z"], cl(m)["z"])
m <- glm(deaths ~ z + f + region + offset(log(expected)), poisson, d, control = tight)
add("poisson_deaths_cluster", coef(m)["z"], cl(m)["z"])
m1 <- glm(cases ~ z + region + offset(log(bed_days)), quasipoisson, one, control = tight)
add("quasipoisson_one_year", coef(m1)["z"], coef(summary(m1))["z", 2], summary(m1)$dispersion)
m <- glm.nb(cases ~ z + f + region + offset(log(bed_days)), d, control = glm.control(epsilon = 1e-12, maxit = 200))
add("nb2_cluster", coef(m)["z"], cl(m)["z"], 1 / m$theta)
add("nb2_explained", 1 - m$deviance / m$null.deviance, NA)

m <- glm(form("leavers"), quasibinomial, d, weights = headcount, control = tight)
add("quasibinomial_scaled", coef(m)["z"], coef(summary(m))["z", 2], summary(m)$dispersion)
add("quasibinomial_cluster", coef(m)["z"], cl(m)["z"])
m <- glm(form("sickness"), quasibinomial, d, control = tight)
mu <- fitted(m); b <- coef(m)["z"]
add("fractional_cluster", b, cl(m)["z"], b * mean(mu * (1 - mu)))
x <- model.matrix(m); v <- mu * (1 - mu)
g <- b * colMeans(v * (1 - 2 * mu) * x); g["z"] <- g["z"] + mean(v)
V <- vcovCL(m, cluster = d$organisation, type = "HC1", cadjust = TRUE)
add("fractional_marginal", b * mean(v), sqrt(drop(t(g) %*% V %*% g)))
m1 <- glm(sickness ~ z + region, quasibinomial, one, control = tight)
add("fractional_hc1", coef(m1)["z"], sqrt(diag(vcovHC(m1, "HC1")))["z"])

m <- glm(form("target_met"), binomial, d, control = tight)
add("logit_cluster", coef(m)["z"], cl(m)["z"])
# With weights this large glm's own start, (w y + 0.5) / (w + 1), lies at 0 and 1 and it runs off.
m <- glm(form("target_met"), quasibinomial, d, weights = bed_days, start = rep(0, 7), control = tight)
add("logit_weighted_cluster", coef(m)["z"], cl(m)["z"])
m <- glm(form("agency"), Gamma("log"), d, control = tight)
# With a log link Gamma converges by a factor a round: glm stops by the deviance, 1e-7 short of the slope.
for (i in 1:20) m <- glm(form("agency"), Gamma("log"), d, start = coef(m), control = tight)
add("gamma_cluster", coef(m)["z"], cl(m)["z"])

m <- clm(form("rating"), data = d, control = clm.control(gradTol = 1e-12))
add("clm_hessian", coef(m)["z"], coef(summary(m))["z", 2], m$logLik)
p <- polr(form("rating"), d, Hess = TRUE, control = list(reltol = 1e-16, maxit = 500))
add("polr_hessian", coef(p)["z"], sqrt(diag(vcov(p)))["z"], p$zeta[2])
sc <- estfun(m); u <- rowsum(sc, d$organisation); n <- nrow(d); k <- ncol(sc); G <- nrow(u)
V <- vcov(m) %*% crossprod(u) %*% vcov(m) * G / (G - 1) * (n - 1) / (n - k)
add("clm_cluster", coef(m)["z"], sqrt(diag(V))["z"])

d$b <- ave(d$z, d$organisation); d$w <- d$z - d$b
ct <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-13, ftol_abs = 1e-15))
m <- lmer(score ~ w + b + f + region + (1 | organisation), d, control = ct); s <- coef(summary(m))
add("lmer_within", s["w", 1], s["w", 2], as.data.frame(VarCorr(m))$vcov[1])
add("lmer_between", s["b", 1], s["b", 2], as.data.frame(VarCorr(m))$vcov[2])
m <- lmer(score ~ z + f + region + (1 | organisation), d, control = ct); s <- coef(summary(m))
add("lmer_mixed", s["z", 1], s["z", 2])
out$estimate <- signif(out$estimate, 12); out$std_error <- signif(out$std_error, 12); out$extra <- signif(out$extra, 12)
write.csv(out, "tests/reference/link_models.csv", row.names = FALSE)
