"""Labels of a photo in S3, with plain boto3, on AWS or on the emulator: python example.py photo.jpg

For the emulator, set the variables that `python -m image_labels_emulator` prints. A second argument dictates the
labels, for tests that need a known answer: python example.py photo.jpg 'Dog=98.7@0.1:0.2:0.3:0.4,Beach=91'
"""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

import boto3


def main(photo: Path, labels: str | None) -> None:
    """Upload the photo to a new bucket, print its labels, and delete the bucket."""
    s3, rekognition = boto3.client("s3"), boto3.client("rekognition")
    bucket = f"example-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    try:
        metadata = {} if labels is None else {"labels": labels}
        s3.put_object(Bucket=bucket, Key=photo.name, Body=photo.read_bytes(), Metadata=metadata)
        answer = rekognition.detect_labels(
            Image={"S3Object": {"Bucket": bucket, "Name": photo.name}}, MaxLabels=10, MinConfidence=80
        )
        for label in answer["Labels"]:
            parents = ", ".join(parent["Name"] for parent in label["Parents"])
            print(f"{label['Confidence']:5.1f} %  {label['Name']}" + (f" (in {parents})" if parents else ""))
            for instance in label["Instances"]:
                box = instance["BoundingBox"]
                print("         box", *(f"{name} {box[name]:.2f}" for name in ("Left", "Top", "Width", "Height")))
        if not answer["Labels"]:
            print("no label with a confidence of 80 % or more")
    finally:
        s3.delete_object(Bucket=bucket, Key=photo.name)
        s3.delete_bucket(Bucket=bucket)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(f"usage: {sys.argv[0]} photo.jpg [labels]")
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) == 3 else None)
