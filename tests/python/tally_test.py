"""Figures drawn from what the sender saw."""

from __future__ import annotations

import unittest

from pawl_demo.order_book import Message
from pawl_demo.orders import Event
from pawl_demo.tally import latencies, pause, percentile, retries


def message(due: float, resolved_at: float, *results: str) -> Message:
    return Message(Event("o", 1, "o-1", "OrderApproved", {}, ""), due, resolved_at, list(results))


class PauseTest(unittest.TestCase):
    def test_the_wait_of_a_message_due_before_the_incident_counts_from_the_incident(self) -> None:
        found = pause([message(9.5, 12.0), message(1.0, 1.1)], begin=10.0, end=15.0)
        self.assertAlmostEqual(found.longest_wait, 2.0)

    def test_the_wait_of_a_message_due_after_the_incident_counts_from_when_it_was_due(self) -> None:
        found = pause([message(10.5, 12.0)], begin=10.0, end=15.0)
        self.assertAlmostEqual(found.longest_wait, 1.5)

    def test_silence_is_the_longest_time_without_any_resolution_since_the_incident(self) -> None:
        found = pause([message(10.0, 10.5), message(10.0, 11.5), message(11.6, 11.7)], begin=10.0, end=15.0)
        self.assertAlmostEqual(found.longest_silence, 1.0)

    def test_messages_due_later_do_not_count(self) -> None:
        found = pause([message(16.0, 20.0)], begin=10.0, end=15.0)
        self.assertEqual((found.longest_wait, found.longest_silence), (0.0, 0.0))


class FiguresTest(unittest.TestCase):
    def test_percentiles_of_few_values(self) -> None:
        self.assertEqual([percentile([1.0, 2.0, 3.0], share) for share in (0.0, 0.5, 0.99)], [1.0, 2.0, 3.0])
        self.assertEqual(percentile([], 0.5), 0.0)

    def test_latencies_leave_out_messages_that_met_an_incident(self) -> None:
        calm, met = message(1.0, 1.25), message(1.0, 3.0)
        self.assertEqual(latencies([calm, met]), [0.25, 2.0])
        self.assertEqual(latencies([calm, met], [(2.0, 5.0)]), [0.25])

    def test_every_unresolved_result_made_a_retry(self) -> None:
        found = retries([message(0.0, 1.0, "unknown", "busy", "duplicate"), message(0.0, 1.0, "unknown", "applied")])
        self.assertEqual(found, {"unknown": 2, "busy": 1})


if __name__ == "__main__":
    unittest.main()
