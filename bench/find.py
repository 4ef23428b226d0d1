"""`make bench-find`: cost of the first page of 25 photos, of 1,000, 10,000 and 100,000, compared with the lab's Scan.

The real Finder (image_labels.search.finder) reads the photos of bench/collection.py from an in-memory DynamoDB
(bench/memory_tables.py), which counts read units by the published rules. Requests and read units are therefore those of
AWS. `ms` is the time that Finder itself takes on this machine, without the in-memory DynamoDB. On AWS each request adds
the latency of the network and of DynamoDB, and the requests of a page are sequential.

Figures of the last line:

    common_first_page_rcu   read units of a label on half of all photos, the maximum of the three sizes
    rare_first_page_rcu     the same for a label on one photo in 180
    and_worst_rcu           the most expensive AND at 100,000 photos: two common labels that rarely occur together
    scan_over_find          read units of a Scan of the whole images table at 100,000 photos, divided by those of a page
                            of a single label, the more expensive of common and rare. Only a Scan of the whole table
                            finds the best 25, or all photos of a rare label. Two cheaper Scans are printed, too: one
                            that stops at any 25 photos, and one of the lab's table of keys and label names.
    growth_1k_to_100k       read units at 100,000 photos, divided by those of the smallest table that fills the page:
                            the maximum of the single labels and of common AND rare. A page that is not full is cheaper,
                            so its ratio would measure the number of photos. It is printed, too, and is above 1.

Goals: at most 5 read units for every query without NOT, no growth, and a Scan of at least 1,000 times the read units of
a single label. The first goal cannot hold for two terms that occur together on less than a page of photos: all rows of
the rarer term must be read. Most random pairs of terms are such pairs. The maximum is printed twice, without such
queries and with them. Only the first page is measured.

To show the benefit and the cost of choosing a driver, the same queries run on the rows of each term, because Finder
cannot know the better term in advance. A NOT is never a driver: a term that nearly all photos have would read all rows.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from typing import Any, cast

from image_labels.search.driver import Candidate, Race
from image_labels.search.expression import parse
from image_labels.search.filters import row_filter
from image_labels.search.finder import Finder
from image_labels.search.formula import FULL, And, Atom, Node, Not, Or
from image_labels.search.reads import Reads
from rich.console import Console
from rich.table import Table

from bench.collection import Collection
from bench.memory_tables import IMAGES_TABLE, LAB_TABLE, LABELS_TABLE, MemoryTables
from bench.report import report

SIZES = (1_000, 10_000, 100_000)
PAGE = 25
MAX_READ_UNITS = 5
MIN_SCAN_OVER_FIND = 1000

console = Console(highlight=False)


@dataclass(frozen=True)
class Query:
    """A query. `lab` is the lab's closest filter, as `{Label} OR {Label}`; `goal`: at most 5 units."""

    name: str
    expression: str
    lab: str = ""
    goal: bool = True

    @property
    def drivers(self) -> tuple[str, ...]:
        """The terms from which Finder chooses its driver."""
        expression = parse(self.expression)
        choice = any(len(conjunction.positive) > 1 for conjunction in expression.conjunctions)
        return tuple(atom.text for atom in expression.positive()) if choice else ()


COMMON = Query("common", "person", "{Person}")
RARE = Query("rare", "guitar", "{Guitar}")
COMMON_AND_RARE = Query("common AND rare", "person AND guitar", "{Person} AND {Guitar}")
SELDOM_TOGETHER = Query(
    "common AND common, rarely together", "indoors AND outdoors", "{Indoors} AND {Outdoors}", goal=False
)
GROWING = (COMMON, RARE, COMMON_AND_RARE)
QUERIES = (
    COMMON,
    RARE,
    COMMON_AND_RARE,
    Query("common AND common, often together", "person AND clothing", "{Person} AND {Clothing}"),
    SELDOM_TOGETHER,
    Query("common AND rare, rarely together", "indoors AND sunset", "{Indoors} AND {Sunset}", goal=False),
    Query("common OR rare", "outdoors OR guitar", "{Outdoors} OR {Guitar}"),
    Query("AND NOT", "person AND NOT outdoors", "{Person} AND NOT {Outdoors}", goal=False),
    Query("AND NOT, nearly always together", "nature AND NOT outdoors", "{Nature} AND NOT {Outdoors}", goal=False),
    Query("prefix", "sun*"),
    Query("confidence", "person<85"),
)


@dataclass(frozen=True)
class Cost:
    """Cost of a page or a Scan."""

    read_units: float
    requests: int
    photos: int
    ms: float = 0.0


@dataclass(frozen=True)
class Measurement:
    """One query at one size, with the number of `matching` photos. `scan` stops at any 25 photos.

    `drivers` has the cost with each term as the driver, in the order of Query.drivers.
    """

    asked: Query
    size: int
    matching: int
    page: Cost
    drivers: tuple[Cost, ...]
    scan: Cost | None


