"""An intake that tests feed by hand."""

from shared.bus.codec import Parcel
from shared.bus.intake import Delivery, Intake
from shared.errors import Unavailable


class HandFed(Intake):
    """`sent` and `acknowledged` tell what the worker did; `refuse` is what sending raises."""

    def __init__(self) -> None:
        super().__init__("a-group")
        self.sent: list[tuple[str, Parcel]] = []
        self.acknowledged: list[tuple[int, bool]] = []
        self.refuse: Unavailable | None = None
        self._tag = 0

    def feed(self, parcel: Parcel) -> int:
        self._tag += 1
        self.put(Delivery(self._tag, self.queue, parcel.headers, parcel.body))
        return self._tag

    async def ack(self, tag: int, *, multiple: bool = False) -> None:
        self.acknowledged.append((tag, multiple))

    async def send(self, queue: str, parcel: Parcel) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.sent.append((queue, parcel))

    async def close(self) -> None:
        self.end()
