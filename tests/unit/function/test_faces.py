"""Faces of a photo: detected, or indexed in the collection, which agrees with the items."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.calls import Caller
from image_labels.detectors.face_claims import FaceClaims
from image_labels.detectors.face_index import FaceIndex
from image_labels.detectors.faces import ALL, ATTRIBUTES, Face, Faces, FacesAsked, FacesDetector, fitted
from image_labels.failures import Failure, TryAgain
from image_labels.pace import Pace
from image_labels.reconcile import Cost, Reconciler
from image_labels.selection import Criteria
from image_labels.tables.findings import MAX_FINDING_BYTES, attributes_of
from image_labels.tables.item_size import item_size
from image_labels.tables.items import Item, findings_of
from image_labels.tables.store import Store
from image_labels.unwanted.decision import Action, Unwanted
from support.face_collection import COLLECTION, FaceCollection
from support.fakes import FakeLabels, FakePhotos
from support.tables import Attributes, Tables, revisions

if TYPE_CHECKING:
    from image_labels.model import Labels, Photo
    from image_labels.ports import UnwantedPhotos

KEY = "images/team.jpg"
DETECTED = FacesAsked.of((), 20)
INDEXED = FacesAsked.of((), 20, COLLECTION, "AUTO")
SECONDS = 60.0


@dataclass
class Deployment:
    """Photos whose ETags name the people in them, and functions with different settings that share the tables."""

    photos: FakePhotos = field(default_factory=FakePhotos)
    labels: FakeLabels = field(default_factory=FakeLabels)
    tables: Tables = field(default_factory=Tables)
    now: float = 1000.0
    dying: bool = False  # at the next write of an item with faces

    def __post_init__(self) -> None:
        self.collection = FaceCollection(self._people)
        self.store = Store(cast("Any", self.tables), "images", "labels", now=lambda: self.now, new_revision=revisions())

    def upload(self, people: str, version: str | None = None, key: str = KEY) -> None:
        self.photos.upload(key, people, version)

    def _people(self, image: Attributes) -> tuple[str, tuple[str, ...]]:
        found = self.photos.objects[image["S3Object"]["Name"]]
        return found.etag, tuple(found.etag.split())

    def reconcile(
        self,
        asked: FacesAsked | None = INDEXED,
        key: str = KEY,
        abandoned: bool = False,
        guard: UnwantedPhotos | None = None,
    ) -> dict[str, int]:
        """Reconcile a photo, under other settings with a guard. Returns the calls of Rekognition by API."""
        client, caller = cast("Any", self.collection), Caller("Faces", Pace(1000), sleep=lambda _seconds: None)
        detectors, claims = [], None
        if asked is not None and asked.collection_id:
            index = FaceIndex(client, caller, asked, Pace(1e9), sleep=lambda _seconds: None)
            claims = FaceClaims(index, self, seconds=SECONDS, now=lambda: self.now)
        elif asked is not None:
            detectors.append(FacesDetector(client, caller, asked))
        cost = Cost()
        wanted = Criteria(10, 80.0 if guard is None else 81.0)
        reconciler = Reconciler(self.photos, self.labels, self, wanted, detectors, claims, guard)
        indexed = self.collection.calls.count("IndexFaces")
        reconciler.reconcile(key, lambda: abandoned and self.collection.calls.count("IndexFaces") > indexed, cost)
        return cost.by_detector

    # -- the store, in which a worker may die

    def get(self, key: str) -> Item | None:
        return self.store.get(key)

    def put(self, photo: Any, content: Any, settings: str, replacing: Any, unclaimed: Any) -> None:
        if self.dying and "faces=" in settings:
            self.dying = False
            raise KeyboardInterrupt
        self.store.put(photo, content, settings, replacing, unclaimed)

    def delete(self, item: Item) -> None:
        if self.dying:
            self.dying = False
            raise KeyboardInterrupt
        self.store.delete(item)

    def index(self, item: Item) -> None:
        self.store.index(item)

    def record(self, item: Item, decision: Unwanted) -> None:
        self.store.record(item, decision)

    def remove(self, item: Item, decision: Unwanted) -> None:
        self.store.remove(item, decision)

    def mark_unclaimed(self, item: Item, unclaimed: Any) -> Item:
        return self.store.mark_unclaimed(item, unclaimed)

    # -- what there is

    def faces(self, key: str = KEY) -> Faces:
        (found,) = findings_of(self.tables.images()[key])
        assert isinstance(found, Faces)
        return found

    def people(self) -> list[str]:
        """The people in the collection, whose rows name their photos. No item has unclaimed faces."""
        rows = {term: row["PK"]["S"] for (term, _), row in self.tables.items["labels"].items() if "*face " in term}
        assert {term.removeprefix("*face ") for term in rows} == self.collection.faces.keys()
        assert set(rows.values()) <= self.tables.images().keys()
        assert not any("UnclaimedFaces" in item for item in self.tables.images().values())
        return self.collection.people_stored()


@dataclass
class DeletingGuard:
    """Finds each photo unwanted, and deletes it. Its worker may die afterwards."""

    photos: FakePhotos
    dying: bool = False

    def decide(self, photo: Photo, content: Labels, before: Unwanted | None) -> Unwanted:  # noqa: ARG002
        return before or Unwanted(Action.DELETE, (), "2026-11-28T10:00:00.000+00:00")

    def act(self, item: Item, abandoned: object) -> Unwanted:  # noqa: ARG002
        self.photos.delete(item.key)
        if self.dying:
            raise KeyboardInterrupt
        assert item.unwanted is not None
        return replace(item.unwanted, done=True)

    def withdraw(self, *_: object) -> None:
        pass

    recorded = withdraw


@pytest.fixture
def deployment() -> Deployment:
    made = Deployment()
    made.upload("Ada Bob Blurred")
    return made


def test_detected_faces_have_the_chosen_attributes_only(deployment: Deployment) -> None:
    assert deployment.reconcile(FacesAsked.of(["SMILE"], 2)) == {"detect_faces": 1}
    ada, bob = deployment.faces().faces  # the two largest
    assert (ada.left, ada.top, ada.width, ada.height, ada.confidence) == (0, 0.1, 0.4, 0.5, 99)
    assert ada.attributes["Smile"] == {"Value": True, "Confidence": 97.5}
    assert bob.attributes.keys() == {"Smile", "Pose", "Quality"}
    assert deployment.collection.faces == {}


def test_one_call_indexes_the_faces_and_has_their_attributes(deployment: Deployment) -> None:
    assert deployment.reconcile(FacesAsked.of([ALL], 20, COLLECTION, "AUTO")) == {"index_faces": 1}
    ada, bob, blurred = deployment.faces().faces
    assert ada.attributes["Emotions"][0] == {"Type": "HAPPY", "Confidence": 90.0}
    assert ada.face_id in deployment.collection.faces
    assert (blurred.face_id, blurred.reasons) == ("", ("LOW_SHARPNESS",))
    assert deployment.people() == ["Ada", "Bob"]
    assert deployment.reconcile(FacesAsked.of([ALL], 20, COLLECTION, "AUTO")) == {}  # a duplicate event
    assert bob.face_id in deployment.collection.faces


def test_unwanted_photo_is_removed_before_its_faces_are_indexed(deployment: Deployment) -> None:
    assert deployment.reconcile(guard=DeletingGuard(deployment.photos)) == {}
    assert deployment.people() == []


@pytest.mark.parametrize("dying", [False, True])
def test_removed_photo_loses_its_faces(deployment: Deployment, dying: bool) -> None:
    deployment.reconcile()
    assert deployment.people() == ["Ada", "Bob"]
    if dying:
        with pytest.raises(KeyboardInterrupt):
            deployment.reconcile(guard=DeletingGuard(deployment.photos, dying=True))
    deployment.reconcile(guard=DeletingGuard(deployment.photos))
    assert deployment.people() == []
    item = deployment.tables.images()[KEY]
    assert item["Status"] == {"S": "REMOVED"}
    assert "Faces" not in item


def test_replaced_and_deleted_photos_lose_their_faces(deployment: Deployment) -> None:
    deployment.reconcile()
    deployment.upload("Bob Cyd")
    deployment.reconcile()
    assert deployment.people() == ["Bob", "Cyd"]
    deployment.photos.delete(KEY)
    deployment.reconcile()
    assert deployment.people() == []
    assert "ListFaces" not in deployment.collection.calls


def test_copies_of_a_photo_have_their_own_faces(deployment: Deployment) -> None:
    deployment.upload("Ada", key="images/copy.jpg")
    for key in (KEY, "images/copy.jpg"):
        deployment.reconcile(key=key)
    deployment.photos.delete(KEY)
    deployment.reconcile()
    assert deployment.people() == ["Ada"]


def test_changed_settings_call_only_for_what_is_missing(deployment: Deployment) -> None:
    deployment.reconcile()
    for asked, calls, people in (
        (replace(INDEXED, max_faces=1), {}, ["Ada"]),
        (replace(INDEXED, max_faces=20), {"index_faces": 1}, ["Ada", "Bob"]),
        (replace(INDEXED, attributes=frozenset({"SMILE"})), {"index_faces": 1}, ["Ada", "Bob"]),
        (INDEXED, {}, ["Ada", "Bob"]),
        (replace(INDEXED, quality_filter="NONE"), {"index_faces": 1}, ["Ada", "Blurred", "Bob"]),
    ):
        assert deployment.reconcile(asked) == calls, asked
        assert deployment.people() == people, asked
    assert deployment.faces().faces[0].attributes.keys() == {"Pose", "Quality"}
    deployment.collection.faces.clear()  # Terraform deletes the collection
    assert deployment.reconcile(DETECTED) == {}  # indexed faces are detected faces
    assert deployment.faces().face_ids() == ()
    assert deployment.reconcile(None) == {}
    assert "Faces" not in deployment.tables.images()[KEY]
    assert deployment.people() == []


def test_faces_of_a_worker_that_died_are_deleted_before_the_photo_is_indexed_again(deployment: Deployment) -> None:
    deployment.dying = True
    with pytest.raises(KeyboardInterrupt):
        deployment.reconcile()
    assert deployment.collection.people_stored() == ["Ada", "Bob"]
    with pytest.raises(TryAgain, match="another worker"):  # it may be at work still
        deployment.reconcile()
    deployment.now += SECONDS
    deployment.reconcile()
    assert deployment.people() == ["Ada", "Bob"]


def test_faces_of_a_worker_that_died_are_deleted_with_the_photo(deployment: Deployment) -> None:
    deployment.dying = True
    with pytest.raises(KeyboardInterrupt):
        deployment.reconcile()
    deployment.photos.delete(KEY)
    deployment.now += SECONDS
    deployment.reconcile()
    assert deployment.people() == []


def test_photo_uploaded_again_as_it_was_gets_its_faces_back(deployment: Deployment) -> None:
    """The worker that deletes the photo dies after the faces are deleted, and before the item is."""
    deployment.reconcile()
    deployment.photos.delete(KEY)
    deployment.dying = True
    with pytest.raises(KeyboardInterrupt):
        deployment.reconcile()
    deployment.upload("Ada Bob Blurred")
    deployment.reconcile()
    assert deployment.people() == ["Ada", "Bob"]


def test_throttled_photo_keeps_its_labels_and_nobody_lists_the_collection(deployment: Deployment) -> None:
    deployment.collection.throttles = 3
    with pytest.raises(Failure, match="Throttling"):
        deployment.reconcile()
    assert deployment.tables.images()[KEY]["Status"] == {"S": "LABELLED"}
    assert deployment.reconcile() == {"index_faces": 1}
    assert len(deployment.labels.asked) == 1
    assert "ListFaces" not in deployment.collection.calls
    assert deployment.people() == ["Ada", "Bob"]


def test_abandoned_photo_leaves_no_faces(deployment: Deployment) -> None:
    with pytest.raises(TryAgain, match="invocation ended"):
        deployment.reconcile(abandoned=True)
    assert deployment.collection.people_stored() == []
    deployment.reconcile()  # at once
    assert deployment.people() == ["Ada", "Bob"]


def test_worker_that_was_frozen_deletes_the_faces_that_it_cannot_store(deployment: Deployment) -> None:
    def another_worker_takes_over(_call: str) -> None:
        deployment.collection.on_index = lambda _call: None
        deployment.now += SECONDS
        deployment.reconcile()

    deployment.collection.on_index = another_worker_takes_over
    deployment.reconcile()
    assert deployment.collection.calls.count("IndexFaces") == 2
    assert deployment.people() == ["Ada", "Bob"]


def test_item_that_another_program_copied_does_not_own_the_faces(deployment: Deployment) -> None:
    deployment.reconcile()
    copy = {**deployment.tables.images()[KEY], "PK": {"S": "images/copy.jpg"}}
    deployment.tables.items["images"][("images/copy.jpg",)] = copy
    deployment.upload("Ada Bob Blurred", key="images/copy.jpg")
    assert deployment.reconcile(key="images/copy.jpg") == {"index_faces": 1}
    deployment.photos.delete("images/copy.jpg")
    deployment.reconcile(key="images/copy.jpg")
    assert deployment.people() == ["Ada", "Bob"]


def test_refused_photo_has_the_reason_and_is_not_asked_about_again(deployment: Deployment) -> None:
    def refuse(image: Attributes) -> tuple[str, tuple[str, ...]]:
        from support.face_collection import refusal

        raise refusal("ImageTooLargeException", "too large", "IndexFaces")

    deployment.collection.people = refuse
    deployment.reconcile()
    assert "too large" in deployment.faces().reason
    assert deployment.reconcile() == {}


names = st.frozensets(st.sampled_from(sorted(ATTRIBUTES)))
asked = st.builds(
    lambda attributes, most, indexed: FacesAsked.of(attributes, most, *([COLLECTION, "LOW"] if indexed else [])),
    names,
    st.integers(1, 100),
    st.booleans(),
)


@given(asked)
def test_criteria_can_be_read_from_their_text(criteria: FacesAsked) -> None:
    assert FacesAsked.parse(criteria.text) == criteria
    assert ";" not in criteria.text


@pytest.mark.parametrize("text", ["", "max=1", "attributes=+max=x", "attributes=B,A+max=1", "attributes=+max=1+more=2"])
def test_text_of_another_form_is_no_criteria(text: str) -> None:
    assert FacesAsked.parse(text) is None


def test_hundred_faces_with_all_attributes_fit_into_an_item() -> None:
    detail = {member: {"Value": True, "Confidence": 99.123, "Text": "x" * 50} for member in ATTRIBUTES.values()}
    face = Face(0.12345, 0.12345, 0.12345, 0.12345, 99.123, detail, face_id="ffffffff-ffff-4fff-8fff-ffffffffffff")
    refused = replace(face, face_id="", reasons=("EXCEEDS_MAX_FACES", "LOW_FACE_QUALITY"))
    whole = Faces(asked=INDEXED.text, faces=(face,) * 100 + (refused,) * 100, call="c" * 70)
    stored = attributes_of([fitted(whole)], "now")
    assert item_size(stored) < MAX_FINDING_BYTES
    (found,) = findings_of(stored)
    assert isinstance(found, Faces)
    assert found.cut
    assert len(found.face_ids()) == 100  # no ID is lost
    assert found.faces[0].attributes
