"""The dashboards as files: as described, without faults, of metrics that exist. What they show: live_test.py."""

from __future__ import annotations

import copy
import json
import re
import unittest
from typing import Any

import lint
import promql
import reference
import yaml
from pawl_dashboards import __main__ as description
from reference import METRICS, PROJECT

GRAFANA = METRICS / "grafana"


def dashboards() -> dict[str, dict[str, Any]]:
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(GRAFANA.glob("*.json"))}


class DashboardsTest(unittest.TestCase):
    def test_are_what_their_description_says(self) -> None:
        paths = [str(path.relative_to(PROJECT)) for path in description.outdated()]
        self.assertEqual(paths, [], "run scripts/dashboards")

    def test_have_no_faults(self) -> None:
        known = reference.read()
        found = {name: lint.complaints(each, known) for name, each in dashboards().items()}
        self.assertEqual({name: list(texts) for name, texts in found.items() if texts}, {})
        self.assertEqual(len(found), 5)

    def test_show_every_metric(self) -> None:
        """One that no panel shows is looked at by nobody."""
        known = reference.read()
        targets = (target for each in dashboards().values() for panel in lint.panels(each) for target in panel["targets"])
        selectors = (selector for target in targets for selector in promql.selectors(target["expr"]))
        shown = {metric.name for metric in (known.find(selector.metric) for selector in selectors) if metric is not None}
        self.assertEqual(sorted(known.nodes.keys() - shown), [])

    def test_have_a_uid_of_their_own(self) -> None:
        uids = [each["uid"] for each in dashboards().values()]
        self.assertEqual(len(uids), len(set(uids)))


class ConfigurationTest(unittest.TestCase):
    def test_grafana_and_prometheus_agree_on_the_scrape_interval(self) -> None:
        source = yaml.safe_load((GRAFANA / "provisioning/datasources/pawl.yml").read_text())["datasources"][0]
        scraped = yaml.safe_load((METRICS / "prometheus/prometheus.yml").read_text())["global"]["scrape_interval"]
        self.assertEqual(source["jsonData"]["timeInterval"], scraped)
        self.assertEqual(source["type"], "prometheus")

    def test_every_node_gets_the_labels_that_queries_filter_by(self) -> None:
        for group in yaml.safe_load((METRICS / "prometheus/nodes.yml").read_text()):
            self.assertEqual(set(group["labels"]), {"cluster", "node"})
            self.assertEqual(len(group["targets"]), 1, "one node each: `node` names one")

    def test_the_provider_reads_files(self) -> None:
        provider = yaml.safe_load((GRAFANA / "provisioning/dashboards/pawl.yml").read_text())["providers"][0]
        self.assertEqual((provider["type"], provider["allowUiUpdates"]), ("file", False))


class LintTest(unittest.TestCase):
    """Each fault is found: what the lint lets pass it would let pass in a real dashboard."""

    def setUp(self) -> None:
        self.good = dashboards()["ordering.json"]
        self.known = reference.read()
        self.assertEqual(lint.complaints(self.good, self.known), [])

    def complaints(self, change: Any) -> str:
        broken = copy.deepcopy(self.good)
        change(broken)
        return "\n".join(lint.complaints(broken, self.known))

    def of_query(self, query: str, **more: Any) -> str:
        return self.complaints(lambda d: lint.panels(d)[0]["targets"][0].update(expr=query, **more))

    def test_of_the_frame(self) -> None:
        self.assertIn("no uid", self.complaints(lambda d: d.pop("uid")))
        self.assertIn("schemaVersion", self.complaints(lambda d: d.update(schemaVersion=38)))
        self.assertIn("no panels", self.complaints(lambda d: d.update(panels=[])))
        self.assertIn("no variable node", self.complaints(lambda d: d["templating"]["list"].pop(2)))

    def test_of_variables(self) -> None:
        def ask_for(query: str) -> str:
            return self.complaints(lambda d: d["templating"]["list"][1]["query"].update(query=query))

        self.assertIn("names no label", ask_for("label_values(pawl_nonsense, cluster)"))
        self.assertIn("names no label", ask_for("label_values(pawl_build_info, colour)"))

    def test_of_places(self) -> None:
        self.assertIn("of its own", self.complaints(lambda d: d["panels"][2].update(id=d["panels"][1]["id"])))
        self.assertIn("lies upon", self.complaints(lambda d: d["panels"][2].update(gridPos=d["panels"][1]["gridPos"])))
        self.assertIn("beyond", self.complaints(lambda d: d["panels"][1]["gridPos"].update(x=23)))

    def test_of_panels(self) -> None:
        self.assertIn("no title", self.complaints(lambda d: lint.panels(d)[0].update(title=" ")))
        self.assertIn("no description", self.complaints(lambda d: lint.panels(d)[0].pop("description")))
        self.assertIn("no unit", self.complaints(lambda d: lint.panels(d)[0]["fieldConfig"]["defaults"].pop("unit")))
        self.assertIn("no query", self.complaints(lambda d: lint.panels(d)[0].update(targets=[])))
        self.assertIn("data source", self.complaints(lambda d: lint.panels(d)[0].update(datasource={"uid": "mine"})))
        self.assertIn("no thresholds", self.complaints(lambda d: lint.panels(d)[0]["fieldConfig"]["defaults"].pop("thresholds")))

    def test_of_queries(self) -> None:
        chosen = 'cluster=~"$cluster",node=~"$node"'
        for query, fault in (
            (f"sum(rate(pawl_nonsense_total{{{chosen}}}[$__rate_interval]))", "not in METRICS.md"),
            (f"sum(pawl_commits_total{{{chosen}}})", "only ever rises"),
            (f"sum(rate(pawl_commits_total{{{chosen}}}[7m]))", "fixed window"),
            (f"sum(rate(pawl_members{{{chosen}}}[$__rate_interval]))", "is a gauge"),
            ('sum(pawl_members{node=~"$node"})', "by the variable cluster"),
            ('sum(pawl_members{cluster=~"$cluster"})', "by the variable node"),
            (f'sum(rate(pawl_messages_total{{{chosen},outcome="lost"}}[$__rate_interval]))', "METRICS.md does not"),
            (f'sum(rate(pawl_commits_total{{{chosen},shard="1"}}[$__rate_interval]))', "no label shard"),
            (f"sum by (colour) (pawl_members{{{chosen}}})", "groups by colour"),
            (f"sum(pawl_members{{{chosen},job=~\"$job\"}})", "no variable job"),
            ("1 + 1", "selects nothing"),
        ):
            with self.subTest(query):
                self.assertIn(fault, self.of_query(query))

    def test_of_legends(self) -> None:
        query = 'sum by (node) (pawl_members{cluster=~"$cluster",node=~"$node"})'
        self.assertEqual(self.of_query(query, legendFormat="{{node}}"), "")
        self.assertIn("does not group", self.of_query(query, legendFormat="{{shard}}"))


