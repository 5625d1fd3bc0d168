from __future__ import annotations

import pytest

from culture_metrics.catalogue import catalogue
from culture_metrics.published.match import normalise
from culture_metrics.published.official import options_of


@pytest.mark.parametrize(
    "label",
    [
        "% Don't know",
        "%  DON\u2019T   KNOW",
        "% Don't\u2013know",
        "% Don't know (e.g. too new)",
        " % don't know. ",
    ],
)
def test_case_space_dash_quotes_and_examples_do_not_matter(label):
    assert normalise(label) == "dont know"


def test_options_are_found_as_printed_and_by_no_likeness():
    """'White - Irish' is printed for Irish (2) in 2024; 'Irish staff' is only like it."""
    question = catalogue().edition(2024).questions["ethnicity"]
    known = options_of(question, question.scale.labels)
    assert known[normalise("% White - Irish")] == known[normalise("% Irish")] == 2
    assert known[normalise("% Other ethnic group - Arab")] == 17
    assert normalise("% Irish staff") not in known
    assert normalise("% White - Iris") not in known


def test_codes_of_a_printed_option_are_those_of_its_edition():
    """Filipino became code 13 of ethnic group in 2025, so Arab moved from 17 to 18."""
    question = catalogue().edition(2025).questions["ethnicity"]
    known = options_of(question, question.scale.labels)
    assert known[normalise("% Other ethnic group - Arab")] == 18
    assert known[normalise("% Asian/Asian British - Filipino")] == 13
