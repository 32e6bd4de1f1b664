"""Decides whether every checkout ended as it must, and where every cent is.

Reads what was sent (one JSON object a line: type, order, id, message, payload) and asks the cluster for all checkouts,
tickets and accounts. It shares no code with the runtime or with the sender. Of each

    checkout   has the content of its order and a final status; approved only what the kitchen can cook, cancelled only
               what a customer has cancelled
    ticket     confirmed if the order was approved, else rejected or declined
    account    deposited == what was paid in by distinct messages == balance + held + captured + withdrawn;
               captured == the amounts of its approved orders; nothing held, nothing below zero

Messages between entities may still be under way when the last one from outside is resolved, so what is not final yet is
read again until it is, for a while.

Exit status: 0 if everything is as it must be, 1 if anything is not, 2 if it cannot be told.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pawl_demo.entity_reader import CannotTell, EntityReader, State

KITCHEN_ITEMS_MAX = 50
FINAL = ("approved", "rejected", "cancelled", "expired")
_SHOWN = 10
_SETTLE_SECONDS = 60.0
_PAUSE_SECONDS = 0.2

Address = tuple[str, str]  # entity type and key


@dataclass(frozen=True)
class Order:
    customer: str
    amount: int
    items: int


@dataclass
class Sent:
    """What was sent, once each."""

    orders: dict[str, Order] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    deposits: Counter[str] = field(default_factory=Counter)  # cents by customer
    withdrawals: Counter[str] = field(default_factory=Counter)  # at most these
    messages: int = 0

    def addresses(self) -> list[Address]:
        """Of all entities, checkouts first: what an account says is then at least as new."""
        kinds = [("checkout", key) for key in self.orders] + [("ticket", key) for key in self.orders]
        return kinds + [("account", key) for key in sorted(self.deposits)]


@dataclass
class Findings:
    wrong: list[str] = field(default_factory=list)
    unfinished: dict[Address, str] = field(default_factory=dict)  # what may come right by itself
    statuses: Counter[str] = field(default_factory=Counter)
    cents: Counter[str] = field(default_factory=Counter)


def read_sent(lines: Iterable[str], name: str = "events") -> Sent:
    """Raises CannotTell for what is no message of the saga, naming its line."""
    sent = Sent()
    seen: set[Address] = set()
    for number, line in enumerate(lines, start=1):
        try:
            content = json.loads(line)
            kind, key, message, payload = (content[part] for part in ("type", "order", "message", "payload"))
            address = (str(key), str(content["id"]))
            if address in seen:
                raise CannotTell(f"{name}:{number}: id {address[1]} was seen before")
            seen.add(address)
            _take(sent, kind, key, message, payload)
        except (ValueError, KeyError, TypeError) as error:
            raise CannotTell(f"{name}:{number}: not a message of the saga: {error!r}") from error
        sent.messages += 1
    if not sent.orders:
        raise CannotTell(f"{name} has no orders")
    return sent


def _take(sent: Sent, kind: str, key: str, message: str, payload: State) -> None:
    if (kind, message) == ("checkout", "PlaceOrder"):
        order = Order(payload["customer"], payload["amount"], payload["items"])
        sent.orders.setdefault(key, order)
        sent.deposits[order.customer] += 0
    elif (kind, message) == ("checkout", "CancelOrder"):
        sent.cancelled.add(key)
    elif (kind, message) == ("account", "Deposit"):
        sent.deposits[key] += payload["amount"]
    elif (kind, message) == ("account", "Withdraw"):
        sent.withdrawals[key] += payload["amount"]
    elif (kind, message) != ("account", "BlockCard"):
        raise ValueError(f"{kind} {message}")


def judge(sent: Sent, states: dict[Address, State | None]) -> Findings:
    """What is wrong with these states. None is an entity that does not exist."""
    findings = Findings()
    approved: Counter[str] = Counter()  # cents by customer
    open_orders: Counter[str] = Counter()
    for key, order in sent.orders.items():
        try:
            if _judge_order(key, order, sent, states, findings):
                approved[order.customer] += order.amount
        except (KeyError, TypeError) as error:
            findings.wrong.append(f"order {key}: its state is of another form: {error!r}")
        if ("checkout", key) in findings.unfinished:
            open_orders[order.customer] += 1
    for customer, deposited in sent.deposits.items():
        try:
            _judge_account(customer, deposited, approved[customer], open_orders[customer], sent, states, findings)
        except (KeyError, TypeError, AttributeError) as error:
            findings.wrong.append(f"account {customer}: its state is of another form: {error!r}")
    return findings


def _judge_order(
    key: str, order: Order, sent: Sent, states: dict[Address, State | None], findings: Findings
) -> bool:
    """Returns whether the order was approved."""
    checkout, ticket = states[("checkout", key)], states[("ticket", key)]
    if checkout is None:
        findings.wrong.append(f"order {key} was placed, but there is no checkout: LOST")
        return False
    status, cooked = checkout["status"], "none" if ticket is None else ticket["status"]
    findings.statuses[status] += 1
    found = Order(checkout["customer"], checkout["amount"], checkout["items"])
    if found != order:
        findings.wrong.append(f"order {key}: placed was {order}, its checkout holds {found}")
    if status == "pending":
        findings.unfinished[("checkout", key)] = f"order {key} is pending"
        return False
    if status not in FINAL:
        findings.wrong.append(f"order {key} is {status!r}, which an order that was placed cannot be")
        return False
    if status == "cancelled" and key not in sent.cancelled:
        findings.wrong.append(f"order {key} is cancelled, but nobody cancelled it")
    if status == "approved" and order.items > KITCHEN_ITEMS_MAX:
        findings.wrong.append(f"order {key} of {order.items} items is approved, though the kitchen declines it")
    if cooked in ("none", "created"):
        findings.unfinished[("ticket", key)] = f"order {key} is {status}, its ticket {cooked}"
    elif (cooked == "confirmed") != (status == "approved") or cooked not in ("confirmed", "rejected", "declined"):
        findings.wrong.append(f"order {key} is {status}, but its ticket is {cooked!r}")
    return bool(status == "approved")


def _judge_account(
    customer: str,
    deposited: int,
    approved: int,
    open_orders: int,
    sent: Sent,
    states: dict[Address, State | None],
    findings: Findings,
) -> None:
    account = states[("account", customer)]
    if account is None:
        if deposited:
            findings.wrong.append(f"account {customer}: {deposited} cents were paid in, but it does not exist: LOST")
        return
    held = sum(account["held"].values())
    parts = {"balance": account["balance"], "held": held, **{part: account[part] for part in ("captured", "withdrawn")}}
    findings.cents.update({"deposited": account["deposited"], **parts})
    if account["deposited"] != deposited:
        how = "LOST" if account["deposited"] < deposited else "APPLIED TWICE"
        findings.wrong.append(f"account {customer}: {deposited} cents were paid in, it counts {account['deposited']}: {how}")
    if sum(parts.values()) != account["deposited"]:
        findings.wrong.append(f"account {customer}: {parts} make {sum(parts.values())} cents, not {account['deposited']}")
    if min(parts.values()) < 0 or min(account["held"].values(), default=1) <= 0:
        findings.wrong.append(f"account {customer}: {parts}: nothing may be below zero")
    if parts["withdrawn"] > sent.withdrawals[customer]:
        findings.wrong.append(
            f"account {customer}: {parts['withdrawn']} cents withdrawn, {sent.withdrawals[customer]} asked for"
        )
    foreign = [key for key in account["held"] if key not in sent.orders or sent.orders[key].customer != customer]
    if foreign:
        findings.wrong.append(f"account {customer} holds money for {foreign}, which are no orders of it")
    elif held:
        findings.unfinished[("account", customer)] = f"account {customer} still holds {held} cents"
    elif not open_orders and parts["captured"] != approved:
        findings.wrong.append(f"account {customer}: {parts['captured']} cents captured, its approved orders cost {approved}")


def read_states(addresses: Sequence[Address], nodes: Sequence[str]) -> dict[Address, State | None]:
    """All states; each thread asks another node first. One entity type after the other, in the sequence given."""
    threads = 4

    def read(part: tuple[int, Sequence[Address]]) -> list[tuple[Address, State | None]]:
        turn = part[0] % len(nodes)
        reader = EntityReader([*nodes[turn:], *nodes[:turn]])
        return [(address, reader.state(*address)) for address in part[1]]

    states: dict[Address, State | None] = {}
    with ThreadPoolExecutor(threads) as pool:
        for kind in dict.fromkeys(kind for kind, _ in addresses):
            of_kind = [address for address in addresses if address[0] == kind]
            for found in pool.map(read, ((n, of_kind[n::threads]) for n in range(threads))):
                states.update(found)
    return states


def check(
    sent: Sent, read: Callable[[Sequence[Address]], dict[Address, State | None]], settle_seconds: float = _SETTLE_SECONDS
) -> Findings:
    """Reads everything, and then again until nothing is unfinished or the time is up: then that is wrong too."""
    deadline = time.monotonic() + settle_seconds
    while True:
        findings = judge(sent, read(sent.addresses()))
        if findings.wrong or not findings.unfinished:
            return findings
        if time.monotonic() >= deadline:
            findings.wrong += [f"{what} after {settle_seconds:g} s" for what in findings.unfinished.values()]
            return findings
        time.sleep(_PAUSE_SECONDS)


def rows(sent: Sent, findings: Findings, figures: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The table: what, how many, and a remark."""
    yield "messages from outside", f"{sent.messages:,}", f"about {len(sent.orders):,} orders of {len(sent.deposits):,} customers"
    if figures:
        yield "duplicates discarded", f"{figures['duplicates_discarded']:,}", ""
        yield "refused", f"{figures['refused']:,}", "withdrawals beyond the balance"
        yield "retried, outcome unknown", f"{figures['retried_unknown']:,}", "no answer, or answered `unknown`"
    for status in FINAL:
        yield f"orders {status}", f"{findings.statuses[status]:,}", ""
    cents = findings.cents
    yield "cents paid in", f"{cents['deposited']:,}", "as the accounts count them"
    yield "  in balances", f"{cents['balance']:,}", ""
    yield "  captured", f"{cents['captured']:,}", "for approved orders"
    yield "  withdrawn", f"{cents['withdrawn']:,}", ""
    yield "  held", f"{cents['held']:,}", ""
    missing = cents["deposited"] - cents["balance"] - cents["captured"] - cents["withdrawn"] - cents["held"]
    yield "CENTS MISSING", f"{missing:,}", ""
    yield "WRONG", f"{len(findings.wrong):,}", ""
    if figures:
        yield "latency p50 / p99", "{:.1f} / {:.1f} ms".format(*figures["latency_ms"]), "from when a message was due"


