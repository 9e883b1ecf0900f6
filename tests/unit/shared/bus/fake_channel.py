"""An channel that tests feed by hand."""

from shared.bus.codec import Message
from shared.bus.consumer import ConsumerChannel, Delivery
from shared.errors import Unavailable


class FakeChannel(ConsumerChannel):
    """`sent` and `acknowledged` tell what the worker did; `refuse` is what sending raises."""

    def __init__(self) -> None:
        super().__init__("a-group")
        self.sent: list[tuple[str, Message]] = []
        self.acknowledged: list[tuple[int, bool]] = []
        self.refuse: Unavailable | None = None
        self._tag = 0

    def feed(self, message: Message) -> int:
        self._tag += 1
        self.put(Delivery(self._tag, self.queue, message.headers, message.body))
        return self._tag

    async def ack(self, tag: int, *, multiple: bool = False) -> None:
        self.acknowledged.append((tag, multiple))

    async def send(self, queue: str, message: Message) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.sent.append((queue, message))

    async def close(self) -> None:
        self.end()
