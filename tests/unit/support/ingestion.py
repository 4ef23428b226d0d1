"""What OpenSearch Ingestion makes of a stream record, for the processors that the example opensearch uses.

Written from the documentation of Data Prepper, and checked against the source of its dynamodb source, rename_keys and
delete_entries, version 2.14. It is not Data Prepper: it refuses options that it does not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from tools.terraform import ROOT

EXAMPLE = ROOT / "examples" / "opensearch"
TEMPLATE = (EXAMPLE / "index-template.json").read_text()
# Values that Terraform fills in.
VALUES = {
    "table_arn": "arn:aws:dynamodb:eu-west-1:111122223333:table/photos-images",
    "bucket": "photos-pipeline",
    "region": "eu-west-1",
    "role_arn": "arn:aws:iam::111122223333:role/pipeline",
    "endpoint": "https://search-photos.eu-west-1.es.amazonaws.com",
    "index_template": json.dumps(TEMPLATE),
}


def pipeline_text() -> str:
    """The configuration as Terraform renders it: `${name}` is a value, and `$${` stands for `${`."""
    template = (EXAMPLE / "pipeline.yaml.tftpl").read_text()
    return re.sub(r"\$(\$\{)|\$\{(\w+)\}", lambda match: match[1] or VALUES[match[2]], template)


def pipeline() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(pipeline_text())
    return parsed


def mapping() -> dict[str, Any]:
    """The mapping of the index."""
    found: dict[str, Any] = json.loads(TEMPLATE)["template"]["mappings"]
    return found


@dataclass(frozen=True)
class Bulk:
    """An operation in a bulk request: index or delete, the document's ID, and the document."""

    action: str
    id: str
    document: dict[str, Any]


def bulk_of(record: Mapping[str, Any]) -> Bulk:
    """The operation that the pipeline makes of a stream record."""
    change = record["dynamodb"]
    action = {"INSERT": "index", "MODIFY": "index", "REMOVE": "delete"}[record["eventName"]]
    # view_on_remove is not set, so the event of a deleted item is empty.
    document = {name: _plain(value) for name, value in change.get("NewImage", {}).items()}
    for processor in pipeline()["photos"]["processor"]:
        ((name, options),) = processor.items()
        _PROCESSORS[name](document, options)
    return Bulk(action, change["Keys"]["PK"]["S"], document)


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    if kind == "N":
        return float(content) if "." in content else int(content)
    if kind == "L":
        return [_plain(each) for each in content]
    if kind == "M":
        return {name: _plain(each) for name, each in content.items()}
    assert kind in ("S", "BOOL", "SS"), f"the module writes no {kind}"
    return content


def _rename_keys(document: dict[str, Any], options: Mapping[str, Any]) -> None:
    assert options.keys() == {"entries"}
    for entry in options["entries"]:
        assert entry.keys() == {"from_key", "to_key"}
        *path, leaf = entry["from_key"].split("/")
        holder = _at(document, path)
        if leaf in holder and entry["to_key"] not in document:
            document[entry["to_key"]] = holder.pop(leaf)


def _delete_entries(document: dict[str, Any], options: Mapping[str, Any]) -> None:
    assert options.keys() == {"with_keys"}
    for key in options["with_keys"]:
        *path, leaf = key.split("/")
        _at(document, path).pop(leaf, None)


_PROCESSORS = {"rename_keys": _rename_keys, "delete_entries": _delete_entries}


def _at(document: dict[str, Any], path: list[str]) -> dict[str, Any]:
    for part in path:
        document = document.get(part, {})
    return document


def misfits(document: Mapping[str, Any], fields: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The places of a document that the mapping would refuse, or would not index."""
    for name, value in document.items():
        where = f"{path}{name}"
        field = fields.get(name)
        if field is None:
            yield f"{where}: not in the mapping"
            continue
        for each in value if isinstance(value, list) else [value]:
            kind = field.get("type", "object")
            if kind in ("object", "nested"):
                if not isinstance(each, dict):
                    yield f"{where}: not an object"
                elif field.get("enabled", True):
                    yield from misfits(each, field["properties"], f"{where}.")
            elif not _FITS[kind](each):
                yield f"{where}: {each!r} is no {kind}"


def _is_date(value: Any) -> bool:
    """Of the default format, strict_date_optional_time."""
    return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_FITS = {
    # Lucene refuses a term of more than 32,766 bytes.
    "keyword": lambda value: isinstance(value, str) and len(value.encode()) <= 32766,
    "text": lambda value: isinstance(value, str),
    "long": lambda value: isinstance(value, int),
    "float": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "date": _is_date,
}


def fields(properties: Mapping[str, Any], path: str = "", nested: str = "") -> Iterator[tuple[str, str, str]]:
    """The path of each field, its type, and the path of the nested object that it is in, or ""."""
    for name, field in properties.items():
        where = f"{path}{name}"
        kind = field.get("type", "object")
        yield where, kind, nested
        inside = where if kind == "nested" else nested
        yield from fields(field.get("properties", {}), f"{where}.", inside)
        yield from fields(field.get("fields", {}), f"{where}.", inside)
        if kind == "search_as_you_type":
            yield from ((f"{where}.{part}", "text", inside) for part in ("_2gram", "_3gram"))
