"""What the reader looks at: which map lies over the film, which place is in view, contour or fill. No Qt, no layers."""

from __future__ import annotations

import numpy as np
from psygnal import Signal

from napari_semimedref.overlays import OVERLAYS, Overlay, entropy_of, values_of
from napari_semimedref.session import ReviewSession
from napari_semimedref.viewer_bridge import ViewerBridge
from training.editing import Region, uncertain_regions
from training.pool.images import resize_probability

NOTHING = "There is no proposal for this film, and so nothing to lay over it."
ASKING = "Asking the teacher …"
SURE = "The teacher is sure of every region."


class Looking:
    """The views of one window; before `attach` there is nothing to see."""

    said = Signal(str)
    overlay_changed = Signal(str)  # its name, or nothing
    asked = Signal()  # the service shall send what `wanted` names

    def __init__(self) -> None:
        self.overlay: Overlay | None = None
        self._also: dict[str, np.ndarray] = {}
        self._regions: list[Region] | None = None
        self._next = 0
        self._session: ReviewSession | None = None
        self._bridge: ViewerBridge | None = None

    def attach(self, session: ReviewSession, bridge: ViewerBridge) -> None:
        """Look at another session's cases."""
        self._session, self._bridge = session, bridge
        session.opened.connect(lambda _opened: self.look_anew())
        session.proposal_changed.connect(lambda _opened: self._renew())

    @property
    def wanted(self) -> list[str]:
        """What a request to the service shall ask for besides the probability."""
        return [] if self.overlay is None else list(self.overlay.needs)

    def choose(self, name: str) -> None:
        """Lay a map over the film; an empty name takes it away."""
        self.overlay = next((each for each in OVERLAYS if each.name == name), None)
        self.overlay_changed.emit(name if self.overlay else "")
        self._show(ask=True)

    def choose_next(self) -> None:
        """Go on to the next map; after the last one, none."""
        names = ["", *(each.name for each in OVERLAYS)]
        at = names.index(self.overlay.name if self.overlay else "")
        self.choose(names[(at + 1) % len(names)])

    def take(self, arrays: dict[str, np.ndarray]) -> None:
        """Take what the service sent with a prediction: arrays ``(h, w) float32 in [0, 1]`` by their names."""
        self._also = dict(arrays)
        self._show(ask=False)

    def look_anew(self) -> None:
        """Another case is on the desk."""
        self._also, self._regions = {}, None
        self._show(ask=True)

    def next_uncertain(self) -> None:
        """Go to the largest region that the teacher is unsure of; the next time, to the next."""
        probability, bridge = self._probability, self._bridge
        if probability is None or bridge is None:
            self.said.emit(NOTHING)
            return
        if self._regions is None:
            self._regions, self._next = uncertain_regions(entropy_of(probability)), 0
        if not self._regions:
            self.said.emit(SURE)
            return
        number = self._next % len(self._regions)
        region = self._regions[number]
        bridge.camera.look_at(region.box)
        self._next = number + 1
        self.said.emit(
            f"Uncertain region {number + 1} of {len(self._regions)}: {region.pixels} pixels."
        )

    def look_at_all(self) -> None:
        """Show the whole film; the next uncertain region is the largest again."""
        self._next = 0
        if self._bridge is not None:
            self._bridge.camera.look_at_all()

    def turn_contour(self, name: str) -> None:
        """Contour instead of fill for mask or proposal, or the other way round."""
        if self._bridge is not None:
            self._bridge.turn_contour(name)

    # -- inside ------------------------------------------------------------------------------------

    @property
    def _probability(self) -> np.ndarray | None:
        opened = None if self._session is None else self._session.current
        return None if opened is None else opened.probability

    def _renew(self) -> None:
        self._regions = None
        self._also = {}  # they belong to the words before
        self._show(ask=False)

    def _show(self, *, ask: bool) -> None:
        bridge, probability = self._bridge, self._probability
        if bridge is None:
            return
        if self.overlay is None or probability is None:
            bridge.show_overlay(None)
            if self.overlay is not None:
                self.said.emit(NOTHING)
            return
        shape, overlay = probability.shape, self.overlay
        values = (
            self._from_service(overlay) if overlay.needs else values_of(overlay, probability, {})
        )
        if values is None:
            bridge.show_overlay(None)
            if ask:
                self.said.emit(ASKING)
                self.asked.emit()
            return
        bridge.show_overlay(
            values if values.shape == shape else resize_probability(values, shape),
            overlay.color,
        )

    def _from_service(self, overlay: Overlay) -> np.ndarray | None:
        """Differences are taken at the network's resolution, where both sides were made."""
        probability = self._also.get("probability")
        return None if probability is None else values_of(overlay, probability, self._also)
