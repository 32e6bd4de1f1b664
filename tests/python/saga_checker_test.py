"""The saga checker's teeth: it must flag whatever loses or makes money or leaves an order half done, and nothing else."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import tempfile
import threading
import unittest
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pawl_demo import saga_checker
from pawl_demo.saga import KITCHEN_ITEMS_MAX, plan
from pawl_demo.saga_checker import Address, CannotTell, Sent, State, check, judge, read_sent
from pawl_demo.schedule import write_events

States = dict[Address, State | None]


def line(kind: str, key: str, message_id: str, message: str, **payload: Any) -> str:
    return json.dumps({"type": kind, "order": key, "id": message_id, "message": message, "payload": payload})


LINES = [
    line("account", "ada", "ada-1", "Deposit", amount=700),
    line("account", "ada", "ada-2", "Deposit", amount=300),
    line("checkout", "o-1", "o-1-1", "PlaceOrder", customer="ada", amount=400, items=2),
    line("checkout", "o-2", "o-2-1", "PlaceOrder", customer="ada", amount=500, items=51),
    line("checkout", "o-3", "o-3-1", "PlaceOrder", customer="ada", amount=100, items=1),
    line("checkout", "o-3", "o-3-2", "CancelOrder"),
    line("account", "ada", "ada-3", "Withdraw", amount=50),
]


def sent() -> Sent:
    return read_sent(LINES)


def a_checkout(status: str, amount: int, items: int) -> State:
    return {"status": status, "customer": "ada", "amount": amount, "items": items, "reason": ""}


def good() -> States:
    return {
        ("checkout", "o-1"): a_checkout("approved", 400, 2),
        ("checkout", "o-2"): a_checkout("rejected", 500, 51),
        ("checkout", "o-3"): a_checkout("cancelled", 100, 1),
        ("ticket", "o-1"): {"status": "confirmed", "items": 2},
        ("ticket", "o-2"): {"status": "declined", "items": 51},
        ("ticket", "o-3"): {"status": "rejected", "items": 1},
        ("account", "ada"): {
            "deposited": 1_000, "balance": 550, "held": {}, "captured": 400, "withdrawn": 50, "blocked": False,
        },
    }  # fmt: skip


class JudgeTest(unittest.TestCase):
    def wrong(self, change: Callable[[Any], None]) -> str:
        """What is wrong after the change, in one text; it must not be unfinished."""
        states = copy.deepcopy(good())
        change(states)
        findings = judge(sent(), states)
        self.assertEqual(findings.unfinished, {})
        return "\n".join(findings.wrong)

    def test_good_states_are_good_and_counted(self) -> None:
        findings = judge(sent(), good())
        self.assertEqual((findings.wrong, findings.unfinished), ([], {}))
        self.assertEqual(findings.statuses, {"approved": 1, "rejected": 1, "cancelled": 1})
        self.assertEqual(
            findings.cents, {"deposited": 1_000, "balance": 550, "held": 0, "captured": 400, "withdrawn": 50}
        )

    def test_an_expired_order_is_as_good_as_a_cancelled_one(self) -> None:
        self.assertEqual(self.wrong(lambda s: s[("checkout", "o-3")].update(status="expired")), "")

    def test_a_lost_deposit(self) -> None:
        self.assertIn("it counts 700: LOST", self.wrong(lambda s: s[("account", "ada")].update(deposited=700, balance=250)))

    def test_a_deposit_applied_twice(self) -> None:
        told = self.wrong(lambda s: s[("account", "ada")].update(deposited=1_300, balance=850))
        self.assertIn("it counts 1300: APPLIED TWICE", told)

    def test_a_single_cent_that_is_gone(self) -> None:
        self.assertIn("make 999 cents, not 1000", self.wrong(lambda s: s[("account", "ada")].update(balance=549)))

    def test_money_captured_twice_or_never(self) -> None:
        told = self.wrong(lambda s: s[("account", "ada")].update(captured=800, balance=150))
        self.assertIn("800 cents captured, its approved orders cost 400", told)
        told = self.wrong(lambda s: s[("account", "ada")].update(captured=0, balance=950))
        self.assertIn("0 cents captured, its approved orders cost 400", told)

    def test_an_overdrawn_account(self) -> None:
        change = {"deposited": 1_000, "balance": -50, "captured": 400, "withdrawn": 650}
        self.assertIn("below zero", self.wrong(lambda s: s[("account", "ada")].update(change)))

    def test_more_withdrawn_than_was_asked_for(self) -> None:
        told = self.wrong(lambda s: s[("account", "ada")].update(withdrawn=100, balance=500))
        self.assertIn("100 cents withdrawn, 50 asked for", told)

    def test_money_held_for_an_order_of_nobody(self) -> None:
        told = self.wrong(lambda s: s[("account", "ada")].update(held={"o-9": 10}, balance=540))
        self.assertIn("holds money for ['o-9']", told)

    def test_a_lost_order_and_a_lost_account(self) -> None:
        self.assertIn("no checkout: LOST", self.wrong(lambda s: s.update({("checkout", "o-3"): None})))
        self.assertIn("it does not exist: LOST", self.wrong(lambda s: s.update({("account", "ada"): None})))

    def test_an_order_that_holds_something_else_than_was_placed(self) -> None:
        self.assertIn("its checkout holds", self.wrong(lambda s: s[("checkout", "o-3")].update(amount=101)))

    def test_a_cancellation_that_nobody_asked_for(self) -> None:
        self.assertIn("nobody cancelled it", self.wrong(lambda s: s[("checkout", "o-2")].update(status="cancelled")))

    def test_an_approved_order_that_the_kitchen_declines(self) -> None:
        told = self.wrong(lambda s: s[("checkout", "o-2")].update(status="approved"))
        self.assertIn("though the kitchen declines it", told)
        self.assertIn("its ticket is 'declined'", told)

    def test_tickets_that_do_not_agree(self) -> None:
        self.assertIn("its ticket is 'rejected'", self.wrong(lambda s: s[("ticket", "o-1")].update(status="rejected")))
        self.assertIn("its ticket is 'confirmed'", self.wrong(lambda s: s[("ticket", "o-3")].update(status="confirmed")))
        self.assertIn("its ticket is 'burnt'", self.wrong(lambda s: s[("ticket", "o-3")].update(status="burnt")))

    def test_an_impossible_status(self) -> None:
        self.assertIn("is 'none'", self.wrong(lambda s: s[("checkout", "o-3")].update(status="none")))

    def test_states_of_another_form_are_told_of(self) -> None:
        self.assertIn("another form", self.wrong(lambda s: s.update({("checkout", "o-3"): {"state": 1}})))
        self.assertIn("another form", self.wrong(lambda s: s[("account", "ada")].update(held=[1])))
        self.assertIn("another form", self.wrong(lambda s: s[("account", "ada")].update(balance="550")))

    def test_what_may_come_right_is_unfinished_and_not_wrong(self) -> None:
        for address, change in {
            ("checkout", "o-3"): {"status": "pending"},
            ("ticket", "o-1"): {"status": "created"},
            ("account", "ada"): {"held": {"o-1": 400}, "captured": 0},
        }.items():
            states: Any = good()
            states[address].update(change)
            findings = judge(sent(), states)
            self.assertEqual((findings.wrong, list(findings.unfinished)), ([], [address]))


class CheckTest(unittest.TestCase):
    def test_it_reads_again_until_all_is_final(self) -> None:
        early: Any = good()
        early[("ticket", "o-1")]["status"] = "created"
        answers = [early, early, good()]
        findings = check(sent(), lambda _: answers.pop(0))
        self.assertEqual((findings.wrong, answers), ([], []))

    def test_what_never_becomes_final_is_wrong(self) -> None:
        stuck: Any = good()
        stuck[("checkout", "o-3")]["status"] = "pending"
        findings = check(sent(), lambda _: stuck, settle_seconds=0.0)
        self.assertEqual(findings.wrong, ["order o-3 is pending after 0 s"])


class InputTest(unittest.TestCase):
    def test_bad_lines_are_named(self) -> None:
        for bad in ("{", "[]", line("checkout", "o", "1", "Nothing"), line("order", "o", "1", "PlaceOrder")):
            with self.assertRaisesRegex(CannotTell, "events:2: not a message of the saga"):
                read_sent([LINES[2], bad])
        with self.assertRaisesRegex(CannotTell, "events:2: id o-1-1 was seen before"):
            read_sent([LINES[2], LINES[2]])
        with self.assertRaisesRegex(CannotTell, "has no orders"):
            read_sent(LINES[:2])


class PlanTest(unittest.TestCase):
    def test_the_checker_reads_what_the_plan_sends(self) -> None:
        events = plan(400, seed=3)
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "events.jsonl"
            write_events(events, path)
            read = read_sent(path.read_text(encoding="utf-8").splitlines())
        self.assertEqual((read.messages, len(read.orders)), (len(events), 400))
        self.assertTrue(read.cancelled and read.withdrawals)
        self.assertTrue(any(order.items > KITCHEN_ITEMS_MAX for order in read.orders.values()))

    def test_a_seed_always_gives_the_same_and_each_key_counts_from_one(self) -> None:
        self.assertEqual(plan(50, seed=1), plan(50, seed=1))
        self.assertNotEqual(plan(50, seed=1), plan(50, seed=2))
        counted: dict[str, int] = {}
        for event in plan(200, seed=1):
            counted[event.order] = counted.get(event.order, 0) + 1
            self.assertEqual(event.seq, counted[event.order])


class ProgramTest(unittest.TestCase):
    """The whole program against a server that answers like a node."""

    def run_checker(self, states: States, more_nodes: Sequence[str] = ()) -> tuple[int, str]:
        answers = {f"/v1/entities/{kind}/{key}": state for (kind, key), state in states.items()}

        class Node(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                state = answers.get(self.path)
                body = json.dumps({"state": state}).encode()
                self.send_response(404 if state is None else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Node)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        said = io.StringIO()
        with tempfile.TemporaryDirectory() as directory, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            events = Path(directory) / "events.jsonl"
            events.write_text("\n".join(LINES), encoding="utf-8")
            nodes = [*more_nodes, f"http://127.0.0.1:{server.server_port}"]
            status = saga_checker.main(["--events", str(events), *(part for node in nodes for part in ("--node", node))])
        server.shutdown()
        server.server_close()
        return status, said.getvalue()

    def test_good_states_end_with_status_0(self) -> None:
        status, said = self.run_checker(good())
        self.assertEqual(status, 0, said)
        self.assertIn("every cent is accounted for", said)
        self.assertRegex(said, r"CENTS MISSING +0\b")

    def test_bad_states_end_with_status_1_and_an_example(self) -> None:
        states: Any = good()
        states[("account", "ada")]["balance"] -= 1
        status, said = self.run_checker(states)
        self.assertEqual(status, 1)
        self.assertIn("account ada", said)
        self.assertRegex(said, r"CENTS MISSING +1\b")

    def test_a_node_that_is_gone_is_passed_over(self) -> None:
        self.assertEqual(self.run_checker(good(), ["http://127.0.0.1:9"])[0], 0)

    def test_input_that_cannot_be_read_ends_with_status_2(self) -> None:
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            self.assertEqual(saga_checker.main(["--events", "nowhere.jsonl", "--node", "http://127.0.0.1:9"]), 2)
        self.assertIn("nowhere.jsonl", said.getvalue())


if __name__ == "__main__":
    unittest.main()
