"""Writes metrics/grafana/*.json anew, or with --check only says which of them are out of date."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .ordering import ORDERING
from .orders import ORDERS
from .overview import OVERVIEW
from .shards import SHARDS
from .store import STORE

DASHBOARDS = (OVERVIEW, ORDERING, SHARDS, STORE, ORDERS)
FOLDER = Path(__file__).resolve().parents[2] / "metrics" / "grafana"


def texts() -> dict[Path, str]:
    """What each file has to hold."""
    return {
        FOLDER / f"{dashboard.name}.json": json.dumps(dashboard.json(), indent=2, ensure_ascii=False) + "\n"
        for dashboard in DASHBOARDS
    }


def outdated() -> list[Path]:
    """Files that are missing, differ, or belong to no dashboard."""
    wanted = texts()
    found = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    return sorted(path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path))


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev dashboards", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; status 1 if a file is out of date")
    options = parser.parse_args()
    paths = outdated()
    for path in paths:
        print(f"{path.relative_to(FOLDER.parents[1])} {'is out of date' if options.check else 'written'}")
        if options.check:
            continue
        text = texts().get(path)
        if text is None:
            path.unlink()
        else:
            path.write_text(text, encoding="utf-8")
    return 1 if options.check and paths else 0


if __name__ == "__main__":
    sys.exit(main())
