"""Compare organisations, years and groups: everything here reads Results only."""
