"""`make bench-counts`: write units by the published rules, and the parts of a photo."""

from __future__ import annotations

from typing import Any

from bench import counts


class Client:
    def transact_write_items(self, **_: Any) -> None:
        pass

    def batch_write_item(self, **_: Any) -> None:
        pass


def put(term: str, text: str = "") -> Any:
    return {"Put": {"TableName": "labels", "Item": {"Term": {"S": term}, "Rank": {"S": "r"}, "Text": {"S": text}}}}


def test_write_unit_is_1_kb_and_a_transaction_costs_twice_as_much() -> None:
    metered = counts.Metered(Client())
    metered.batch_write_item(RequestItems={"labels": [{"PutRequest": {"Item": put("*")["Put"]["Item"]}}]})
    metered.transact_write_items(TransactItems=[put("small"), put("large", "x" * 1500)])
    assert metered.units == {"*": 1, "small": 2, "large": 4}
    key = {"Term": {"S": "large"}, "Rank": {"S": "r"}}
    metered.transact_write_items(TransactItems=[{"Delete": {"TableName": "labels", "Key": key}}])
    assert metered.units["large"] == 8, "a deletion costs as much as a write of what it deletes"


def test_units_of_a_photo_are_those_of_its_labels_its_date_and_its_counts() -> None:
    with counts.tables() as client:
        labels, date_and_change, counting = counts.measure(client, 1)
    assert labels > 20
    assert date_and_change >= 4, "two rows of a transaction"
    assert counting > 2, "the counts, the state, and the deletion of the change"
