"""Culture indicators from NHS staff-survey extracts that people can trust, compare and act on."""
