"""What valid data looks like: catalogues of the surveys (data files) and the fixed-shape tables."""
