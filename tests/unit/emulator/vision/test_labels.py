"""The decision: labels from the results of the models, given as fakes; and a few from the models themselves."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from image_labels_emulator.models.directory import CLASSIFIER, DETECTOR, DIRECTORY_VARIABLE, FACES, file_of
from image_labels_emulator.rekognition import image, taxonomy
from image_labels_emulator.rekognition.sources import Found
from image_labels_emulator.vision import classes, labels, models
from image_labels_emulator.vision.detector import DetectedObject
from image_labels_emulator.vision.faces import Face
from PIL import Image
from support.vision_models import photograph, require_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

BOX = (0.1, 0.2, 0.3, 0.4)


def seen(**of: float) -> NDArray[np.float32]:
    """Probabilities of classes by name, with _ for a space. The rest is evenly on all others."""
    indices = {each.name: index for index, each in enumerate(classes.load().classifier)}
    chosen = {indices[name.replace("_", " ")]: value for name, value in of.items()}
    probabilities = np.full(1000, (1 - sum(chosen.values())) / (1000 - len(chosen)), np.float32)
    probabilities[list(chosen)] = list(chosen.values())
    return probabilities


def detected(name: str, score: float, box: tuple[float, float, float, float] = BOX) -> DetectedObject:
    return DetectedObject(name, score, *box)


def face(score: float = 0.9) -> Face:
    return Face(*BOX, landmarks=((0.2, 0.3),) * 5, score=score)


def decided(
    probabilities: NDArray[np.float32] | None = None, *objects: DetectedObject, faces: tuple[Face, ...] = ()
) -> dict[str, Found]:
    found = labels.decide(seen() if probabilities is None else probabilities, objects, faces)
    return {each.name: each for each in found}


def boxes(found: Found) -> list[tuple[float, float, float, float]]:
    return [(box.left, box.top, box.width, box.height) for box in found.boxes]


def test_a_classifier_without_an_idea_is_silent() -> None:
    assert decided() == {}


def test_a_sum_of_small_probabilities_of_animals_is_no_animal() -> None:
    animals = [
        index
        for index, each in enumerate(classes.load().classifier)
        if each.label and "Animal" in (each.label, *taxonomy.load().get(each.label).parents)
    ]
    texture = np.full(1000, 0.55 / (1000 - len(animals)), np.float32)
    texture[animals] = 0.45 / len(animals)  # more than chance, 0.4
    assert decided(texture) == {}


def test_probabilities_add_up_over_classes_and_up_the_hierarchy() -> None:
    found = decided(seen(tabby_cat=0.35, Persian_cat=0.25, German_Shepherd_Dog=0.2))
    assert found["Cat"].confidence > 90  # 0.6
    assert found["Mammal"].confidence > found["Cat"].confidence  # 0.8
    assert found.get("Dog", Found("Dog", 0)).confidence < 80  # 0.2


def test_an_unsure_classifier_names_only_the_general_label() -> None:
    found = decided(seen(minivan=0.2, pickup_truck=0.2, moped=0.2, tank=0.15))
    assert found["Vehicle"].confidence >= 80
    assert not {"Minivan", "Pickup Truck", "Moped", "Tank"} & {each for each in found if found[each].confidence >= 80}


def test_the_labels_above_a_label_have_at_least_its_confidence() -> None:
    found = decided(seen(tabby_cat=0.5, orange=0.3), detected("cat", 0.6), detected("person", 0.7), faces=(face(),))
    for label in found.values():
        for parent in taxonomy.load().get(label.name).parents:
            assert found[parent].confidence >= label.confidence


def test_a_weak_class_counts_half() -> None:
    weak = next(each for each in classes.load().classifier if each.weak and each.label)
    strong = next(each for each in classes.load().classifier if not each.weak and each.label == "German Shepherd")
    assert weak.label is not None
    of_weak = decided(seen(**{weak.name: 0.8}))[weak.label]
    assert of_weak.confidence < decided(seen(**{strong.name: 0.8}))["German Shepherd"].confidence


def test_two_models_that_agree_raise_the_confidence() -> None:
    alone = decided(seen(tabby_cat=0.3))["Cat"].confidence
    together = decided(seen(tabby_cat=0.3), detected("cat", 0.6))["Cat"].confidence
    assert together > alone
    assert together > labels.percent(0.6, labels.OBJECT)


def test_a_label_of_the_classifier_alone_has_no_box() -> None:
    assert decided(seen(tabby_cat=0.9))["Cat"].boxes == ()


def test_an_object_has_its_box_and_so_have_the_labels_above() -> None:
    found = decided(seen(tabby_cat=0.5), detected("cat", 0.9), detected("cat", 0.7, (0.5, 0.5, 0.2, 0.2)))
    assert boxes(found["Cat"]) == [BOX, (0.5, 0.5, 0.2, 0.2)]
    assert boxes(found["Mammal"]) == boxes(found["Cat"])
    assert [box.confidence for box in found["Cat"].boxes] == sorted(
        (box.confidence for box in found["Cat"].boxes), reverse=True
    )


def test_an_object_that_the_classifier_sees_nothing_of_is_not_reported() -> None:
    assert (
        decided(seen(palace=0.5, bell_tower=0.3), detected("boat", 0.75, (0, 0, 0.7, 0.8))).keys().isdisjoint({"Boat"})
    )


def test_a_small_object_with_a_high_score_is_reported_without_support() -> None:
    small, large = (0.1, 0.1, 0.1, 0.1), (0.1, 0.1, 0.8, 0.8)
    assert "Clock" in decided(seen(palace=0.5), detected("clock", 0.9, small))
    assert "Clock" not in decided(seen(palace=0.5), detected("clock", 0.9, large))
    assert "Clock" not in decided(seen(palace=0.5), detected("clock", 0.7, small))


def test_several_objects_of_a_class_support_each_other() -> None:
    cars = [detected("car", score, (left, 0.1, 0.15, 0.2)) for left, score in ((0, 0.7), (0.2, 0.6), (0.4, 0.6))]
    assert "Car" in decided(seen(flagpole=0.2), *cars)
    assert "Car" not in decided(seen(flagpole=0.2), *cars[:2])


def test_objects_that_are_surely_something_else_do_not_support_each_other() -> None:
    places = [(left, 0.1, 0.15, 0.2) for left in (0.0, 0.2, 0.4)]
    clocks = [detected("clock", 0.65, place) for place in places]
    oranges = [detected("orange", 0.9, place) for place in places]
    assert "Clock" in decided(seen(lemon=0.4), *clocks)
    assert "Clock" not in decided(seen(lemon=0.4), *clocks, *oranges)


def test_a_class_brings_the_labels_that_its_pictures_also_show() -> None:
    found = decided(seen(lighthouse=0.9))
    assert found["Lighthouse"].confidence > found["Sky"].confidence >= 80
    assert found["Outdoors"].confidence >= found["Sky"].confidence
    assert found["Sky"].boxes == ()


def test_labels_that_pictures_also_show_add_up_over_classes() -> None:
    found = decided(seen(lakeshore=0.12, breakwater=0.12, promontory=0.12))
    assert found["Sky"].confidence >= 80
    assert not {"Lake", "Promontory"} & found.keys()


def test_an_object_brings_the_labels_that_its_pictures_also_show_without_its_box() -> None:
    alone, many = (
        decided(seen(ox=0.2), *(detected("cow", 0.7, (left, 0.1, 0.2, 0.2)) for left in lefts))
        for lefts in ((0.0,), (0.0, 0.3, 0.6))
    )
    assert many["Grass"].confidence > alone["Grass"].confidence
    assert boxes(many["Cow"]) != []
    assert many["Grass"].boxes == ()
    assert "Grass" not in decided(seen(palace=0.9), detected("cow", 0.7))  # an object that does not count


def test_labels_that_pictures_also_show_refute_no_object() -> None:
    assert "Potted Plant" in decided(seen(bee=0.9), detected("potted plant", 0.9, (0.1, 0.1, 0.1, 0.1)))


def test_an_object_is_refuted_by_a_sure_classifier() -> None:
    assert "Bear" not in decided(seen(wallaby=0.9), detected("bear", 0.6))
    assert "Bear" in decided(seen(brown_bear=0.9), detected("bear", 0.6))


def test_a_person_needs_no_support_and_faces_are_persons() -> None:
    found = decided(seen(), detected("person", 0.7), faces=(face(),))
    assert found["Person"].confidence > labels.percent(0.7, labels.PERSON)
    assert boxes(found["Person"]) == [BOX]
    assert boxes(found["Face"]) == [BOX]
    assert found["Head"].boxes == ()


def test_a_face_without_a_person_object_gives_the_person_no_box() -> None:
    found = decided(seen(), faces=(face(),))
    assert found.keys() == {"Person", "Head", "Face"}
    assert found["Person"].boxes == ()


@pytest.mark.parametrize("points", [labels.CLASSIFIER, labels.OBJECT, labels.PERSON, labels.FACE])
def test_confidence_rises_with_the_score_from_0_to_below_100(points: labels.Points) -> None:
    percents = [labels.percent(score, points) for score in np.linspace(0, 1, 101)]
    assert percents == sorted(percents)
    assert percents[0] == 0
    assert 99 < percents[-1] < 100


def test_no_thread_waits_busily_after_a_decision() -> None:
    """A product of matrices would leave threads of numpy's BLAS that wait busily while the next model runs."""
    program = """
import time
import numpy as np
from image_labels_emulator.vision import labels

probabilities = np.full(1000, 0.001, np.float32)
labels.decide(probabilities, [], [])
others = time.process_time() - time.thread_time()
end = time.thread_time() + 0.2
while time.thread_time() < end:
    labels.decide(probabilities, [], [])
print(time.process_time() - time.thread_time() - others)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.05  # seconds of other threads in 0.2 seconds of this one


# With the models


@pytest.fixture(scope="module")
def all_models() -> None:
    for name in (CLASSIFIER, DETECTOR, FACES):
        require_model(name)


@pytest.fixture
def only_from_pypi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory with the models that need no npm."""
    require_model(CLASSIFIER)
    require_model(FACES)
    for name in (CLASSIFIER, FACES):
        file_of(name, tmp_path).symlink_to(models.installed()[name])
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))


