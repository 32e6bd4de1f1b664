#!/usr/bin/env python3
"""Puts messages into the inboxes of a Pawl cluster with nothing but a Redis client.

Reads one message per line, a JSON object as POST /v1/messages takes it, from FILE or from standard input. Each is added
to the stream of the shard of its key, in the order of the lines. A message whose addition was not answered is added
again, with the same id: the owner of the shard recognises the copy.
"""

from __future__ import annotations

import argparse
import binascii
import json
import os
import sys
import time
from typing import Any

import redis


def hashed_part(key: bytes) -> bytes:
    """What stands between the first `{` and the next `}`, if anything; else the whole key. As in Redis Cluster."""
    begin = key.find(b"{")
    end = key.find(b"}", begin + 1)
    return key[begin + 1 : end] if begin >= 0 and end > begin + 1 else key


class Producer:
    def __init__(self, client: redis.Redis, cluster: str) -> None:
        self._client = client
        self._prefix = f"pawl:{cluster}:"
        shards = self._insist(lambda: client.hget(self._prefix + "{members}:cfg", "shards"))
        if shards is None:
            raise SystemExit(f"there is no dataset of a cluster '{cluster}' in this Redis: run init first")
        self._shards = int(shards)

    def send(self, message: dict[str, Any]) -> None:
        # CRC16-XMODEM, by the name that Python has for it.
        shard = binascii.crc_hqx(hashed_part(message["key"].encode()), 0) % self._shards
        fields = {name: message[name] for name in ("type", "key", "message", "id")}
        fields["payload"] = json.dumps(message.get("payload", {}))
        # Belongs to the id: a copy must bear the same.
        fields["sent_at"] = message.get("sent_at") or int(time.time() * 1000)
        if "seq" in message:
            fields["seq"] = message["seq"]
        self._insist(lambda: self._client.xadd(f"{self._prefix}{{{shard}}}:inbox", fields))

    @staticmethod
    def _insist(command: Any) -> Any:
        while True:
            try:
                return command()
            except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError):
                time.sleep(0.05)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("file", nargs="?", help="one JSON object per line; default: standard input")
    arguments.add_argument("--redis", default="redis://127.0.0.1:6379", help="redis://HOST:PORT or unix://PATH; a password is taken from PAWL_REDIS_PASSWORD")
    arguments.add_argument("--cluster", default="default")
    options = arguments.parse_args()
    client = redis.Redis.from_url(options.redis, password=os.environ.get("PAWL_REDIS_PASSWORD"), socket_timeout=5)
    producer = Producer(client, options.cluster)
    sent = 0
    with open(options.file, encoding="utf-8") if options.file else sys.stdin as lines:
        for line in lines:
            producer.send(json.loads(line))
            sent += 1
    print(f"{sent} messages added")


if __name__ == "__main__":
    main()
