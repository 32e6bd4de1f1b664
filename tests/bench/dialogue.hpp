#pragma once

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <string>

namespace pawl::bench {

/// A measured program takes its orders from standard input, one JSON object a line with the order's name under "do",
/// and answers each with one line on standard output; so that a scenario can run several programs side by side and
/// start their clocks together. Ends with the input: no program outlives its scenario.
class dialogue {
public:
  using json = nlohmann::json;
  using order = std::function<json(const json& asked)>;

  void on(const std::string& name, order o) { orders_[name] = std::move(o); }
  /// Says that the program is ready, and serves until the end of the input or the order "end". An order that throws is
  /// answered with {"error": why}.
  void serve(const json& ready) const;

private:
  std::map<std::string, order> orders_;
};

}  // namespace pawl::bench