def result(sent: Sent, findings: Findings) -> dict[str, Any]:
    """Nothing of a saga is found out of order here: what would be, is among what is wrong."""
    unfinished = findings.statuses["pending"]
    return {"kind": "saga", "messages": sent.messages, "unfinished": unfinished, "expired": findings.statuses["expired"], "out_of_order": 0}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Checks all checkouts, tickets and accounts against what was sent.")
    parser.add_argument("--events", type=Path, required=True, help="what was sent: one JSON object a line")
    parser.add_argument("--node", action="append", required=True, metavar="URL", help="of a live node; may be repeated")
    parser.add_argument("--figures", type=Path, help="the sender's figures (JSON), to be shown in the same table")
    parser.add_argument("--result", type=Path, help="file to write the counts to (JSON), for other programs")
    options = parser.parse_args(arguments)
    try:
        figures = json.loads(options.figures.read_text(encoding="utf-8")) if options.figures else {}
        with options.events.open(encoding="utf-8") as file:
            sent = read_sent(file, str(options.events))
        findings = check(sent, lambda addresses: read_states(addresses, options.node))
        table = list(rows(sent, findings, figures))
        if options.result:
            options.result.write_text(json.dumps(result(sent, findings)) + "\n", encoding="utf-8")
    except (CannotTell, OSError, ValueError, KeyError, TypeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    if figures.get("resolved_behind_unresolved"):
        findings.wrong.append("messages were resolved behind an unresolved one of the same key")
    widths = [max(len(line[column]) for line in table) for column in (0, 1)]
    for what, number, remark in table:
        print(f"  {what:<{widths[0]}}  {number:>{widths[1]}}  {remark}".rstrip())
    for example in findings.wrong[:_SHOWN]:
        print("  " + example)
    if findings.wrong:
        print("\nNot as it must be.")
        return 1
    print("\nEvery order has ended, every ticket agrees, and every cent is accounted for.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
