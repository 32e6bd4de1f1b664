"""What is made of a benchmark's figures: medians, comparison of two runs, tables and the picture."""

from __future__ import annotations

import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

from pawl_bench import compare, plot, report, results
from pawl_bench.figures import Measurement
from pawl_bench.results import Results
from pawl_demo.errors import DemoError


def door(*rates: float) -> Measurement:
    return Measurement("main", "pawl, one process", "1,000 orders", [{"messages_per_s": rate} for rate in rates])


def by_hand(*rates: float) -> Measurement:
    subject = "redis streams by hand, pipelined"
    return Measurement("main", subject, "1,000 orders", [{"messages_per_s": rate} for rate in rates])


def latency() -> Measurement:
    figures = {"messages_per_s": 20_000.0, "p50_ms": 0.1, "p99_ms": 1.5, "p99_9_ms": 12.0}
    return Measurement("latency", "pawl, one process", "20,000/s <single>", [figures])


class MeasurementTest(unittest.TestCase):
    def test_one_odd_round_does_not_move_the_median(self) -> None:
        self.assertEqual(door(100, 110, 1).median("messages_per_s"), 100)
        self.assertEqual(door(100, 110, 1).spread("messages_per_s"), (1, 110))

    def test_a_figure_nobody_measured_has_no_median(self) -> None:
        self.assertIsNone(door(100).median("p50_ms"))
        self.assertIsNone(door(100).spread("p50_ms"))


class ResultsTest(unittest.TestCase):
    def test_what_is_written_can_be_read(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            path = Results({"commit": "abc"}, [door(1, 2, 3)]).write(Path(directory))
            self.assertEqual(results.latest(Path(directory)), path)
            again = results.read(path)
        self.assertEqual(again.machine, {"commit": "abc"})
        self.assertEqual(again.measurements, [door(1, 2, 3)])

    def test_another_file_is_refused_with_a_sentence(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "other.json"
            for content in ("", "[]", '{"format": 1}', '{"format": 0}'):
                path.write_text(content)
                with self.assertRaises(DemoError):
                    results.read(path)


class CompareTest(unittest.TestCase):
    def test_takes_the_figures_that_both_runs_have(self) -> None:
        old = Results({}, [door(100, 100, 100), by_hand(10)])
        new = Results({}, [door(150, 140, 160), latency()])
        self.assertEqual(
            compare.ratios(old, new), [("main: pawl, one process, 1,000 orders", "messages_per_s", 100, 150)]
        )
        self.assertIn("1.50 x", compare.render(old, new))

    def test_names_a_machine_that_differs(self) -> None:
        text = compare.render(Results({"processor": "2 x old"}, [door(1)]), Results({"processor": "2 x new"}, [door(1)]))
        self.assertIn("not the same processor: 2 x old; now 2 x new", text)

    def test_says_so_when_nothing_is_common(self) -> None:
        self.assertIn("nothing in common", compare.render(Results({}, [door(1)]), Results({}, [latency()])))


class ReportTest(unittest.TestCase):
    def test_shows_medians_and_the_ratio_to_the_hand_written_system(self) -> None:
        text = report.tables([door(150_000, 140_000, 160_000), by_hand(10_000, 10_000, 10_000)])
        row = next(line for line in text.splitlines() if line.startswith("pawl, one process"))
        self.assertIn("150,000", row)
        self.assertIn("140,000 .. 160,000", row)
        self.assertIn("15.00 x", row)

    def test_rows_of_the_workflow_have_columns_of_their_own(self) -> None:
        relayed = Measurement("workflow", "message passed on", "x", [{"per_s": 90_000.0, "times_direct": 1.5}])
        timer = Measurement("workflow", "timer", "x", [{"per_s": 50_000.0, "redis_bytes": 123.0}])
        head, first, second = report.tables([relayed, timer]).splitlines()[2:]
        self.assertEqual(head.split(), ["per", "s", "x", "direct", "redis", "bytes"])
        self.assertEqual(first.split()[-3:], ["90,000", "1.50", "-"])
        self.assertEqual(second.split()[-3:], ["50,000", "-", "123"])

    def test_leaves_out_columns_without_figures(self) -> None:
        self.assertNotIn("client", report.tables([door(1)]))

    def test_says_what_else_ran(self) -> None:
        busy = Measurement("main", "pawl", "x", [{"others_cores": 0.5}, {"others_cores": 1.5}, {"others_cores": 0.25}])
        self.assertIn("0.50 cores", report.disturbance([busy]))
        self.assertIn("1.50 at most", report.disturbance([busy]))


class PlotTest(unittest.TestCase):
    def test_draws_a_bar_per_subject_and_a_dot_per_quantile(self) -> None:
        text = plot.draw(Results({"date": "today"}, [door(150, 160, 170), by_hand(10), latency()]))
        picture = xml.etree.ElementTree.fromstring(text)
        tag = "{http://www.w3.org/2000/svg}"
        bars = [rect for rect in picture.iter(f"{tag}rect") if rect.get("height") != "100%"]
        self.assertEqual(len(bars), 2)
        self.assertGreater(float(bars[0].get("width", "0")), 10 * float(bars[1].get("width", "0")))
        self.assertEqual(len(list(picture.iter(f"{tag}circle"))), 3)

    def test_text_is_escaped(self) -> None:
        self.assertIn("20,000/s &lt;single&gt;", plot.draw(Results({}, [latency()])))

    def test_a_run_without_these_parts_is_an_empty_picture(self) -> None:
        xml.etree.ElementTree.fromstring(plot.draw(Results({}, [])))


if __name__ == "__main__":
    unittest.main()
