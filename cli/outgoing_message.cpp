#include "cli/outgoing_message.hpp"

#include "cli/json_reader.hpp"
#include "cli/node_answer.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <memory>
#include <random>

namespace pawl::cli {
namespace {

/// As large as a request may be by default.
constexpr std::size_t payload_bytes_max = 8 * 1024 * 1024;

bool read_file(std::FILE* file, std::string& text) {
  std::array<char, 64 * 1024> buffer;
  while (const auto n = std::fread(buffer.data(), 1, buffer.size(), file)) {
    text.append(buffer.data(), n);
    if (text.size() > payload_bytes_max) return false;
  }
  return std::ferror(file) == 0;
}

send_result::kind kind_of(std::string_view result) {
  if (result == "applied") return send_result::kind::applied;
  if (result == "duplicate") return send_result::kind::duplicate;
  if (result == "refused") return send_result::kind::refused;
  return send_result::kind::unresolved;
}

/// A problem report says nothing about a message. Those that blame the request stay as they are; after the others a
/// later attempt may get through.
send_result without_result(const http_answer& a) {
  const bool ours = a.status >= 400 && a.status < 500 && a.status != 429;
  return {ours ? send_result::kind::rejected : send_result::kind::unresolved,
          ours ? "rejected" : "no result",
          problem_detail(a.status, a.body),
          {}};
}

}  // namespace

std::string outgoing_message::text() const {
  json head;
  head["type"] = type;
  head["key"] = key;
  head["message"] = name;
  head["id"] = id;
  head["sent_at"] = sent_at;
  if (seq != 0) head["seq"] = seq;
  auto out = json_line(head);
  // As it was given: numbers parsed and printed again could differ, and then the id would be refused as reused.
  out.pop_back();
  return out + ",\"payload\":" + payload + "}";
}

send_result send_once(http_client& http, const outgoing_message& m) {
  const auto answer = http.post("/v1/messages", "application/json", m.text());
  if (answer.status == 0) return {send_result::kind::unresolved, std::string{no_answer}, answer.problem, {}};
  std::string problem;
  const auto parsed = read_json(answer.body, problem);
  json_fields f{parsed};
  if (!problem.empty() || !f.has("result")) return without_result(answer);
  send_result out;
  out.word = f.text("result");
  out.what = kind_of(out.word);
  if (f.has("reason")) out.reason = f.text("reason", 2'048);
  if (f.has("code")) out.code = f.text("code");
  return out;
}

std::string random_id() {
  std::random_device source;
  std::string out;
  for (int word = 0; word < 4; ++word) {
    std::array<char, 9> hex{};
    std::snprintf(hex.data(), hex.size(), "%08x", static_cast<unsigned>(source()));
    out += hex.data();
  }
  return out;
}

bool read_payload(const std::string& given, std::string& text, std::string& problem) {
  text.clear();
  if (given == "-") {
    if (!read_file(stdin, text)) problem = "the standard input cannot be read, or is longer than 8 MiB";
  } else if (given.starts_with('@')) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(given.c_str() + 1, "rb"), &std::fclose};
    if (file == nullptr || !read_file(file.get(), text))
      problem = "the file " + given.substr(1) + " cannot be read, or is longer than 8 MiB";
  } else {
    text = given;
  }
  if (!problem.empty()) return false;
  std::string why;
  if (read_json(text, why).is_object()) return true;
  problem = "the payload must be a JSON object" + (why.empty() ? std::string{} : "; it is " + why);
  return false;
}

}  // namespace pawl::cli
