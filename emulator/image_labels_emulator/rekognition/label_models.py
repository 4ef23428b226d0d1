"""Names of the models that labels come from, for users to read."""

from __future__ import annotations

from image_labels_emulator.models.directory import CLASSIFIER, DETECTOR, FACES, directory, file_of

# Not from the catalog, whose import loads the converters.
TITLES = {CLASSIFIER: "EfficientNet-Lite0", DETECTOR: "SSDLite-MobileNetV2 (COCO)", FACES: "CenterFace"}


def installed_titles() -> list[str]:
    """The titles of those that are installed now. None without the classifier, because then no photo gets labels."""
    where = directory()
    installed = {name: title for name, title in TITLES.items() if file_of(name, where).is_file()}
    return list(installed.values()) if CLASSIFIER in installed else []