def jpeg(pixels: NDArray[np.uint8], orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


def of(pixels: NDArray[np.uint8]) -> dict[str, Found]:
    return {each.name: each for each in labels.see(image.load(jpeg(pixels)))}


@pytest.mark.usefixtures("all_models")
@pytest.mark.parametrize(
    ("name", "expected", "boxed"),
    [
        ("astronaut", {"Person", "Face"}, {"Person", "Face"}),
        ("chelsea", {"Cat", "Mammal", "Animal"}, {"Cat"}),
        ("coffee", {"Cup", "Coffee"}, {"Cup"}),
    ],
)
def test_photographs_of_scikit_image(name: str, expected: set[str], boxed: set[str]) -> None:
    found = of(photograph(name))
    assert expected <= {each for each in found if found[each].confidence >= 80}
    assert all(found[each].boxes for each in boxed)


@pytest.mark.usefixtures("all_models")
@pytest.mark.parametrize(("name", "expected"), [("grass", {"Grass", "Plant"}), ("gravel", set()), ("brick", set())])
def test_textures_have_no_other_sure_labels_than_learned_ones(name: str, expected: set[str]) -> None:
    assert {each.name for each in of(photograph(name)).values() if each.confidence >= 80} == expected


@pytest.mark.usefixtures("all_models")
def test_a_turned_photo_has_the_same_labels_and_boxes_as_displayed() -> None:
    upright = photograph("chelsea")
    stored_turned = np.ascontiguousarray(np.rot90(upright))  # displayed upright with EXIF orientation 6
    turned = {each.name: each for each in labels.see(image.load(jpeg(stored_turned, orientation=6)))}
    straight = of(upright)
    assert turned.keys() == straight.keys()
    assert boxes(turned["Cat"]) == [pytest.approx(box, abs=0.02) for box in boxes(straight["Cat"])]


@pytest.mark.usefixtures("only_from_pypi")
def test_without_the_detector_only_faces_have_boxes() -> None:
    found = of(photograph("astronaut"))
    assert boxes(found["Face"])
    assert {name for name, each in found.items() if each.boxes} == {"Face"}
    assert "Person" in found


def test_without_the_classifier_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    with pytest.raises(models.ModelMissing, match=r"python -m image_labels_emulator\.models"):
        of(np.zeros((80, 80, 3), np.uint8))
