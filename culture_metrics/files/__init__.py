"""The one opener of files: what a file is, whether it is safe, its encoding, its header.

`open_file` tells the kind of a file and checks that it is safe, under one budget for every reader. What it
returns gives the table of a CSV, Parquet, SPSS or Stata file or the sheets of a workbook; `Look` is what the
caller looks for in the first rows. Nothing else in the package opens a file that somebody else wrote.
"""
