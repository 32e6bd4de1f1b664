"""The file that a run leaves: machine, settings and every figure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pawl_demo.errors import DemoError

from .figures import Measurement, from_json

_FORMAT = 1


@dataclass(frozen=True)
class Results:
    machine: dict[str, str]
    measurements: list[Measurement]

    def write(self, directory: Path) -> Path:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{datetime.now():%Y-%m-%d-%H%M%S}.json"
        content = {
            "format": _FORMAT,
            "machine": self.machine,
            "measurements": [row.as_json() for row in self.measurements],
        }
        path.write_text(json.dumps(content, indent=1) + "\n")
        return path


def read(path: Path) -> Results:
    try:
        content = json.loads(path.read_text())
        if content["format"] != _FORMAT:
            raise DemoError(f"{path}: written by another version of the benchmark (format {content['format']})")
        return Results(content["machine"], from_json(content["measurements"]))
    except OSError as error:
        raise DemoError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DemoError(f"{path} is no file of benchmark results: {error!r}") from error


def latest(directory: Path) -> Path:
    files = sorted(directory.glob("*.json"))
    if not files:
        raise DemoError(f"there are no results in {directory}; ./dev bench writes them")
    return files[-1]