class PromqlTest(unittest.TestCase):
    def test_finds_what_a_query_selects(self) -> None:
        query = 'sum by (le) (rate(a_bucket{x="1",y=~"2|3"}[5m])) / on (le) (b > bool 0) or vector(0)'
        found = promql.selectors(query)
        self.assertEqual([each.metric for each in found], ["a_bucket", "b"])
        self.assertEqual(found[0].matchers, {"x": ("=", "1"), "y": ("=~", "2|3")})
        self.assertEqual((found[0].window, found[0].inside), ("5m", "rate"))
        self.assertEqual(promql.groupings(query), {"le"})

    def test_a_variable_without_a_value_is_an_error(self) -> None:
        self.assertEqual(promql.substitute('a{b=~"$b"}[$__range]', {"b": ".+", "__range": "1h"}), 'a{b=~".+"}[1h]')
        with self.assertRaises(KeyError):
            promql.substitute("$nonsense", {})

    def test_rate_interval_spans_four_scrapes_at_least(self) -> None:
        self.assertEqual(promql.rate_interval(15, 15), "60s")
        self.assertEqual(promql.rate_interval(120, 15), "135s")


def build_targets() -> set[str]:
    """The libraries a reader can link, which begin as our metrics do."""
    found = {
        name
        for file in PROJECT.glob("*/CMakeLists.txt")
        for name in re.findall(r"\bpawl_library\(\s*(pawl_[a-z0-9_]+)", file.read_text(encoding="utf-8"))
    }
    assert "pawl_testing" in found, "found no target in the CMakeLists.txt of the parts"
    return found


class ReferenceTest(unittest.TestCase):
    def test_knows_labels_with_their_values(self) -> None:
        self.assertEqual(reference.labels("`a`, `b` = x, y z"), {"a": (), "b": ("x", "y z")})
        self.assertEqual(reference.labels("–"), {})

    def test_every_metric_of_ours_has_our_prefix_and_a_known_type(self) -> None:
        for metric in reference.read().nodes.values():
            self.assertRegex(metric.name, r"^(pawl|process)_[a-z0-9_]+$")
            self.assertIn(metric.type, ("counter", "gauge", "histogram"))
            self.assertEqual(metric.name.endswith("_total"), metric.type == "counter", metric.name)

    def test_texts_name_only_metrics_that_exist(self) -> None:
        known = reference.read()
        others = build_targets() | {folder.name for folder in (PROJECT / "scripts").glob("pawl_*")}
        for page in ("metrics/RUNBOOK.md", "README.md"):
            for name in re.findall(r"\bpawl_[a-z0-9_]+\b", (PROJECT / page).read_text(encoding="utf-8")):
                if name in others:
                    continue
                self.assertIsNotNone(known.find(name), f"{page}: {name} is no metric, no build target and no folder of scripts")


if __name__ == "__main__":
    unittest.main()
