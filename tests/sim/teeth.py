"""Deliberately broken builds: each must be caught by the simulator within so many seeds.

A tooth is a safeguard taken out of the source, or out of the simulated store (`--break`). Run by ./dev teeth.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent
_WORK = _ROOT / "build" / "teeth"
_PARTS = ("CMakeLists.txt", "CMakePresets.json", "cmake", "actors", "cli", "cluster", "metrics", "persistence", "examples", "tests")


@dataclass(frozen=True)
class Edit:
    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Tooth:
    name: str
    within: int
    edits: tuple[Edit, ...] = ()
    flaw: str = "none"


# Flaws of the store first: they run the sound program.
TEETH = (
    Tooth("no fence", 2_000, flaw="no-fence"),
    Tooth("epoch instead of token", 2_000, flaw="epoch-token"),
    Tooth("release that can free a later claim", 2_000, flaw="release-any"),
    Tooth("nil of a dead name taken for a new entity", 10_000, flaw="nil-of-dead-name"),
    Tooth("unguarded sweep", 2_000, flaw="unguarded-sweep"),
    Tooth(
        "token kept after an unknown outcome",
        2_000,
        (
            Edit(
                "cluster/claim.cpp",
                "  connected_ = up;\n  if (state_ == state::lost) return {};\n",
                "  connected_ = up;\n  if (state_ == state::lost || state_ == state::held) return {};\n",
            ),
            Edit(
                "actors/shard_ownership.cpp",
                "  carry_out(claim_.on_connection(number != 0, now), out, now);\n",
                "  carry_out(claim_.on_connection(number != 0, now), out, now);\n"
                "  if (number != 0 && batch_ && claim_.may_commit()) send_commit(out, now);\n",
            ),
            Edit(
                "actors/shard.cpp",
                "  metrics_.commits_unknown.add();\n",
                "  if (!std::holds_alternative<commit_answer>(a.body)) return;\n  metrics_.commits_unknown.add();\n",
            ),
        ),
    ),
    Tooth(
        "early acknowledgement",
        2_000,
        (
            Edit(
                "actors/shard.cpp",
                "      send_commit(out, now);\n      return;\n    }\n    batch_->undo(frames_);",
                "      send_commit(out, now);\n"
                "      for (auto& f : frames_)\n"
                "        if (f.finished())\n"
                "          out.answers.push_back({f.from, {id_, f.contents.number, claim_.view_of_placement(), f.results}});\n"
                "      return;\n    }\n    batch_->undo(frames_);",
            ),
        ),
    ),
    Tooth(
        "ids not loaded",
        2_000,
        (
            Edit(
                "actors/shard_memory.cpp",
                "  if (fields.empty()) return ready(out, now);\n  groups_ticket_ = ask(out, load_fields{claim_.token(), std::move(fields)});\n",
                "  return ready(out, now);\n",
            ),
        ),
    ),
    Tooth(
        "retention of one id",
        2_000,
        (
            Edit(
                "persistence/processed_set.cpp",
                "    if (found == nullptr) continue;\n",
                "    if (found == nullptr || tail_.empty() || tail_.back().bytes != found->bytes) continue;\n",
            ),
        ),
    ),
    Tooth(
        "duplicate acknowledged before its barrier",
        2_000,
        (
            Edit(
                "actors/batch.cpp",
                "    // Earlier in this very batch: it shares the fate of that one.\n    depends = true;\n",
                "    // Earlier in this very batch: it shares the fate of that one.\n",
            ),
        ),
    ),
    Tooth(
        "handoff that drops its buffer",
        2_000,
        (
            Edit(
                "actors/lane.cpp",
                "    if (under_way_ != 0 && route_ != under_way_to_) lose_frame();\n",
                "    if (under_way_ != 0 && route_ != under_way_to_) lose_frame();\n    queue_.clear();\n    under_way_ = 0;\n",
            ),
        ),
    ),
    Tooth(
        "two frames per shard in flight",
        2_000,
        (
            Edit(
                "actors/lane.cpp",
                "  if (under_way_ != 0 || !route_ || queue_.empty() || not_before_) return;\n",
                "  if (under_way_ != 0 && queue_.size() > under_way_ && route_ && *route_ != 0) {\n"
                "    frame second;\n"
                "    second.shard = shard_;\n"
                "    second.view = view_;\n"
                "    for (auto i = under_way_; i < queue_.size(); ++i) {\n"
                "      second.messages.push_back(queue_[i].msg);\n"
                "      second.blocks.push_back(queue_[i].from->request->block());\n"
                "    }\n"
                "    out.send = std::move(second);\n"
                "    return;\n"
                "  }\n"
                "  if (under_way_ != 0 || !route_ || queue_.empty() || not_before_) return;\n",
            ),
        ),
    ),
    Tooth(
        "a message given up, but not those behind it",
        2_000,
        (
            Edit("actors/lane.cpp", "  if (!given_up.empty()) block_behind(out, again, given_up);\n", ""),
            Edit("actors/lane.cpp", "  block_behind(out, 0, keys);\n", ""),
        ),
    ),
    Tooth(
        "no prefix rule at the owner",
        2_000,
        (
            Edit(
                "actors/batch.cpp",
                "  if (!resolved(result->kind)) f.leave_unresolved(m, result->code);\n",
                "  if (!resolved(result->kind)) {\n    if (f.in_one_order()) f.leave_unresolved(m, result->code);\n  }\n",
            ),
        ),
    ),
    Tooth(
        "floor not stored",
        2_000,
        (Edit("persistence/frontier.cpp", "    w.i64(g.floor);\n", "    w.i64(0);\n"),),
    ),
    Tooth(
        "memory kept under a foreign token",
        2_000,
        (
            Edit(
                "cluster/claim.cpp",
                "  if (!is_own(r.token)) own_tokens_.clear();\n",
                "  if (!is_own(r.token) && !own_tokens_.empty()) own_tokens_.push_back(r.token);\n",
            ),
        ),
    ),
    Tooth(
        "message to another shard relayed before its commit",
        2_000,
        (
            Edit(
                "actors/shard.cpp",
                "      send_commit(out, now);\n      return;\n    }\n    batch_->undo(frames_);",
                "      send_commit(out, now);\n"
                "      carry_out(relay_.added(books_.sends, books_.confirm(), now), out);\n"
                "      return;\n    }\n    batch_->undo(frames_);",
            ),
        ),
    ),
    Tooth(
        "messages of a message between entities left out",
        2_000,
        (
            Edit(
                "actors/batch.cpp",
                "  if (done.effects) carry_out(r, std::move(*done.effects), result, now);\n",
                "  if (done.effects && m.id.starts_with(\"shard/\")) done.effects->sends.clear();\n"
                "  if (done.effects) carry_out(r, std::move(*done.effects), result, now);\n",
            ),
        ),
    ),
    Tooth(
        "mark of a source not loaded",
        2_000,
        (Edit("actors/shard_books.cpp", "    else if (!marks.load(i, *v)) return \"the mark of a source is damaged\";\n", "    else marks.load_nothing(i);\n"),),
    ),
    Tooth(
        "mark of a source not stored with the effect",
        2_000,
        (Edit("actors/shard_books.cpp", "  marks.seal(out);\n", "  field_list apart;\n  marks.seal(apart);\n"),),
    ),
    Tooth(
        "fired timer still stored",
        2_000,
        (Edit("actors/timer_book.cpp", "      out.add(slot_field(kind, timers_.at(*c.was).slot), {});\n", ""),),
    ),
    Tooth(
        "timer not stored",
        2_000,
        (Edit("actors/timer_book.cpp", "      out.add(slot_field(kind, *c.slot), stored(*c.becomes));\n", "      (void)stored(*c.becomes);\n"),),
    ),
    Tooth(
        "reply not stored",
        2_000,
        (Edit("actors/batch_commit.cpp", "  for (const auto& [id, reply] : room_.replies) fields.add(reply_field(id), *reply);\n", ""),),
    ),
    Tooth(
        "position of the inbox not stored",
        2_000,
        (Edit("actors/batch_commit.cpp", "  if (inbox_) sealed_.inbox = *inbox_;\n", ""),),
    ),
    Tooth(
        "inbox goes on past what was not taken",
        2_000,
        (Edit("actors/batch.cpp", "  else if (!f.inbox.empty()) inbox_ =", "  if (!f.inbox.empty()) inbox_ ="),),
    ),
    Tooth(
        "early message handled before the missing one",
        2_000,
        (Edit("actors/batch_numbers.cpp", "  if (m.seq > last() + 1 ||", "  if ((m.seq > last() + 1 && !f.has_sender()) ||"),),
    ),
    Tooth(
        "early message acknowledged when it is held",
        2_000,
        (
            Edit(
                "actors/batch_numbers.cpp",
                "  case held_messages::outcome::held: text +=",
                "  case held_messages::outcome::held: return {result_kind::duplicate, reason_code::none, {}};\n"
                "    text +=",
            ),
        ),
    ),
    Tooth(
        "number of an entity not loaded",
        2_000,
        (Edit("actors/shard_memory.cpp", "  r.last_seq = stored->last_seq;\n", ""),),
    ),
    Tooth(
        "number of a refused message not used up",
        2_000,
        (
            Edit(
                "actors/batch_numbers.cpp",
                "  depends = true;\n  use_number(*r, m.seq);\n",
                "  depends = true;\n  if (result->kind == result_kind::applied) use_number(*r, m.seq);\n",
            ),
        ),
    ),
    Tooth(
        "gap passed without its letter",
        2_000,
        (Edit("actors/batch_numbers.cpp", "  if (!resolved(noted.kind)) return noted;\n", "  books_.letters.drop();\n"),),
    ),
    Tooth(
        "read answered without a barrier",
        2_000,
        (
            Edit(
                "actors/shard_memory.cpp",
                "  if (a.outcome != store_outcome::done) {\n    if (a.outcome == store_outcome::unknown) load_max_",
                "  if (a.outcome == store_outcome::refused) {\n    if (a.outcome == store_outcome::unknown) load_max_",
            ),
        ),
    ),
)


def build(source: Path, tree: Path) -> None:
    subprocess.run(["cmake", "--preset", "dev", "-S", source, "-B", tree], cwd=source, check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run(["cmake", "--build", tree, "--target", "pawl_sim"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError("a broken build must still compile:\n" + done.stdout[-3000:] + done.stderr[-1000:])


def caught(program: Path, tooth: Tooth) -> tuple[int | None, str]:
    """Within how many seeds, and by which rule."""
    command = [program, "--seeds", str(tooth.within), "--break", tooth.flaw]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    found = [(int(seed), rule) for seed, rule in re.findall(r"FAILED seed (\d+) \(\w+\): (.*)", text)]
    found += [(int(seed), "broken invariant") for seed in re.findall(r"aborted at seed (\d+)", text)]
    return min(found) if done.returncode != 0 and found else (None, "")


def copy_changed(origin: Path, to: Path) -> None:
    """By content: a build tree from before must see a file that was put back as changed, and no other."""
    if origin.is_dir():
        to.mkdir(parents=True, exist_ok=True)
        for part in origin.iterdir():
            if part.name != "__pycache__":
                copy_changed(part, to / part.name)
    elif not to.exists() or to.read_bytes() != origin.read_bytes():
        shutil.copyfile(origin, to)


def main() -> int:
    source, tree = _WORK / "source", _WORK / "tree"
    source.mkdir(parents=True, exist_ok=True)
    for part in _PARTS:
        copy_changed(_ROOT / part, source / part)
    build(source, tree)
    program = tree / "tests" / "pawl_sim"
    failed = 0
    print(f"{'taken out':<46} {'caught at seed':>14}  {'of':>6}  as")
    for tooth in TEETH:
        begun = time.monotonic()
        kept = {edit.file: (source / edit.file).read_text(encoding="utf-8") for edit in tooth.edits}
        for edit in tooth.edits:
            text = (source / edit.file).read_text(encoding="utf-8")
            if text.count(edit.old) != 1:
                raise RuntimeError(f"{tooth.name}: the place in {edit.file} is not there any more:\n{edit.old}")
            (source / edit.file).write_text(text.replace(edit.old, edit.new), encoding="utf-8")
        if tooth.edits:
            build(source, tree)
        seed, rule = caught(program, tooth)
        for file, text in kept.items():
            (source / file).write_text(text, encoding="utf-8")
        failed += seed is None
        shown = "NOT CAUGHT" if seed is None else str(seed)
        print(f"{tooth.name:<46} {shown:>14}  {tooth.within:>6}  {rule} ({time.monotonic() - begun:.0f} s)", flush=True)
    print(f"{len(TEETH) - failed} of {len(TEETH)} broken builds are caught.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
