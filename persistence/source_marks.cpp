#include "persistence/source_marks.hpp"

#include "cluster/bytes.hpp"
#include "cluster/invariant.hpp"

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

constexpr std::uint8_t format = 1;
constexpr std::string_view shard_prefix = "shard/";

}  // namespace

std::string shard_source(std::uint32_t shard) { return std::string{shard_prefix} + std::to_string(shard); }
bool is_shard_source(std::string_view source) noexcept { return source.starts_with(shard_prefix); }

bool source_mark::covers(const position& p) const noexcept {
  if (p == position{}) return !dropped;
  return std::any_of(lines.begin(), lines.end(),
                     [&p](const position& end) { return end.line == p.line && p.number <= end.number; });
}

void source_mark::advance(const position& to, std::uint64_t content_there) {
  auto known = std::find_if(lines.begin(), lines.end(), [&to](const position& end) { return end.line == to.line; });
  if (known != lines.end()) lines.erase(known);
  lines.insert(lines.begin(), to);
  if (lines.size() > limits::lines_per_source) {
    lines.pop_back();
    dropped = true;
  }
  content = content_there;
}

const source_mark& source_marks::confirmed(std::string_view source) const noexcept {
  static const source_mark none;
  auto it = marks_.find(source);
  return it == marks_.end() ? none : it->second.mark;
}

const source_mark& source_marks::of(std::string_view source) const noexcept {
  auto it = staged_.find(source);
  return it == staged_.end() ? confirmed(source) : it->second.mark;
}

bool source_marks::admits(std::string_view source) const noexcept {
  if (is_shard_source(source) || marks_.find(source) != marks_.end() || staged_.find(source) != staged_.end())
    return true;
  auto fresh = std::count_if(staged_.begin(), staged_.end(), [this](const auto& s) {
    return !is_shard_source(s.first) && marks_.find(s.first) == marks_.end();
  });
  return outside_ + static_cast<std::size_t>(fresh) < limits::outside_sources;
}

void source_marks::advance(std::string_view source, const position& to, std::uint64_t content) {
  auto it = staged_.find(source);
  if (it == staged_.end()) it = staged_.emplace(source, change{confirmed(source)}).first;
  it->second.mark.advance(to, content);
}

void source_marks::seal(field_list& out) {
  for (auto& [source, c] : staged_) {
    if (!c.slot) {
      auto known = marks_.find(source);
      c.slot = known != marks_.end() ? known->second.slot : slots_.take();
    }
    std::string bytes;
    byte_writer w{bytes};
    w.u8(format);
    w.bytes(source);
    w.u8(c.mark.dropped ? 1 : 0);
    w.u64(c.mark.content);
    w.varint(c.mark.lines.size());
    for (const auto& l : c.mark.lines) {
      w.u64(l.line);
      w.varint(l.number);
    }
    out.add(slot_field(kind, *c.slot), bytes);
  }
}

void source_marks::confirm() {
  for (auto& [source, c] : staged_) {
    PAWL_INVARIANT(c.slot, "a mark was confirmed that was not sealed");
    auto [it, fresh] = marks_.try_emplace(source, stored{*c.slot, {}});
    it->second.mark = std::move(c.mark);
    if (fresh && !is_shard_source(source)) ++outside_;
  }
  staged_.clear();
}

void source_marks::drop() {
  for (auto& [source, c] : staged_)
    if (c.slot && marks_.find(source) == marks_.end()) slots_.release(*c.slot);
  staged_.clear();
}

void source_marks::reset(std::uint32_t slots) {
  slots_.reset(slots);
  marks_.clear();
  staged_.clear();
  outside_ = 0;
}

bool source_marks::load(std::uint32_t slot, std::string_view bytes) {
  byte_reader r{bytes};
  if (r.u8() != format) return false;
  std::string source{r.bytes(limits::source_name_bytes)};
  source_mark m;
  auto dropped = r.u8();
  m.dropped = dropped == 1;
  m.content = r.u64();
  auto count = r.varint();
  if (r.failed() || dropped > 1 || count == 0 || count > limits::lines_per_source) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    position end;
    end.line = r.u64();
    end.number = r.varint();
    m.lines.push_back(end);
  }
  if (!r.finished()) return false;
  if (!is_shard_source(source)) ++outside_;
  return marks_.try_emplace(std::move(source), stored{slot, std::move(m)}).second;
}

}  // namespace pawl
