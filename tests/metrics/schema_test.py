"""The dashboards against Grafana's own types (npm package @grafana/schema), so that no option is misspelt."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import unittest
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lint
from dashboards_test import dashboards
from reference import PROJECT

SOURCES = Path(__file__).resolve().parent / "schema"
FOLDER = PROJECT / "build" / "tools" / "grafana-schema"
_OPTIONS = ("--noEmit", "--skipLibCheck", "--strict", "--moduleResolution", "bundler", "--module", "esnext", "--target", "es2022")


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False, timeout=300)


def _compiler() -> Path:
    """The packages of package-lock.json, by their hashes; without running any script of theirs."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    compiler = FOLDER / "node_modules/.bin/tsc"
    lock = (SOURCES / "package-lock.json").read_bytes()
    installed = FOLDER / "package-lock.json"
    if not compiler.exists() or not installed.exists() or installed.read_bytes() != lock:
        npm = shutil.which("npm")
        if npm is None:
            raise FileNotFoundError("npm is missing; scripts/install-packages node installs it")
        shutil.copy(SOURCES / "package.json", FOLDER)
        shutil.copy(SOURCES / "package-lock.json", FOLDER)
        done = _run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        if done.returncode != 0:
            installed.unlink()  # the next run must not take it for done
            raise RuntimeError(f"npm ci: {done.stderr}")
    shutil.copy(SOURCES / "dashboard.ts", FOLDER)
    return compiler


def complaints(contents: Mapping[str, Any]) -> dict[str, str]:
    """What the compiler says of each, by the given names; one run for all."""
    compiler = _compiler()
    files = []
    for name, content in contents.items():
        path = FOLDER / f"{name}.ts"
        text = json.dumps(content, indent=1)
        path.write_text(
            f"import type {{ PawlDashboard }} from './dashboard';\nexport const d = {text} satisfies PawlDashboard;\n",
            encoding="utf-8",
        )
        files.append(path.name)
    lines = _run(compiler, *_OPTIONS, *files).stdout.splitlines()
    found = {name: "\n".join(line for line in lines if line.startswith(f"{name}.ts")) for name in contents}
    # Anything it says of no dashboard is about the types themselves.
    rest = [line for line in lines if not line.startswith((" ", *(f"{name}.ts" for name in contents)))]
    if rest:
        raise RuntimeError("\n".join(rest))
    return found


class SchemaTest(unittest.TestCase):
    def test_dashboards_are_of_the_type_that_grafana_publishes(self) -> None:
        found = complaints({Path(name).stem: content for name, content in dashboards().items()})
        self.assertEqual({name: text for name, text in found.items() if text}, {})

    def test_faults_are_found(self) -> None:
        good = dashboards()["shards.json"]
        panels = {panel["type"]: index for index, panel in enumerate(good["panels"])}
        changes = {
            "refresh-number": lambda d: d.update(refresh=30),
            "misspelt-place": lambda d: d["panels"][1].update(gridpos=d["panels"][1].pop("gridPos")),
            "unknown-kind": lambda d: d["panels"][1].update(type="speedometer"),
            "stat-option": lambda d: d["panels"][panels["stat"]]["options"].update(colorMode="rainbow"),
            "graph-option": lambda d: d["panels"][panels["timeseries"]]["options"]["legend"].update(placement="left"),
            "graph-style": lambda d: d["panels"][panels["timeseries"]]["fieldConfig"]["defaults"]["custom"].update(
                drawStyle="dots"
            ),
            "heatmap-option": lambda d: d["panels"][panels["heatmap"]]["options"]["color"].update(mode="rainbow"),
            "bars-option": lambda d: d["panels"][panels["bargauge"]]["options"].update(displayMode="neon"),
            "threshold": lambda d: lint.panels(d)[0]["fieldConfig"]["defaults"]["thresholds"].update(mode="relative"),
            "variable": lambda d: d["templating"]["list"][1].update(multi="no"),
        }
        broken = {}
        for name, change in changes.items():
            broken[name] = copy.deepcopy(good)
            change(broken[name])
        found = complaints(broken)
        self.assertEqual([name for name, text in found.items() if not text], [])


if __name__ == "__main__":
    unittest.main()
