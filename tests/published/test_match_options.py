from __future__ import annotations

import pytest

from culture_metrics.catalogue import catalogue
from culture_metrics.published.match import match_options, normalise

AGREEMENT = {
    1: "Strongly disagree",
    2: "Disagree",
    3: "Neither agree nor disagree",
    4: "Agree",
    5: "Strongly agree",
}


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


def test_labels_may_come_in_any_order():
    labels = [
        "% Agree",
        "% STRONGLY  DISAGREE",
        "% disagree",
        "% Strongly agree",
        "% Neither agree nor disagree",
    ]
    assert match_options(labels, AGREEMENT) == [4, 1, 2, 5, 3]


def test_a_heading_before_the_option_does_not_matter():
    scale = catalogue().edition(2024).question("occupation").scale.options
    labels = [f"% Registered Nurses & Midwives: {t}" if 26 <= c <= 33 else f"% {t}" for c, t in scale.items()]
    assert match_options(labels, scale) == list(scale)


def test_the_longest_ending_wins():
    # "White and Black African" ends with "African" too
    scale = catalogue().edition(2024).question("ethnicity").scale.options
    groups = {
        5: "Mixed/Multiple ethnic background",
        6: "Mixed/Multiple ethnic background",
        14: "Black British",
    }
    labels = [f"% {groups.get(c, 'Group')} \u2013 {t}" for c, t in scale.items()]
    assert match_options(labels, scale) == list(scale)


def test_shortened_labels_are_matched_by_position_and_a_common_word():
    # a made-up long form of each of our short labels, in the order of the form
    options = {
        1: "Another job in this organisation",
        5: "Retirement or a career break",
        9: "Not considering leaving",
    }
    labels = [
        "% Would move to some other job in the same organisation",
        "% Career break, or retire",
        "% Not leaving",
    ]
    assert match_options(labels, options) == [1, 5, 9]


def test_an_unknown_label_is_not_matched_by_position():
    assert match_options(["% Agree", "% Banana"], {4: "Agree", 5: "Strongly agree"}) == [4, None]


def test_an_option_too_many_is_not_matched():
    assert match_options(["% Yes", "% No", "% Perhaps"], {1: "Yes", 2: "No"}) == [1, 2, None]


def test_an_optional_option_may_be_absent():
    options = {1: "Yes", 2: "No", 6: "Both a colleague and I reported it"}
    assert match_options(["% Yes", "% No"], options, optional=(6,)) == [1, 2]
