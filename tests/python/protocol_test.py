"""cluster/PROTOCOL.md is kept to what is tested: each row's test exists, each rule is named by a test."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent
_PROTOCOL = (_ROOT / "cluster" / "PROTOCOL.md").read_text(encoding="utf-8")
_TESTS = {
    path: path.read_text(encoding="utf-8")
    for folder in ("unit", "contract", "cluster", "sim", "models")
    for path in (_ROOT / "tests" / folder).rglob("*")
    if path.is_file()
}


def section(title: str) -> str:
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", _PROTOCOL, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title}"
    return found.group(1)


class Rows(unittest.TestCase):
    def test_each_row_of_shard_router_and_sequenced_types_names_a_test_that_exists(self) -> None:
        existing = {
            f"{suite}.{name}"
            for text in _TESTS.values()
            for suite, name in re.findall(r"TEST(?:_F)?\((\w+),\s*(\w+)\)", text)
        }
        for title in ("Shard", "Router"):
            rows = [line for line in section(title).splitlines() if line.count("|") == 6]
            for row in rows[2:]:
                named = re.findall(r"`(\w+\.\w+)` \|$", row)
                self.assertEqual(len(named), 1, f"the row names no test: {row}")
                self.assertIn(named[0], existing, row)
        rows = [line for line in section("Sequenced types").splitlines() if line.startswith("|") and not line.startswith("|---")]
        named = [re.findall(r"`(\w+\.\w+)` \|$", row) for row in rows]
        self.assertEqual(sum(not n for n in named), 2, "the heads of two tables name no test, all rows do")
        for row, names in zip(rows, named):
            self.assertLessEqual(set(names), existing, row)


class Rules(unittest.TestCase):
    def test_each_rule_is_named_by_a_test(self) -> None:
        rules = re.findall(r"^\| ([A-D]\d+) \|", section("Rules"), re.MULTILINE)
        self.assertGreater(len(rules), 20)
        for rule in rules:
            named = any(re.search(rf"\b{rule}\b", text) for text in _TESTS.values())
            self.assertTrue(named, f"no test names rule {rule}")


if __name__ == "__main__":
    unittest.main()