class TimedClient:
    """A client that measures the time its calls take."""

    def __init__(self, client: MemoryTables) -> None:
        self.seconds = 0.0
        self._client = client

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            began = time.perf_counter()
            try:
                return getattr(self._client, name)(**request)
            finally:
                self.seconds += time.perf_counter() - began

        return call


def main() -> None:
    """Measure the queries at each size, and report them."""
    began = time.monotonic()
    photos = Collection().photos()
    tables = MemoryTables()
    measured: list[Measurement] = []
    whole: dict[int, dict[str, Cost]] = {}
    for size in SIZES:
        tables.add(islice(photos, size - len(tables)))
        print(f"{size:,} photos created after {time.monotonic() - began:.0f} s", flush=True)
        measured += [_measure(tables, asked, size) for asked in QUERIES]
        whole[size] = {table: _scan(tables, table, COMMON.lab) for table in (IMAGES_TABLE, LAB_TABLE)}
    collection = _collection_figures(tables)
    _show(measured, whole, collection)
    _report(measured, whole, collection)


def _measure(tables: MemoryTables, asked: Query, size: int) -> Measurement:
    return Measurement(
        asked,
        size,
        len(_matching(tables, parse(asked.expression).root)),
        _find(tables, asked.expression),
        tuple(_find_by(tables, asked.expression, term) for term in asked.drivers),
        _scan(tables, IMAGES_TABLE, asked.lab, PAGE) if asked.lab else None,
    )


def _find(tables: MemoryTables, expression: str) -> Cost:
    client = TimedClient(tables)
    finder = Finder(cast("Any", client), labels_table=LABELS_TABLE, images_table=IMAGES_TABLE)
    began = time.perf_counter()
    page = finder.find(expression, limit=PAGE)
    seconds = time.perf_counter() - began - client.seconds
    return Cost(page.read_units, page.requests, len(page.photos), seconds * 1000)


def _find_by(tables: MemoryTables, expression: str, term: str) -> Cost:
    """Find with the rows of one term as the driver, and the rest of the expression as a filter."""
    (conjunction,) = parse(expression).conjunctions
    (atom,) = (atom for atom in conjunction.positive if atom.text == term)
    reads = Reads(cast("Any", tables), labels_table=LABELS_TABLE, images_table=IMAGES_TABLE)
    only = Candidate(reads, conjunction, atom, (atom.text,), row_filter(conjunction, atom, {}, ""), "")
    race = Race(conjunction, [only], chosen=0, after="", others=0)
    photos = 0
    while photos < PAGE and race.head(PAGE + 1 - photos):
        race.take()
        photos += 1
    return Cost(reads.units, reads.requests, photos)


def _scan(tables: MemoryTables, table: str, lab: str, wanted: int | None = None) -> Cost:
    """The lab's Scan, of the whole table or until `wanted` photos are found."""
    names = list(dict.fromkeys(re.findall("{(.+?)}", lab)))
    request: dict[str, Any] = {
        "TableName": table,
        "FilterExpression": re.sub("{(.+?)}", lambda each: f"contains(#labels, :{names.index(each[1])})", lab),
        "ExpressionAttributeNames": {"#labels": "Labels"},
        "ExpressionAttributeValues": {f":{n}": {"S": name} for n, name in enumerate(names)},
        "ProjectionExpression": "PK, Labels",
        "ReturnConsumedCapacity": "TOTAL",
    }
    units, requests, found = 0.0, 0, 0
    while True:
        answer = tables.scan(**request)
        units += answer["ConsumedCapacity"]["CapacityUnits"]
        requests += 1
        found += answer["Count"]
        if "LastEvaluatedKey" not in answer or (wanted is not None and found >= wanted):
            return Cost(units, requests, found)
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _matching(tables: MemoryTables, node: Node) -> frozenset[int]:
    """The photos that match an expression, computed from the keys of all rows."""
    match node:
        case Atom():
            return frozenset(
                number
                for term, rows in tables.rows.items()
                if node.names(term)
                for place, number in rows
                if node.allows(FULL - int(place[:6]))
            )
        case Not():
            return frozenset(range(len(tables))) - _matching(tables, node.part)
        case And():
            return frozenset.intersection(*(_matching(tables, part) for part in node.parts))
        case Or():
            return frozenset.union(*(_matching(tables, part) for part in node.parts))


def _collection_figures(tables: MemoryTables) -> dict[str, float]:
    """Figures of the collection at its largest size."""
    shares = sorted((len(rows) / len(tables) for rows in tables.rows.values()), reverse=True)
    rows = sum(len(rows) for rows in tables.rows.values())
    return {
        "terms": len(shares),
        "most_frequent_term_on": shares[0],
        "median_term_on": statistics.median(shares),
        "rows_per_photo": rows / len(tables),
        "bytes_per_row": tables.mean_row_bytes(),
        "bytes_per_item": tables.mean_item_bytes(IMAGES_TABLE),
        "bytes_per_item_of_the_lab": tables.mean_item_bytes(LAB_TABLE),
    }


