"""The checker's teeth: it must flag every way in which an order can end wrong, and nothing else."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import check_orders
from check_orders import FIRST_CHAIN, CannotTell, Event, Findings, compare, next_chain, replay

STEPS = ["OrderPurchased", "OrderApproved", "OrderShipped", "OrderDelivered"]


def an_order() -> list[Event]:
    payloads: list[dict[str, Any]] = [{"at": f"2024-01-0{day}T00:00"} for day in range(1, 5)]
    payloads[0]["customer"] = "ada"
    return [Event(f"o-{n}", name, payload) for n, (name, payload) in enumerate(zip(STEPS, payloads), start=1)]


def verdict(found: dict[str, Any] | None) -> tuple[int, int, int, int]:
    findings = Findings()
    compare("o", an_order(), found, findings)
    return findings.lost, findings.twice, findings.misplaced, findings.unexplained


class ChainTest(unittest.TestCase):
    def test_the_chain_is_fnv1a_over_previous_chain_and_id(self) -> None:
        # The published value of 64-bit FNV-1a for "foobar", reached in two parts.
        self.assertEqual(next_chain("foo", "bar"), "85944171f73967e8")

    def test_a_chain_has_sixteen_digits(self) -> None:
        self.assertEqual(len(next_chain(FIRST_CHAIN, "x")), 16)


class VerdictTest(unittest.TestCase):
    def test_a_right_order_is_right(self) -> None:
        self.assertEqual(verdict(replay(an_order())), (0, 0, 0, 0))

    def test_an_order_nobody_knows_has_lost_all_its_events(self) -> None:
        self.assertEqual(verdict(None), (4, 0, 0, 0))

    def test_one_dropped_is_lost(self) -> None:
        for index in range(4):
            with self.subTest(index=index):
                events = an_order()
                del events[index]
                self.assertEqual(verdict(replay(events)), (1, 0, 0, 0))

    def test_one_doubled_is_applied_twice_wherever_the_second_stands(self) -> None:
        for index in range(4):
            for at in range(index + 1, 5):
                with self.subTest(index=index, at=at):
                    events = an_order()
                    events.insert(at, events[index])
                    self.assertEqual(verdict(replay(events)), (0, 1, 0, 0))

    def test_two_swapped_are_out_of_order(self) -> None:
        for index in range(3):
            with self.subTest(index=index):
                events = an_order()
                events[index], events[index + 1] = events[index + 1], events[index]
                self.assertEqual(verdict(replay(events)), (0, 0, 1, 0))

    def test_one_dropped_and_one_doubled_are_both_seen_though_the_count_is_right(self) -> None:
        events = an_order()
        self.assertEqual(verdict(replay([events[0], events[0], events[2], events[3]])), (1, 1, 0, 0))

    def test_one_invented_is_not_explained(self) -> None:
        for at in range(5):
            with self.subTest(at=at):
                events = an_order()
                events.insert(at, Event("o-99", "OrderApproved", {"at": "2024-01-02T00:00"}))
                self.assertEqual(verdict(replay(events)), (0, 0, 0, 1))

    def test_a_right_chain_with_a_wrong_field_is_not_explained(self) -> None:
        for name in ("status", "customer", "shipped_at", "events"):
            with self.subTest(name):
                self.assertEqual(verdict({**replay(an_order()), name: 0})[3], 1)

    def test_a_state_without_chain_is_not_explained(self) -> None:
        self.assertEqual(verdict({"status": "delivered"})[3], 1)

    def test_a_field_that_no_event_sets_must_be_empty(self) -> None:
        self.assertEqual(verdict({**replay(an_order()), "cancel_reason": "status was canceled"})[3], 1)

    def test_a_cancelled_order_stays_cancelled(self) -> None:
        events = [Event("o-0", "OrderCancelled", {"at": "2024-01-01T00:00", "reason": "no stock"}), *an_order()]
        state = replay(events)
        self.assertEqual((state["status"], state["cancel_reason"], state["events"]), ("cancelled", "no stock", 5))
        self.assertEqual(state["delivered_at"], "2024-01-04T00:00")


class ProgramTest(unittest.TestCase):
    """The whole program against a server that answers with given states."""

    def setUp(self) -> None:
        self.states: dict[str, Any] = {"o": replay(an_order())}
        states = self.states

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                state = states.get(self.path.removeprefix("/v1/entities/order/"))
                body = json.dumps({"state": state}).encode()
                self.send_response(200 if state else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.events = Path(directory.name) / "events.jsonl"
        self.write(an_order())

    def write(self, events: list[Event]) -> None:
        lines = [json.dumps({"order": "o", "id": e.id, "message": e.message, "payload": e.payload}) for e in events]
        self.events.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def run_checker(self) -> tuple[int, str]:
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            node = f"http://127.0.0.1:{self.server.server_address[1]}"
            status = check_orders.main(["--events", str(self.events), "--node", node])
        return status, output.getvalue()

    def test_status_0_if_all_is_right(self) -> None:
        status, output = self.run_checker()
        self.assertEqual(status, 0, output)
        self.assertIn("exactly once, in order", output)

    def test_status_1_and_what_was_applied_if_not(self) -> None:
        events = an_order()
        self.states["o"] = replay([*events, events[1]])
        status, output = self.run_checker()
        self.assertEqual(status, 1)
        self.assertIn("applied were Purchased, Approved, Shipped, Delivered, Approved", output)

    def test_status_1_if_the_order_does_not_exist(self) -> None:
        self.states.clear()
        self.assertEqual(self.run_checker()[0], 1)

    def test_status_2_if_it_cannot_be_told(self) -> None:
        for text in ("", "no json\n", '{"order":"o"}\n', '{"order":"o","id":"1","message":"Odd","payload":{"at":""}}\n'):
            with self.subTest(text):
                self.events.write_text(text, encoding="utf-8")
                self.assertEqual(self.run_checker()[0], 2)

    def test_an_id_given_twice_in_the_input_is_an_error(self) -> None:
        self.write([*an_order(), an_order()[0]])
        with self.assertRaises(CannotTell):
            check_orders.read_events(self.events)


if __name__ == "__main__":
    unittest.main()
