"""python -m tests.publishers URL KEY SECRET ROOM USER NAME … : they are on stage until standard input ends.

Apart from the process that is measured. `--size 1280x720` before the names for other than 640x360.
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from contextlib import AsyncExitStack

from tests.publishers.publisher import Publisher, host_token


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.publishers")
    for name in ("url", "key", "secret", "room", "user"):
        parser.add_argument(name)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("names", nargs="+")
    return parser.parse_args()


async def main(given: Namespace) -> None:
    width, height = map(int, given.size.split("x"))
    async with AsyncExitStack() as stack:
        for name in given.names:
            publisher = Publisher(name, given.user, size=(width, height))
            await publisher.join(given.url, host_token(given.key, given.secret, given.room, publisher))
            stack.push_async_callback(publisher.close)
            await publisher.show()
            await publisher.speak()
        sys.stdout.write("on stage\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(_arguments()))
