"""One image of stand-ins for those of MongoDB, RabbitMQ, Redis and LiveKit: tests reach no registry."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from deploy.images import base
from deploy.images.engine import ContainerEngine
from deploy.images.project import BASE, certificates
from deploy.local.programs import LIVEKIT, locate

IMAGE = "localhost/greenroom-standins:latest"
DOCKERFILE = Path(__file__).with_name("Dockerfile")


def build(engine: ContainerEngine) -> None:
    """Build IMAGE, quick if nothing changed. Raises EngineFailed; MissingPrograms without livekit-server."""
    base.ensure(engine, BASE)
    with tempfile.TemporaryDirectory(prefix="standins-") as context:
        shutil.copy2(locate((LIVEKIT,))[LIVEKIT.name], Path(context, "livekit-server"))
        engine.build(
            Path(context), DOCKERFILE, [IMAGE], arguments={"BASE": BASE}, secrets=certificates(os.environ)
        )