def _show(measured: list[Measurement], whole: dict[int, dict[str, Cost]], collection: dict[str, float]) -> None:
    print(
        f"{collection['terms']:.0f} terms: the most frequent on {collection['most_frequent_term_on']:.0%} of photos, "
        f"the median on {collection['median_term_on']:.1%}; {collection['rows_per_photo']:.1f} rows per photo; "
        f"mean sizes: row {collection['bytes_per_row']:.0f} bytes, item {collection['bytes_per_item']:.0f} bytes"
    )
    _table(f"first page of {PAGE}: read units, requests, ms, photos", measured, lambda each: each.page)
    for n, which in enumerate(("first", "second")):
        title = f"the {which} term as the driver: read units, requests, photos"
        _table(title, measured, partial(_driver, number=n))
    _table(f"Scan until any {PAGE} photos are found: read units, requests, photos", measured, lambda each: each.scan)
    for size, scans in whole.items():
        for table, cost in scans.items():
            where = f"table {table} with {size:,} photos"
            print(f"Scan of the whole {where}: {cost.read_units:,.1f} read units, requests: {cost.requests}")


def _table(title: str, measured: list[Measurement], cost_of: Callable[[Measurement], Cost | None]) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("query")
    for size in SIZES:
        table.add_column(f"{size:,} photos", justify="right")
    for asked in QUERIES:
        costs = [cost_of(each) for each in measured if each.asked is asked]
        if any(costs):
            table.add_row(f"{asked.name}\n  {asked.expression}", *map(_cell, costs))
    (console if console.is_terminal else Console(width=120)).print(table)


def _driver(measured: Measurement, number: int) -> Cost | None:
    return measured.drivers[number] if measured.drivers else None


def _cell(cost: Cost | None) -> str:
    if cost is None:
        return ""
    ms = f"{cost.ms:7.1f}" if cost.ms else ""
    return f"{cost.read_units:,.1f} {cost.requests:4}{ms} {cost.photos:4}"


def _report(measured: list[Measurement], whole: dict[int, dict[str, Cost]], collection: dict[str, float]) -> None:
    largest = SIZES[-1]
    units = {(each.asked, each.size): each.page.read_units for each in measured}
    single = max(units[COMMON, largest], units[RARE, largest])
    figures = {
        "common_first_page_rcu": max(units[COMMON, size] for size in SIZES),
        "rare_first_page_rcu": max(units[RARE, size] for size in SIZES),
        "and_worst_rcu": max(units[asked, largest] for asked in QUERIES if asked.drivers),
        "scan_over_find": whole[largest][IMAGES_TABLE].read_units / single,
        "growth_1k_to_100k": max(_growth(measured, asked) or 0.0 for asked in GROWING),
    }
    together = max(units[asked, size] for asked in QUERIES if asked.goal for size in SIZES)
    positive = max(units[asked, size] for asked in QUERIES if "NOT" not in asked.expression for size in SIZES)
    raw = max(units[asked, largest] / units[asked, SIZES[0]] for asked in GROWING)
    lab = whole[largest][LAB_TABLE].read_units / single
    _goal("common_first_page_rcu", figures["common_first_page_rcu"], MAX_READ_UNITS)
    _goal("rare_first_page_rcu", figures["rare_first_page_rcu"], MAX_READ_UNITS)
    _goal("terms that occur together", together, MAX_READ_UNITS)
    _goal("all queries without NOT", positive, MAX_READ_UNITS)
    _goal("growth_1k_to_100k", figures["growth_1k_to_100k"], 1)
    _goal("growth, incomplete pages", raw, 1)
    _goal("scan_over_find", figures["scan_over_find"], MIN_SCAN_OVER_FIND, at_least=True)
    print(f"{'and_worst_rcu':26} {figures['and_worst_rcu']:10.1f}   no goal: reads many rows of both terms")
    print(f"{'lab_scan_over_find':26} {lab:10.1f}   no goal: a table of keys and label names")
    details: dict[str, object] = {
        "page": PAGE,
        "positive_worst_rcu": positive,
        "positive_without_worst_case_rcu": together,
        "growth_with_pages_not_full": raw,
        "lab_scan_over_find": lab,
        "growth": {
            asked.expression: {
                "of_full_pages": _growth(measured, asked),
                "1k_to_100k": units[asked, largest] / units[asked, SIZES[0]],
            }
            for asked in QUERIES
        },
        "collection": collection,
        "whole_scans": {size: {table: asdict(cost) for table, cost in scans.items()} for size, scans in whole.items()},
        "queries": [asdict(each) for each in measured],
    }
    report("find", figures, details)


def _growth(measured: list[Measurement], asked: Query) -> float | None:
    """Read units of the largest table, divided by those of the smallest that fills the page; None without two such."""
    full = [each.page.read_units for each in measured if each.asked is asked and each.page.photos == PAGE]
    return full[-1] / full[0] if len(full) > 1 else None


def _goal(name: str, figure: float, goal: float, *, at_least: bool = False) -> None:
    holds = figure >= goal if at_least else figure <= goal
    bound = "at least" if at_least else "at most"
    print(f"{name:26} {figure:10.1f}   goal: {bound} {goal:,g}   {'met' if holds else 'MISSED'}")


if __name__ == "__main__":
    main()
