"""The annex of reports: figures over the history, the facts behind them, and exposures."""
