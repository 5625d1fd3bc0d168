"""A red team: it tries to work out people from what the library releases, by no code of its own.

`extracts` makes random respondents of each kind, `releases` and `objects` call the library as a user does, `people`
holds the truth and the organisation chart, `linear`, `attacker`, `bounds` and `weighted` attack, `files` reads a
finished report, and `campaign` counts. `python -m tests.redteam --help` says how to attack at size.
"""
