#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl {

/// Fields of a hash and their values, in order, in one buffer: what a commit writes. Values are written in place.
class field_list {
public:
  using field = std::pair<std::string_view, std::string_view>;  ///< name, value

  field_list() = default;
  field_list(std::initializer_list<field> fields) {
    for (const auto& [name, value] : fields) add(name, value);
  }

  void reserve(std::size_t fields, std::size_t bytes) {
    names_end_.reserve(fields);
    ends_.reserve(fields);
    bytes_.reserve(bytes);
  }
  void add(std::string_view name, std::string_view value) {
    bytes_.append(name);
    names_end_.push_back(bytes_.size());
    bytes_.append(value);
    close();
  }
  /// Begins a field: its name is what is appended to the buffer until `name_ends`, its value what is appended then
  /// until `close`. No other member may be called in between.
  [[nodiscard]] std::string& open() noexcept { return bytes_; }
  void name_ends() { names_end_.push_back(bytes_.size()); }
  void close() { ends_.push_back(bytes_.size()); }

  [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
  [[nodiscard]] bool empty() const noexcept { return ends_.empty(); }
  /// Of all names and values.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }
  [[nodiscard]] field operator[](std::size_t i) const noexcept {
    const std::string_view all{bytes_};
    const auto at = i == 0 ? 0 : ends_[i - 1];
    return {all.substr(at, names_end_[i] - at), all.substr(names_end_[i], ends_[i] - names_end_[i])};
  }

  class iterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = field;
    using difference_type = std::ptrdiff_t;
    using pointer = const field*;
    using reference = field;

    iterator(const field_list& list, std::size_t at) noexcept : list_(&list), at_(at) {}
    field operator*() const noexcept { return (*list_)[at_]; }
    iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.at_ == b.at_; }

  private:
    const field_list* list_;
    std::size_t at_;
  };
  friend bool operator==(const field_list&, const field_list&) = default;
  [[nodiscard]] iterator begin() const noexcept { return {*this, 0}; }
  [[nodiscard]] iterator end() const noexcept { return {*this, size()}; }

private:
  std::string bytes_;
  std::vector<std::size_t> names_end_;
  std::vector<std::size_t> ends_;
};

}  // namespace pawl
