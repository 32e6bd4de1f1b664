#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace pawl {

/// Numbers for fields of one kind. The lowest free one is used first, so that they stay dense and the count of them,
/// stored in the frontier, is enough to find all fields without a scan.
///
/// A number that was released is *stale* until it is known that the store holds nothing under it: its field may still
/// be there, dead, and is overwritten by the next use or removed by and by. Not thread-safe.
class slot_numbers {
public:
  /// All numbers in use are below it.
  [[nodiscard]] std::uint32_t count() const noexcept { return next_; }
  [[nodiscard]] std::size_t used() const noexcept { return next_ - free_.size(); }
  [[nodiscard]] bool uses(std::uint32_t number) const noexcept { return number < next_ && !free_.contains(number); }

  [[nodiscard]] std::uint32_t take() {
    if (free_.empty()) return next_++;
    auto lowest = *free_.begin();
    free_.erase(free_.begin());
    stale_.erase(lowest);
    return lowest;
  }
  void release(std::uint32_t number) {
    free_.insert(number);
    stale_.insert(number);
  }

  /// Numbers whose fields are dead, at most `most`.
  [[nodiscard]] std::vector<std::uint32_t> stale(std::size_t most) const {
    std::vector<std::uint32_t> out;
    for (auto n : stale_) {
      if (out.size() == most) break;
      out.push_back(n);
    }
    return out;
  }
  /// Nothing is stored under this number. One that was taken again meanwhile stays as it is.
  void cleaned(std::uint32_t number) {
    stale_.erase(number);
    while (next_ > 0 && free_.contains(next_ - 1) && !stale_.contains(next_ - 1)) free_.erase(--next_);
  }

  /// All below `count` are in use, until they are released.
  void reset(std::uint32_t count) {
    next_ = count;
    free_.clear();
    stale_.clear();
  }

private:
  std::uint32_t next_ = 0;
  std::set<std::uint32_t> free_;
  std::set<std::uint32_t> stale_;  ///< a part of `free_`
};

}  // namespace pawl
