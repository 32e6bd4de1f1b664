"""The sender against imaginary nodes with faults: whatever they do, it must keep the rules that order rests on."""

from __future__ import annotations

import asyncio
import random
import unittest

from fake_cluster import FakeCluster
from pawl_demo.order_book import Message, OrderBook
from pawl_demo.orders import Event, generate
from pawl_demo.schedule import interleave, with_copies
from pawl_demo.sender import NodePool, Sender


def event(order: str, seq: int) -> Event:
    return Event(order, seq, f"{order}-{seq}", "OrderApproved", {"at": "2024-01-01T00:00"}, "2024-01-01T00:00")


def ids(messages: list[Message]) -> list[str]:
    return [message.event.id for message in messages]


class OrderBookTest(unittest.TestCase):
    def setUp(self) -> None:
        self.book = OrderBook()
        self.messages = {f"{order}-{seq}": Message(event(order, seq)) for order in "ab" for seq in (1, 2, 3)}

    def offer(self, *names: str) -> None:
        for name in names:
            self.book.offer(self.messages[name])

    def test_a_batch_holds_several_messages_of_an_order_in_order(self) -> None:
        self.offer("a-1", "b-1", "a-2")
        self.assertEqual(ids(self.book.batch(10)), ["a-1", "a-2", "b-1"])

    def test_nothing_of_an_order_is_taken_while_a_request_with_it_is_under_way(self) -> None:
        self.offer("a-1")
        first = self.book.batch(10)
        self.offer("a-2", "b-1")
        self.assertEqual(ids(self.book.batch(10)), ["b-1"])
        self.book.settle(first, ["applied"], now=0.0)
        self.assertEqual(ids(self.book.batch(10)), ["a-2"])

    def test_an_unresolved_message_goes_again_before_anything_later_of_its_order(self) -> None:
        for result in ("busy", "unknown", "blocked", "no answer", "not sent"):
            with self.subTest(result):
                self.book = OrderBook()
                self.offer("a-1", "a-2")
                self.book.settle(self.book.batch(10), [result, "blocked"], now=0.0)
                self.offer("a-3")
                self.assertFalse(self.book.has_ready())
                wake = self.book.next_wake()
                assert wake is not None
                self.book.wake(wake)
                self.assertEqual(ids(self.book.batch(10)), ["a-1", "a-2", "a-3"])

    def test_each_resolved_result_lets_the_next_message_go(self) -> None:
        for result in ("applied", "duplicate", "refused"):
            with self.subTest(result):
                self.book = OrderBook()
                self.offer("a-1", "a-2")
                self.book.settle(self.book.batch(1), [result], now=0.0)
                self.assertEqual(ids(self.book.batch(1)), ["a-2"])

    def test_a_resolved_message_behind_an_unresolved_one_is_reported(self) -> None:
        self.offer("a-1", "a-2", "b-1")
        broken = self.book.settle(self.book.batch(10), ["unknown", "applied", "applied"], now=0.0)
        self.assertEqual([message.event.id for message, _ in broken], ["a-2"])

    def test_the_batch_limit_may_cut_an_order_in_two(self) -> None:
        self.offer("a-1", "a-2", "a-3")
        first = self.book.batch(2)
        self.assertFalse(self.book.has_ready())
        self.book.settle(first, ["applied", "applied"], now=0.0)
        self.assertEqual(ids(self.book.batch(2)), ["a-3"])

    def test_a_copy_travels_alone_only_beside_the_first_message_of_its_order(self) -> None:
        self.offer("a-1", "a-1", "b-1", "b-2", "b-2")
        batch = self.book.batch(10)
        self.assertIs(self.book.take_copy(batch), self.messages["a-1"])
        self.assertIsNone(self.book.take_copy(batch[2:]))

    def test_waiting_grows_with_every_failure_and_ends_with_a_success(self) -> None:
        self.offer("a-1")
        waits = []
        for _ in range(8):
            self.book.settle(self.book.batch(1), ["busy"], now=0.0)
            waits.append(self.book.next_wake())
            self.book.wake(1e9)
        self.assertEqual(waits, sorted(waits))
        self.assertEqual(waits[-1], 0.25)
        self.book.settle(self.book.batch(1), ["applied"], now=0.0)
        self.assertIsNone(self.book.next_wake())
        self.assertEqual((self.book.open, self.book.resolved), (0, 1))


class SenderTest(unittest.TestCase):
    def send(self, seed: int, rate: float, faults: float, close_one: bool = False) -> tuple[Sender, FakeCluster, list[Event]]:
        events = interleave(generate(60, seed))
        rng = random.Random(seed)

        async def run() -> tuple[Sender, FakeCluster]:
            cluster = FakeCluster(seed, faults)
            endpoints = await cluster.start(3)
            sender = Sender(with_copies(events, 0.5, seed), NodePool(endpoints, rng), rate, rng)
            if close_one:
                cluster.close_door(1)
            try:
                await sender.run()
            finally:
                cluster.close()
                for endpoint in endpoints:
                    endpoint.close()
            return sender, cluster

        return *asyncio.run(run()), events

    def expect_everything_once_and_in_order(self, cluster: FakeCluster, events: list[Event]) -> None:
        expected: dict[str, list[str]] = {}
        for each in events:
            expected.setdefault(each.order, []).append(each.id)
        self.assertEqual(cluster.applied, expected)

    def test_every_event_arrives_in_order_through_faults(self) -> None:
        for seed in range(5):
            with self.subTest(seed=seed):
                sender, cluster, events = self.send(seed, rate=0, faults=0.2)
                self.expect_everything_once_and_in_order(cluster, events)
                self.assertEqual(sender.tally.prefix_broken, 0)
                self.assertGreater(sender.tally.lines, len(events))
                self.assertEqual(sender.resolved, len(events))

    def test_a_paced_run_keeps_order_and_sends_about_as_fast_as_told(self) -> None:
        sender, cluster, events = self.send(7, rate=2000, faults=0.1)
        self.expect_everything_once_and_in_order(cluster, events)
        self.assertGreaterEqual(sender.tally.ended - sender.tally.began, len(events) / 2000 * 0.9)

    def test_a_node_that_refuses_connections_is_no_obstacle(self) -> None:
        _, cluster, events = self.send(8, rate=0, faults=0.0, close_one=True)
        self.expect_everything_once_and_in_order(cluster, events)

    def test_a_copy_carries_the_same_bytes_as_its_original(self) -> None:
        _, cluster, _ = self.send(9, rate=0, faults=0.2)
        self.assertEqual([line for line in cluster.contents.values() if len(line) != 1], [])


if __name__ == "__main__":
    unittest.main()
