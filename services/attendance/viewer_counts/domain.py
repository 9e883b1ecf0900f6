"""How many people watch a session now, and the most there were at once."""

from dataclasses import dataclass

from shared.contracts.attendance_events import ViewersCounted
from shared.contracts.event import Event


@dataclass
class ViewerCount:
    """The numbers of one session as last published."""

    id: str
    version: int
    viewer_count: int = 0
    max_viewers: int = 0

    def count(self, viewers: int) -> list[Event]:
        """While the session goes on: so many are there now."""
        return self._become(viewers, max(self.max_viewers, viewers))

    def settle(self, most: int) -> list[Event]:
        """After the session: nobody is there, and `most` is the peak."""
        return self._become(0, most)

    def _become(self, viewers: int, most: int) -> list[Event]:
        if (self.viewer_count, self.max_viewers) == (viewers, most):
            return []
        self.viewer_count, self.max_viewers = viewers, most
        counted = ViewersCounted(
            session_id=self.id, version=self.version, viewer_count=viewers, max_viewers=most
        )
        return [counted]
