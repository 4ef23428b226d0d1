"""The README's first screen: the pictures exist and are small, and its figures are those of the pages behind it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from tools.terraform import ROOT

README = (ROOT / "README.md").read_text()
FIRST_SCREEN = README.partition("\n## ")[0]
PERFORMANCE = (ROOT / "docs" / "performance.md").read_text()
COSTS = (ROOT / "docs" / "costs-and-limits.md").read_text()
PICTURES = re.findall(r'<source media="(.*)" srcset="(.*)">\n\s*<img src="([^"]+)"[^>]* alt="([^"]+)">', FIRST_SCREEN)
MAX_BYTES, MAX_BYTES_OF_ALL, MAX_LINES = 250_000, 1_000_000, 190


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= MAX_LINES


def test_pictures_exist_in_both_schemes_and_are_small() -> None:
    assert len(PICTURES) == 2
    files: list[Path] = []
    for media, dark, light, _ in PICTURES:
        assert media == "(prefers-color-scheme: dark)"
        assert dark == light.replace("-light", "-dark") != light
        files += [ROOT / dark, ROOT / light]
    brightness = []
    for file in files:
        with Image.open(file) as picture:
            assert picture.format == "PNG"
            brightness.append(ImageStat.Stat(picture.convert("L")).median[0])
    assert all(dark < 64 and light > 192 for dark, light in zip(brightness[::2], brightness[1::2], strict=True))
    sizes = [file.stat().st_size for file in files]
    assert max(sizes) <= MAX_BYTES
    assert sum(sizes) <= MAX_BYTES_OF_ALL
    assert sorted(files) == sorted((ROOT / "docs" / "images").glob("*.png"))


def test_first_screen_says_what_is_not_tested() -> None:
    assert "**Not tested on AWS itself.**" in FIRST_SCREEN


@pytest.mark.parametrize(("quota", "words"), [(20, "loses 469 at a quota of 20 "), (5, "and 1,525 at 5 calls")])
def test_lost_photos_are_those_of_the_benchmark(quota: int, words: str) -> None:
    assert words in " ".join(FIRST_SCREEN.split())
    of_quota = rf"\| {quota}/s \| this module \| (\d+) \|.*\n\| \| blueprint \| \*\*([\d,]+)\*\* \|"
    figures = re.search(of_quota, PERFORMANCE)
    assert figures
    assert figures[1] == "0"
    assert f" {figures[2]} " in words
    runs = json.loads((ROOT / "bench" / "results" / "drain.json").read_text())["details"]["runs"]
    lost = {run["contestant"]: run["lost"] for run in runs if run["quota"] == quota}
    assert lost == {"ours": 0, "blueprint": int(figures[2].replace(",", ""))}


def test_read_units_are_those_of_the_benchmark() -> None:
    [label] = re.findall(r"^\| a (?:common|rare) label \|(?:.*\|){2} ([\d.]+) \|$", PERFORMANCE, re.MULTILINE)[1:]
    [scan] = re.findall(r"^\| Scan of the whole table .*\| ([\d,]+) \|$", PERFORMANCE, re.MULTILINE)
    words = " ".join(FIRST_SCREEN.split())
    assert f"at most [{label} read units]" in words
    assert f"a Scan takes {scan}" in words


def test_prices_are_those_of_the_costs_page() -> None:
    tables = re.findall(r"(?:^\|.*\|\n)+", COSTS, re.MULTILINE)
    photos, month = (re.findall(r"^\| (.*) \| ([\d.]+) \|$", table, re.MULTILINE) for table in tables[:2])
    assert "1,000 photos" in COSTS.partition(tables[0])[0]
    assert dict(photos)["Rekognition DetectLabels, 1,000 calls"] == "1.00"
    rest = sum(float(dollars) for service, dollars in photos if not re.match("Rekognition|EventBridge|With ", service))
    idle = sum(float(dollars) for service, dollars in month if not re.match("With |KMS", service))
    words = " ".join(FIRST_SCREEN.split())
    assert f"$1 per 1,000 photos for Rekognition, about ${round(rest * 20) / 20:.2f} for the rest" in words
    assert f"at most ${idle:.2f} a month" in words


def test_apply_creates_the_named_resources() -> None:
    module = "".join(path.read_text() for path in ROOT.glob("*.tf") if path.name != "batch_operations.tf")
    words = " ".join(FIRST_SCREEN.split())
    for number, name, kind in (
        (1, "bucket", "aws_s3_bucket"),
        (3, "queues", "aws_sqs_queue"),
        (2, "tables", "aws_dynamodb_table"),
        (1, "function with its role and log group", "aws_lambda_function"),
        (1, "dashboard", "aws_cloudwatch_dashboard"),
    ):
        assert f"{number} {name}" in words
        assert len(re.findall(rf'^resource "{kind}" ', module, re.MULTILINE)) == number
    assert "6 alarms" in words
    assert "| Six alarms on " in COSTS
