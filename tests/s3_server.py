"""A server with S3's interface: moto's, which keeps everything in memory."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection

from tests.bench.ports import free_port

START_SECONDS = 60.0
# Whatever is given is accepted; services refuse what is easily guessed.
_CREDENTIALS = {"access_key_id": "of-a-test", "secret_access_key": secrets.token_urlsafe(24)}


@dataclass(frozen=True)
class Bucket:
    endpoint: str
    name: str

    @property
    def options(self) -> str:
        """The setting GREENROOM_STORAGE_OPTIONS."""
        return json.dumps({"endpoint": self.endpoint, "region": "us-east-1", **_CREDENTIALS})

    def storage_url(self, prefix: str) -> str:
        return f"s3://{self.name}/{prefix}"


@contextmanager
def s3_bucket(name: str = "greenroom") -> Iterator[Bucket]:
    """A server of its own with an empty bucket."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        bucket = Bucket(f"http://127.0.0.1:{port}", name)
        _create(bucket, port)
        yield bucket
    finally:
        process.terminate()
        process.wait()


def _create(bucket: Bucket, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        connection = HTTPConnection("127.0.0.1", port)
        try:
            connection.request("PUT", f"/{bucket.name}")
            assert connection.getresponse().status == 200
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
