"""Orders and their events: read from a CSV file, or made up with the same shape.

The format: a header line `order_id,customer_id,status,purchased_at,approved_at,shipped_at,delivered_at,
estimated_delivery_at`, times as `2017-10-02T10:56` or empty. A row becomes up to five events of one order, in this
order whatever the times say: purchased, approved, shipped, delivered (each where its time is present), and cancelled
where the status says so.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .errors import DemoError

COLUMNS = [
    "order_id",
    "customer_id",
    "status",
    "purchased_at",
    "approved_at",
    "shipped_at",
    "delivered_at",
    "estimated_delivery_at",
]
_STEPS = [
    ("OrderPurchased", "purchased_at"),
    ("OrderApproved", "approved_at"),
    ("OrderShipped", "shipped_at"),
    ("OrderDelivered", "delivered_at"),
]
_TIME = "%Y-%m-%dT%H:%M"

Row = dict[str, str]


@dataclass(frozen=True)
class Event:
    """One thing that happens to an order. `seq` counts from 1 within the order, or whatever entity the key names."""

    order: str
    seq: int
    id: str
    message: str
    payload: dict[str, Any]
    at: str
    type: str = "order"


def events_of(row: Row) -> list[Event]:
    """The events of one order, in the order in which they must take effect."""
    order, customer = row["order_id"], row["customer_id"]
    steps = [(message, row[column]) for message, column in _STEPS if row[column]]
    if row["status"] in ("canceled", "cancelled"):
        # The file does not say when: after everything else.
        last = max((at for _, at in steps), default=row["estimated_delivery_at"])
        steps.append(("OrderCancelled", last))
    events = []
    for seq, (message, at) in enumerate(steps, start=1):
        payload = {"at": at}
        if message == "OrderPurchased":
            payload["customer"] = customer
        elif message == "OrderCancelled":
            payload["reason"] = "status was " + row["status"]
        events.append(Event(order, seq, f"{order}-{seq}", message, payload, at))
    return events


def read_csv(path: Path) -> list[Row]:
    """Reads orders; a wrong header, a short row, a bad time or an order given twice is an error with its line."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            if header != COLUMNS:
                raise DemoError(f"{path}: the first line must be {','.join(COLUMNS)}")
            rows: list[Row] = []
            seen: set[str] = set()
            for values in reader:
                rows.append(_checked(dict(zip(COLUMNS, values)), len(values), seen, f"{path}:{reader.line_num}"))
    except OSError as error:
        raise DemoError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DemoError(f"{path}: not a CSV file in UTF-8: {error}") from error
    if not rows:
        raise DemoError(f"{path} has no orders")
    return rows


def _checked(row: Row, count: int, seen: set[str], where: str) -> Row:
    if count != len(COLUMNS):
        raise DemoError(f"{where}: {count} columns, expected {len(COLUMNS)}")
    if not row["order_id"] or row["order_id"] in seen:
        raise DemoError(f"{where}: order_id {row['order_id']!r} is empty or was seen before")
    seen.add(row["order_id"])
    for _, column in _STEPS:
        try:
            if row[column]:
                datetime.strptime(row[column], _TIME)
        except ValueError:
            raise DemoError(f"{where}: {column} is {row[column]!r}, expected a time as 2017-10-02T10:56") from None
    return row


def generate(count: int, seed: int) -> list[Row]:
    """Made-up orders in the proportions of a real shop: most delivered, some stopped half way, few cancelled."""
    rng = random.Random(seed)
    begin = datetime(2024, 1, 1)
    rows = []
    for _ in range(count):
        times = [begin + timedelta(minutes=rng.randrange(90 * 24 * 60))]
        for mean_hours in (6, 48, 150):
            times.append(times[-1] + timedelta(minutes=1 + int(rng.expovariate(1 / (mean_hours * 60)))))
        reached, status = rng.choices(
            [(4, "delivered"), (3, "shipped"), (2, "processing"), (1, "created"), (0, "canceled")],
            weights=[972, 11, 6, 1, 10],
        )[0]
        if status == "canceled":
            reached = rng.choice([1, 2, 2, 2, 3])  # most are cancelled between approval and shipping
        elif rng.random() < 0.015:
            times[2] = times[1] - timedelta(hours=3)  # clocks of two systems disagree; the order of events decides
        stamps = [time.strftime(_TIME) if i < reached else "" for i, time in enumerate(times)]
        estimate = (times[0] + timedelta(days=21)).strftime("%Y-%m-%d")
        values = [f"{rng.getrandbits(128):032x}", f"{rng.getrandbits(128):032x}", status, *stamps, estimate]
        rows.append(dict(zip(COLUMNS, values)))
    return rows
