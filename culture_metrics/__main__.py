"""`python -m culture_metrics` does what `culture-metrics` does, where no script is on the path."""

from culture_metrics.cli import app

if __name__ == "__main__":
    app(prog_name="culture-metrics")
