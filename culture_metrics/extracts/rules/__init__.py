"""The rules of validation, one family in each module.

Rules find, `validate` decides: a rule takes a table or its tally and returns what it found, as `Cells`
(single answers that cannot be used), `Rows` (whole rows that cannot) or `Problem` (everything else).
"""
