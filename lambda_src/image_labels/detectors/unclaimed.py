"""What may be in the face collection and belongs to no photo. Imported only where there is a face collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True)
class Unclaimed:
    """Faces, and calls whose faces are not known: see image_labels.detectors.face_claims.

    `face_ids` are IDs of faces. `calls` are the values of ExternalImageId of calls of IndexFaces whose answer is not
    stored: their faces have not been named yet. `until` is when the worker of the last call is done at the latest, in
    seconds since the epoch, 0 if it is done already.
    """

    face_ids: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    until: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.face_ids or self.calls)

    def __or__(self, other: Unclaimed) -> Unclaimed:
        face_ids, calls = dict.fromkeys(self.face_ids + other.face_ids), dict.fromkeys(self.calls + other.calls)
        return Unclaimed(tuple(face_ids), tuple(calls), max(self.until, other.until))

    def without(self, face_ids: Collection[str] = (), call: str = "") -> Unclaimed:
        """All of it, except these faces, and a call whose worker is done."""
        calls = tuple(each for each in self.calls if each != call)
        until = 0.0 if call in self.calls else self.until
        return Unclaimed(tuple(each for each in self.face_ids if each not in face_ids), calls, until)
