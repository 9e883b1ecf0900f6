"""What docs/settings.md says beside its tables."""

from typing import Final

INTRODUCTION: Final = """# Settings

Made from the settings classes (each `settings.py`) by `greenroom openapi`: do not edit.

Every service reads its settings from the environment, over the YAML file named by `GREENROOM_CONFIG` (there a
setting is called `port`, not `GREENROOM_PORT`), over the defaults below. In the environment a JSON object is
written as JSON: `GREENROOM_KEYRING='{"k1": "…"}'`. A service with invalid settings names them and exits.
*Needed* is `yes` if a service does not start without the setting, `production` if that holds with
`GREENROOM_ENVIRONMENT=production` only: secrets, and passwords in URLs, must then have at least 16 characters
and not be well-known ones.

`greenroom up` sets all of this for the local stack. Elsewhere run at least one gateway, session, egress and
attendance service, more of each if needed, with MongoDB (a database for each of the last three), RabbitMQ,
Redis and LiveKit. The services' addresses default to 8001 (session), 8002 (egress) and 8003 (attendance) on
the same machine; each listens on its own `GREENROOM_PORT`. Only the gateway and LiveKit are reached by
clients. `greenroom keys` generates keys ([credentials.md](credentials.md)).

LiveKit's own configuration needs these lines, with the key of `GREENROOM_LIVEKIT_API_KEY`:

```yaml
keys:
  <key>: <GREENROOM_LIVEKIT_API_SECRET>
webhook:
  api_key: <key>
  urls:
    - http://<egress service>:8002/webhooks/livekit   # or the gateway's /webhooks/livekit
ingress:
  rtmp_base_url: rtmp://<LiveKit Ingress>/live   # GREENROOM_INGEST=livekit only
room:
  auto_create: false      # rooms are opened by the session service, when their sessions start
```
"""

FOR_ALL: Final = "Every service, the recorder and the relay have these."

NEEDS: Final = {
    "gateway": "needs the three other services; Redis if there is more than one gateway.",
    "session": """needs its database, RabbitMQ and LiveKit, the egress service, and the egress service's
storage for chat files. A mail server and Centrifugo are optional.""",
    "egress": """needs its database, RabbitMQ, LiveKit, the session service and a storage, and for
streams and RTMP either LiveKit Egress and LiveKit Ingress (`livekit`) or recorders and a relay
(`embedded`).""",
    "attendance": "needs its database, RabbitMQ and the session service.",
    "recorder": """needs the egress service's database, its storage and its address, LiveKit, and a folder of
its own. It is for `GREENROOM_ENGINE=embedded`; [operations.md](operations.md#recorders) says how many
to run.""",
    "relay": """needs the egress service, LiveKit's key, and an RTMP server (nginx with its RTMP module)
that asks it by `on_publish`, `on_publish_done` and `on_update`, under `/rtmp/publish`, `/rtmp/done` and
`/rtmp/update`; [rtmp.py](../deploy/local/components/rtmp.py) writes a whole configuration of nginx. It is for
`GREENROOM_INGEST=embedded`.""",
}
