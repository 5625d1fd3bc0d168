from culture_metrics.indicators.disclosure.hide import suppress
