#pragma once

#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace pawl::testing {

/// One sample line of the Prometheus text format.
struct sample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

/// A page in the Prometheus text format, read by code that shares nothing with the exporter. Throws on any line it
/// cannot read and on samples outside a family, so a test that gets a page has a well-formed one.
class exposition {
public:
  explicit exposition(const std::string& text) {
    std::istringstream lines(text);
    std::string family;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("# HELP ") || line.starts_with("# TYPE ")) {
        std::istringstream words(line.substr(7));
        std::string rest;
        words >> family;
        std::getline(words >> std::ws, rest);
        if (!(line[2] == 'H' ? helps : types).emplace(family, rest).second) throw std::runtime_error("twice: " + line);
        continue;
      }
      samples.push_back(read_sample(line));
      const auto& name = samples.back().name;
      if (name != family && name != family + "_bucket" && name != family + "_sum" && name != family + "_count") {
        throw std::runtime_error("outside its family: " + line);
      }
    }
  }

  /// The value of the one sample with this name and these labels.
  [[nodiscard]] double value(const std::string& name, const std::map<std::string, std::string>& labels = {}) const {
    const sample* found = nullptr;
    for (const auto& s : samples) {
      if (s.name != name || s.labels != labels) continue;
      if (found != nullptr) throw std::runtime_error("twice: " + name);
      found = &s;
    }
    if (found == nullptr) throw std::runtime_error("no sample " + name);
    return found->value;
  }

  [[nodiscard]] std::vector<sample> all(const std::string& name) const {
    std::vector<sample> out;
    for (const auto& s : samples) {
      if (s.name == name) out.push_back(s);
    }
    return out;
  }

  std::map<std::string, std::string> helps;
  std::map<std::string, std::string> types;
  std::vector<sample> samples;

private:
  static sample read_sample(const std::string& line) {
    sample out;
    std::size_t at = line.find_first_of("{ ");
    if (at == std::string::npos || at == 0) throw std::runtime_error("no sample: " + line);
    out.name = line.substr(0, at);
    if (line[at] == '{') {
      ++at;
      while (line.at(at) != '}') {
        const auto equals = line.find("=\"", at);
        const auto label = line.substr(at, equals - at);
        std::string value;
        for (at = equals + 2; line.at(at) != '"'; ++at) {
          if (line[at] == '\\') ++at;
          value += line.at(at);
        }
        if (!out.labels.emplace(label, value).second) throw std::runtime_error("label twice: " + line);
        if (line.at(++at) == ',') ++at;
      }
      ++at;
    }
    std::size_t used = 0;
    const auto number = line.substr(at + 1);
    out.value = std::stod(number, &used);
    if (line.at(at) != ' ' || used != number.size()) throw std::runtime_error("no number: " + line);
    return out;
  }
};

}  // namespace pawl::testing
