"""The rules: Prometheus takes them, every alert fires when it should and is silent when it should, and has a runbook."""

from __future__ import annotations

import json
import re
import tempfile
import unittest
from pathlib import Path
from typing import Any

import promql
import reference
import tools
import yaml
from alert_cases import CASES, Case, Series
from reference import METRICS, PROJECT

RULES = sorted((METRICS / "rules").glob("*.yml"))


def rules() -> list[dict[str, Any]]:
    groups = (group for path in RULES for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"])
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def anchors(page: Path) -> set[str]:
    """The sections of a page, as links name them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def unit_test(alert: str, case: Case, series: Series, fires: bool) -> dict[str, Any]:
    """A test as promtool reads it. What fires is read from the series that Prometheus keeps of alerts."""
    severity = alerts()[alert]["labels"]["severity"]
    labels = {"alertname": alert, "alertstate": "firing", **case.labels, "severity": severity}
    shown = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    return {
        "name": f"{alert} {'fires' if fires else 'is silent'}",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{alert}",alertstate="firing"}}',
                "eval_time": case.at,
                "exp_samples": [{"labels": f"ALERTS{{{shown}}}", "value": 1}] if fires else [],
            }
        ],
    }


class RulesTest(unittest.TestCase):
    def test_promtool_takes_rules_and_configuration(self) -> None:
        for arguments in (("check", "rules", *RULES), ("check", "config", METRICS / "prometheus/prometheus.yml")):
            done = tools.promtool(*arguments)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertNotIn("warning", (done.stdout + done.stderr).lower())

    def test_every_alert_has_its_two_cases(self) -> None:
        self.assertEqual(sorted(CASES), sorted(alerts()))
        self.assertGreater(len(CASES), 20)

    def test_every_alert_fires_and_is_silent_as_its_cases_say(self) -> None:
        tests = []
        for alert, case in CASES.items():
            tests.append(unit_test(alert, case, case.firing, fires=True))
            tests.append(unit_test(alert, case, case.silent, fires=False))
        done = self.run_promtool(tests)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_wrong_expectation_is_noticed(self) -> None:
        for fires in (True, False):
            case = CASES["PawlStoreDown"]
            test = unit_test("PawlStoreDown", case, case.silent if fires else case.firing, fires)
            self.assertNotEqual(self.run_promtool([test]).returncode, 0, test["name"])

    def run_promtool(self, tests: list[dict[str, Any]]) -> Any:
        with tempfile.TemporaryDirectory(prefix="pawl-rules-") as directory:
            # JSON is YAML, and needs no quoting of ours.
            path = Path(directory) / "tests.yml"
            content = {"rule_files": [str(rule) for rule in RULES], "evaluation_interval": "1m", "tests": tests}
            path.write_text(json.dumps(content), encoding="utf-8")
            return tools.promtool("test", "rules", path)

    def test_every_alert_says_what_and_how_bad_and_what_to_do(self) -> None:
        sections = anchors(METRICS / "RUNBOOK.md")
        for name, rule in alerts().items():
            with self.subTest(name):
                self.assertIn(rule["labels"]["severity"], ("critical", "warning"))
                self.assertTrue(rule["annotations"]["summary"])
                page, _, section = rule["annotations"]["runbook"].partition("#")
                self.assertEqual(page, "RUNBOOK.md")
                self.assertIn(section, sections)
                self.assertEqual(section, name.lower())

    def test_the_runbook_has_no_section_of_an_alert_that_is_gone(self) -> None:
        named = {section for section in anchors(METRICS / "RUNBOOK.md") if section.startswith("pawl")}
        self.assertEqual(named, {name.lower() for name in alerts()})

    def test_the_runbook_types_only_what_exists(self) -> None:
        text = (METRICS / "RUNBOOK.md").read_text(encoding="utf-8")
        manual = (PROJECT / "cli/pawl.1").read_text(encoding="utf-8")
        commands = set(re.findall(r"^\.It Cm (\w+)", manual, re.MULTILINE))
        typed = set(re.findall(r"(?:`|^    )pawl ([a-z]+)", text, re.MULTILINE))
        self.assertGreater(len(typed), 5)
        self.assertLessEqual(typed, commands)
        options = set(re.findall(r"`pawl [^`]*?--([a-z-]+)", text)) | {"unserved"}
        self.assertLessEqual(options, set(re.findall(r"Fl -([a-z-]+)", manual)))
        readme = (PROJECT / "README.md").read_text(encoding="utf-8")
        settings = set(re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", readme, re.MULTILINE))
        named = set(re.findall(r"`((?:node|http|peers|redis|cluster|messages|entities|runtime|log)\.[a-z_]+)`", text))
        self.assertGreater(len(named), 5)
        self.assertLessEqual(named, settings)

    def test_the_runbook_quotes_reasons_that_nodes_give(self) -> None:
        """What `pawl shards` says a shard waits for: README.md lists them all."""
        readme = (PROJECT / "README.md").read_text(encoding="utf-8")
        for reason in (
            "a handler has not returned",
            "no member may own it",
            "stopped; see the log",
            "being claimed here (waiting)",
            "no link to n3",
            "owner n3 does not answer",
        ):
            self.assertIn(f"`{reason}`", readme)
            self.assertIn(f"`{reason}`", (METRICS / "RUNBOOK.md").read_text(encoding="utf-8"))

    def test_summaries_use_labels_that_the_alert_has(self) -> None:
        for name, rule in alerts().items():
            used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
            self.assertLessEqual(used, set(CASES[name].labels), name)

    def test_rules_use_only_what_is_documented(self) -> None:
        known = reference.read()
        recorded = {rule["record"] for rule in rules() if "record" in rule}
        self.assertEqual(recorded, known.recorded)
        for rule in rules():
            for selector in promql.selectors(rule["expr"]):
                with self.subTest(rule.get("alert", rule.get("record")), metric=selector.metric):
                    if selector.metric in recorded:
                        continue
                    metric = known.find(selector.metric)
                    self.assertIsNotNone(metric)
                    for label, (how, value) in selector.matchers.items():
                        values = metric.labels.get(label) if metric else None
                        if values and how in ("=", "=~"):
                            self.assertLessEqual(set(value.split("|")), set(values))


if __name__ == "__main__":
    unittest.main()
