#include "tests/bench/dialogue.hpp"

#include <exception>
#include <iostream>
#include <stdexcept>

namespace pawl::bench {

void dialogue::serve(const json& ready) const {
  std::cout << ready.dump() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    json answer;
    try {
      const auto asked = json::parse(line);
      const auto name = asked.at("do").get<std::string>();
      if (name == "end") return;
      const auto found = orders_.find(name);
      if (found == orders_.end()) throw std::runtime_error("there is no order " + name);
      answer = found->second(asked);
    } catch (const std::exception& e) {
      answer = {{"error", e.what()}};
    }
    std::cout << answer.dump() << std::endl;
  }
}

}  // namespace pawl::bench
