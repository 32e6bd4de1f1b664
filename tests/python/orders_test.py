"""Orders become events, events a schedule."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from pawl_demo.errors import DemoError
from pawl_demo.orders import COLUMNS, events_of, generate, read_csv
from pawl_demo.schedule import interleave, with_copies

DELIVERED = ["o1", "c1", "delivered", "2017-10-02T10:56", "2017-10-02T11:07", "2017-10-01T19:55", "2017-10-10T21:25", "2017-10-18"]


def row(values: list[str]) -> dict[str, str]:
    return dict(zip(COLUMNS, values))


class EventsTest(unittest.TestCase):
    def test_a_delivered_order_has_four_events_in_their_order_though_its_stamps_run_backwards(self) -> None:
        names = [event.message for event in interleave([row(DELIVERED)])]
        self.assertEqual(names, ["OrderPurchased", "OrderApproved", "OrderShipped", "OrderDelivered"])

    def test_cancellation_comes_last(self) -> None:
        cancelled = row(["o2", "c", "canceled", "2017-10-02T10:56", "", "", "", "2017-10-18"])
        events = events_of(cancelled)
        self.assertEqual([(event.message, event.seq, event.id) for event in events][1], ("OrderCancelled", 2, "o2-2"))

    def test_an_absent_time_means_no_event(self) -> None:
        self.assertEqual(len(events_of(row(["o3", "c", "created", "2017-10-02T10:56", "", "", "", "2017-10-18"]))), 1)

    def test_made_up_orders_depend_on_the_seed_only_and_have_about_four_events_each(self) -> None:
        rows = generate(2000, 3)
        self.assertEqual(rows, generate(2000, 3))
        self.assertNotEqual(rows, generate(2000, 4))
        self.assertTrue(3.8 < len(interleave(rows)) / 2000 < 4.0)

    def test_orders_are_interleaved(self) -> None:
        events = interleave(generate(2000, 1))
        neighbours = sum(1 for one, other in zip(events, events[1:]) if one.order == other.order)
        self.assertLess(neighbours, len(events) // 20)


class ScheduleTest(unittest.TestCase):
    def test_copies_follow_their_originals_right_away_or_after_later_events_of_the_order(self) -> None:
        events = interleave(generate(500, 1))
        schedule = with_copies(events, 0.1, seed=1)
        self.assertEqual([entry.event for entry in schedule if not entry.copy], events)
        self.assertEqual(len(schedule), len(events) + len(events) // 10)
        seen: set[str] = set()
        late = 0
        for index, entry in enumerate(schedule):
            if entry.copy:
                self.assertIn(entry.event.id, seen)
                late += schedule[index - 1].event.id != entry.event.id
            seen.add(entry.event.id)
        self.assertGreater(late, len(events) // 50)


class CsvTest(unittest.TestCase):
    def read(self, text: str) -> list[dict[str, str]]:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "orders.csv"
            path.write_text(text, encoding="utf-8")
            return read_csv(path)

    def test_a_good_file_is_read(self) -> None:
        self.assertEqual(self.read(",".join(COLUMNS) + "\n" + ",".join(DELIVERED) + "\n"), [row(DELIVERED)])

    def test_what_is_wrong_with_a_file_is_named(self) -> None:
        head = ",".join(COLUMNS) + "\n"
        good = ",".join(DELIVERED) + "\n"
        cases = {
            "": "the first line must be",
            "a,b\n": "the first line must be",
            head: "has no orders",
            head + "o1,c1\n": ":2: 2 columns, expected 8",
            head + good + good: ":3: order_id 'o1'",
            head + good.replace("2017-10-02T10:56", "yesterday"): ":2: purchased_at is 'yesterday'",
        }
        for text, expected in cases.items():
            with self.subTest(expected), self.assertRaises(DemoError) as caught:
                self.read(text)
            self.assertIn(expected, str(caught.exception))

    def test_a_missing_file_is_named(self) -> None:
        with self.assertRaises(DemoError) as caught:
            read_csv(Path("no/such.csv"))
        self.assertIn("no/such.csv", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
