"""The simulator as a program: the same seed is the same run, and a failure says how to see it again."""

from __future__ import annotations

import os
import subprocess
import unittest
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent
_PROGRAM = Path(os.environ.get("PAWL_SIM", _ROOT / "build" / "dev" / "tests" / "pawl_sim"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([_PROGRAM, *arguments], capture_output=True, text=True, check=False)


@unittest.skipUnless(_PROGRAM.exists(), "pawl_sim is not built")
class Simulator(unittest.TestCase):
    def test_the_same_seed_is_the_same_run(self) -> None:
        for seed in ("1", "7", "42"):
            first, second = run("--seed", seed, "--verbose"), run("--seed", seed, "--verbose")
            self.assertEqual(first.returncode, 0, first.stdout[-2000:])
            self.assertGreater(first.stdout.count("\n"), 50)
            self.assertEqual(first.stdout, second.stdout)

    def test_other_seeds_are_other_runs(self) -> None:
        self.assertNotEqual(run("--seed", "1", "--verbose").stdout, run("--seed", "2", "--verbose").stdout)

    def test_a_failure_names_rule_seed_and_replay_and_the_replay_fails_alike(self) -> None:
        failed = run("--seeds", "2000", "--jobs", "1", "--mode", "safety", "--break", "no-fence")
        self.assertEqual(failed.returncode, 1)
        replay = next(line for line in failed.stdout.splitlines() if line.startswith("replay: ./dev sim "))
        again = run(*replay.removeprefix("replay: ./dev sim ").split())
        self.assertEqual(again.returncode, 1)
        wanted = next(line for line in failed.stdout.splitlines() if line.startswith("FAILED seed"))
        self.assertIn(wanted, again.stdout)

    def test_one_failing_seed_is_shrunk(self) -> None:
        failed = run("--seeds", "2000", "--jobs", "1", "--mode", "safety", "--break", "no-fence")
        seed = next(line for line in failed.stdout.splitlines() if line.startswith("FAILED")).split()[2]
        shrunk = run("--seed", seed, "--mode", "safety", "--break", "no-fence")
        self.assertEqual(shrunk.returncode, 1)
        self.assertIn("shrunk: ", shrunk.stdout)

    def test_bad_options_are_refused(self) -> None:
        self.assertNotEqual(run("--mode", "fast").returncode, 0)
        self.assertNotEqual(run("--break", "everything").returncode, 0)


if __name__ == "__main__":
    unittest.main()
