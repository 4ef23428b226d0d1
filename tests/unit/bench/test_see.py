"""How `make bench-see` counts: fake answers, the real taxonomy."""

from __future__ import annotations

from bench.see import Score, Seen, score


def seen(answer: dict[str, float], right: set[str], *required: str) -> Seen:
    return Seen("a photograph", "tuning", answer, frozenset(right), required, 0.0, 0.0)


def test_labels_above_a_true_label_are_right_and_all_others_wrong() -> None:
    counts = score([seen({"Cat": 99, "Animal": 99, "Boat": 85}, {"Cat", "Animal"}, "Cat")], 80)
    assert (counts.right, counts.labels, counts.precision) == (2, 3, 2 / 3)


def test_labels_below_min_confidence_do_not_count() -> None:
    photographs = [seen({"Cat": 79.9, "Boat": 60}, {"Cat"}, "Cat")]
    assert score(photographs, 80) == Score(0, 0, 0, 0, required=1, found=0, nameable=1, nameable_found=0)
    assert score(photographs, 55).found == 1


def test_the_most_specific_labels_are_those_without_a_label_below() -> None:
    counts = score([seen({"Cat": 99, "Mammal": 99, "Animal": 99, "Boat": 85}, {"Cat", "Mammal", "Animal"})], 80)
    assert (counts.specific_right, counts.specific) == (1, 2)


def test_required_labels_without_a_class_are_counted_apart() -> None:
    counts = score([seen({"Cat": 99}, {"Cat", "Sunset"}, "Cat", "Sunset")], 80)
    assert (counts.found, counts.required, counts.recall) == (1, 2, 0.5)
    assert (counts.nameable_found, counts.nameable) == (1, 1)


def test_no_labels_are_all_right() -> None:
    assert score([seen({}, set())], 80).precision == 1
