"""Made-up customers and orders for the checkout saga: deposits, orders, cancellations, withdrawals and blocked cards.

Who sends what is decided by the seed alone. What becomes of an order is not: it depends on whether its cancellation,
its expiry, or another order of the same customer comes first. The checker judges the end, not the way.
"""

from __future__ import annotations

import random
from typing import Any

from .orders import Event

KITCHEN_ITEMS_MAX = 50
_ORDERS_PER_CUSTOMER = 8


class _Sender:
    """Numbers the messages of each key and gives them ids."""

    def __init__(self) -> None:
        self._seq: dict[str, int] = {}

    def event(self, kind: str, key: str, message: str, payload: dict[str, Any]) -> Event:
        seq = self._seq[key] = self._seq.get(key, 0) + 1
        return Event(key, seq, f"{key}-{seq}", message, payload, "", kind)


def plan(orders: int, seed: int) -> list[Event]:
    """What is sent, in this sequence. Every customer's deposits come before anybody's orders."""
    rng = random.Random(seed)
    sender = _Sender()
    customers = [f"customer-{rng.getrandbits(64):016x}" for _ in range(max(1, orders // _ORDERS_PER_CUSTOMER))]
    events = []
    for customer in customers:
        for _ in range(rng.randint(1, 3)):
            events.append(sender.event("account", customer, "Deposit", {"amount": rng.randint(5_000, 30_000)}))

    placed: list[Event] = []
    for _ in range(orders):
        payload = {
            "customer": rng.choice(customers),
            "amount": rng.randint(1, 9_000),
            "items": rng.randint(KITCHEN_ITEMS_MAX + 1, 99) if rng.random() < 0.05 else rng.randint(1, 12),
        }
        if rng.random() < 0.05:
            payload["expires_ms"] = rng.randint(1, 20)
        order = sender.event("checkout", f"order-{rng.getrandbits(64):016x}", "PlaceOrder", payload)
        events.append(order)
        placed.append(order)
        chance = rng.random()
        if chance < 0.10:  # at once, while it is being approved, or later
            late = placed[-1] if rng.random() < 0.7 else rng.choice(placed)
            events.append(sender.event("checkout", late.order, "CancelOrder", {}))
        elif chance < 0.13:  # an impatient customer, under another id
            again = rng.choice(placed)
            events.append(sender.event("checkout", again.order, "PlaceOrder", again.payload))
        elif chance < 0.16:
            events.append(sender.event("account", rng.choice(customers), "Withdraw", {"amount": rng.randint(1, 4_000)}))
        elif chance < 0.165:
            events.append(sender.event("account", rng.choice(customers), "BlockCard", {}))
    return events
