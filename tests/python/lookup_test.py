"""The figures of a run beside the metrics that say the same."""

from __future__ import annotations

import unittest
from typing import Any

from pawl_demo.cluster import unrest
from pawl_demo.lookup import Figure, Line, Metric, compare, figures, table
from pawl_demo.prometheus import configuration

PAGE = """# HELP pawl_messages_total Messages.
# TYPE pawl_messages_total counter
pawl_messages_total{entity_type="order",outcome="applied"} 40
pawl_messages_total{entity_type="order",outcome="duplicate"} 3
pawl_messages_total{entity_type="a\\"b",outcome="applied"} 7
pawl_members 3
pawl_messages_total_of_another 99
not a sample
"""
APPLIED = Metric("pawl_messages_total", (("entity_type", "order"), ("outcome", "applied")))
SENDER: dict[str, Any] = {"retried_unknown": 0, "duplicates_discarded": 3}
ORDERS: dict[str, Any] = {"kind": "orders", "applied": 40, "out_of_order": 0}
SAGA: dict[str, Any] = {"kind": "saga", "messages": 50, "unfinished": 0, "expired": 4, "out_of_order": 0}


def of(found: dict[str, Any], killed: list[str], **sender: int) -> dict[str, Figure]:
    return {each.what: each for each in figures(found, {**SENDER, **sender}, shards=16, members=3, killed=killed)}


class MetricTest(unittest.TestCase):
    def test_a_counter_is_looked_up_as_each_node_was_heard_last(self) -> None:
        self.assertEqual(
            APPLIED.query(), 'sum(max_over_time(pawl_messages_total{entity_type="order",outcome="applied"}[1h]))'
        )

    def test_a_gauge_is_looked_up_as_it_is(self) -> None:
        self.assertEqual(Metric("pawl_processed_ids").query(), "sum(pawl_processed_ids)")
        self.assertEqual(Metric("pawl_members", greatest=True).query(), "max(pawl_members)")

    def test_samples_of_all_nodes_are_added_up_or_the_greatest_taken(self) -> None:
        self.assertEqual(APPLIED.of([PAGE, PAGE]), 80)
        self.assertEqual(Metric("pawl_messages_total").of([PAGE]), 50)
        self.assertEqual(Metric("pawl_members", greatest=True).of([PAGE, "pawl_members 4\n"]), 4)

    def test_nothing_found_is_not_zero(self) -> None:
        with self.assertRaisesRegex(ValueError, "no node has sum"):
            Metric("pawl_timers").of([PAGE])


class FiguresTest(unittest.TestCase):
    def test_what_is_stored_agrees_to_the_unit_whoever_was_killed(self) -> None:
        for killed in ([], ["n3"], ["n3", "Redis"]):
            applied = of(ORDERS, killed)["events applied"]
            self.assertEqual((applied.counted, applied.may_lack), (40, False))
            self.assertEqual(applied.metric.query(), 'sum(pawl_processed_ids{entity_type="order"})')

    def test_counters_do_so_only_if_none_died(self) -> None:
        self.assertFalse(of(ORDERS, [])["events applied, as counted"].may_lack)
        self.assertTrue(of(ORDERS, ["n3"])["events applied, as counted"].may_lack)
        self.assertTrue(of(SAGA, ["n3"])["orders expired"].may_lack)

    def test_duplicates_are_compared_only_if_every_answer_came(self) -> None:
        self.assertEqual(of(ORDERS, [])["duplicates discarded"].counted, 3)
        self.assertNotIn("duplicates discarded", of(ORDERS, ["n3"]))
        self.assertNotIn("duplicates discarded", of(ORDERS, [], retried_unknown=1))

    def test_a_saga_leaves_neither_timers_nor_messages(self) -> None:
        found = of(SAGA, ["n3"])
        self.assertEqual(found["messages from outside"].metric, Metric("pawl_processed_ids"))
        self.assertEqual(found["orders that have not ended"].metric, Metric("pawl_timers"))
        self.assertEqual(found["messages not taken"].metric, Metric("pawl_outbox_messages"))


class AgreementTest(unittest.TestCase):
    def line(self, counted: int, value: float, may_lack: bool = False) -> Line:
        return Line(Figure("events applied", counted, APPLIED, may_lack), value)

    def test_one_more_or_less_does_not_agree(self) -> None:
        self.assertTrue(self.line(40, 40).agrees)
        self.assertFalse(self.line(40, 39).agrees)
        self.assertFalse(self.line(40, 41).agrees)

    def test_what_may_lack_some_must_not_have_more(self) -> None:
        self.assertTrue(self.line(40, 39, may_lack=True).agrees)
        self.assertFalse(self.line(40, 41, may_lack=True).agrees)
        self.assertFalse(self.line(40, float("nan"), may_lack=True).agrees)

    def test_the_table_says_which_do_not_and_what_died(self) -> None:
        lines = compare([Figure("a", 1_040, APPLIED), Figure("b", 50, APPLIED, may_lack=True), Figure("c", 40, APPLIED)], lambda _: 40)
        wrong, lacking, good = table(lines, ["n3"])
        self.assertIn("WRONG: counted were 1,040", wrong)
        self.assertIn("of 50; 10 died with counters, in the kill of n3", lacking)
        self.assertEqual(good, f"  c  40  {APPLIED.query()}")


class RestTest(unittest.TestCase):
    HELD = {"shard": 0, "local": True, "claim": "held"}
    OTHERS = {"shard": 0, "local": False, "claim": "unclaimed"}

    def test_a_cluster_is_at_rest_when_each_node_holds_what_is_placed_on_it(self) -> None:
        self.assertIsNone(unrest({"n1": (3, [self.HELD]), "n2": (3, [self.OTHERS])}))

    def test_a_shard_that_is_taken_or_given_away_moves(self) -> None:
        self.assertEqual(unrest({"n1": (3, [{**self.HELD, "claim": "claiming"}])}), "n1 takes or gives away 1")
        self.assertEqual(unrest({"n1": (3, [{**self.OTHERS, "claim": "held"}])}), "n1 takes or gives away 1")

    def test_nodes_of_different_views_will_move_shards(self) -> None:
        self.assertEqual(unrest({"n1": (3, [self.HELD]), "n2": (4, [self.OTHERS])}), "views [3, 4]")


class ConfigurationTest(unittest.TestCase):
    def test_the_configuration_that_is_shipped_is_used_at_another_pace(self) -> None:
        text = configuration()
        self.assertIn("scrape_interval: 1s", text)
        self.assertIn("evaluation_interval: 1s", text)
        self.assertIn("../rules/*.yml", text)
        self.assertNotIn("15s\n", text)


if __name__ == "__main__":
    unittest.main()
