// The bytes on the wire, both ways. What comes from the server is hostile until read whole.
#include "persistence/keys.hpp"
#include "persistence/redis/reply.hpp"
#include "persistence/redis/scripts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <regex>
#include <string>
#include <vector>

namespace pawl::redis {
namespace {

using namespace std::string_literals;

std::vector<reply> read_all(reply_reader& reader, std::string_view bytes, std::size_t piece) {
  std::vector<reply> all;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    reader.feed(bytes.substr(0, piece));
    for (reply r; reader.next(r);) all.push_back(r);
  }
  return all;
}

TEST(ReplyReader, ReadsEveryTypeHoweverTheBytesAreCut) {
  const std::string bytes =
      "+OK\r\n-ERR no\r\n:-42\r\n$3\r\na\0b\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n*2\r\n*1\r\n:1\r\n$1\r\nx\r\n"s;
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    reply_reader reader;
    const auto all = read_all(reader, bytes, piece);
    ASSERT_EQ(all.size(), 9U) << piece << reader.error();
    EXPECT_TRUE(all[0].is(reply::kind::status));
    EXPECT_TRUE(all[1].is(reply::kind::error));
    EXPECT_EQ(all[1].text, "ERR no");
    EXPECT_EQ(all[2].integer, -42);
    EXPECT_EQ(all[3].text, "a\0b"s);
    EXPECT_TRUE(all[4].is(reply::kind::string));
    EXPECT_TRUE(all[5].is(reply::kind::nil));
    EXPECT_TRUE(all[6].is(reply::kind::nil));
    EXPECT_TRUE(all[7].is(reply::kind::array));
    ASSERT_EQ(all[8].elements.size(), 2U);
    EXPECT_EQ(all[8].elements[0].elements[0].integer, 1);
    EXPECT_EQ(all[8].elements[1].text, "x");
  }
}

TEST(ReplyReader, RefusesWhatIsNoReplyAndStaysFailed) {
  for (const auto* bytes : {"hello\r\n", "*65537\r\n", "*-2\r\n", "*9999999999999\r\n", "\r\n", "!x\r\n",
                            "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"}) {
    reply_reader reader;
    EXPECT_TRUE(read_all(reader, bytes, 1000).empty()) << bytes;
    EXPECT_TRUE(reader.failed()) << bytes;
    EXPECT_TRUE(read_all(reader, ":1\r\n", 1000).empty());
    reader.reset();
    EXPECT_EQ(read_all(reader, ":1\r\n", 1000).size(), 1U);
  }
}

TEST(ReplyReader, ALargestArrayIsReadAndAReplyBeyondTheLimitIsNot) {
  std::string bytes = "*" + std::to_string(reply_elements_max) + "\r\n";
  for (std::size_t i = 0; i < reply_elements_max; ++i) bytes += ":1\r\n";
  reply_reader reader;
  ASSERT_EQ(read_all(reader, bytes, 65'536).size(), 1U);

  const std::string chunk(16 * 1024 * 1024, 'x');
  reader.feed("$2000000000\r\n");
  reply r;
  std::size_t fed = 0;
  for (; !reader.failed() && fed <= reply_bytes_max; fed += chunk.size()) {
    reader.feed(chunk);
    EXPECT_FALSE(reader.next(r));
  }
  EXPECT_TRUE(reader.failed());
  EXPECT_LE(fed, reply_bytes_max + chunk.size());
}

TEST(ReplyReader, SurvivesAnyBytes) {
  std::minstd_rand random{7};
  constexpr std::string_view alphabet = "*$:+-0123456789\r\n\r\nx";
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    for (auto n = random() % 64; n > 0; --n) bytes += alphabet[random() % alphabet.size()];
    reply_reader reader;
    (void)read_all(reader, bytes, 1 + random() % 16);
  }
}

TEST(Commands, AreEncodedWithLengthsSoThatAnyBytesPass) {
  std::string out;
  append_command(out, {"HSET", "\0\r\n"s, ""});
  EXPECT_EQ(out, "*3\r\n$4\r\nHSET\r\n$3\r\n\0\r\n\r\n$0\r\n\r\n"s);
}

TEST(Scripts, AllPassWithMemoryFullButThoseOfInit) {
  for (std::size_t i = 0; i < script_count; ++i) {
    const auto& text = text_of(static_cast<script>(i));
    ASSERT_TRUE(text.starts_with("#!lua"));
    const bool init = i >= static_cast<std::size_t>(script::create_config);
    EXPECT_EQ(text.substr(0, text.find('\n')).find("allow-oom") == std::string::npos, init) << text;
  }
}

TEST(KeyNames, CarryShardAndTokenAndOneHashTag) {
  const key_names keys{"prod"};
  const fencing_token t{"3-n1-00ff"};
  EXPECT_EQ(keys.record({17}), "pawl:prod:{17}:rec");
  EXPECT_EQ(keys.live({17}, t), "pawl:prod:{17}:own:3-n1-00ff");
  EXPECT_EQ(keys.data({17}, t), "pawl:prod:{17}:3-n1-00ff:s");
  EXPECT_EQ(keys.config(), "pawl:prod:{members}:cfg");
  EXPECT_EQ(keys.members(), "pawl:prod:{members}:table");
  EXPECT_EQ(keys.view(), "pawl:prod:{members}:view");
  EXPECT_EQ(keys.incarnation(), "pawl:prod:{members}:incarnation");
}

TEST(KeyNames, TokensAndNamesWithOtherBytesAreNotValid) {
  EXPECT_TRUE(valid_token("0-init-0123456789abcdef0123456789abcdef"));
  for (const std::string& bad :
       {std::string{}, std::string{"a b"}, std::string{"a{b"}, "a\0b"s, std::string(97, 'a'), std::string{"a:b"}})
    EXPECT_FALSE(valid_token(bad)) << bad;
  EXPECT_TRUE(valid_name("n-1"));
  for (const std::string& bad : {std::string{}, std::string{"A"}, std::string(33, 'a'), std::string{"\xc3\xa4"}})
    EXPECT_FALSE(valid_name(bad)) << bad;
}

// rule A10: a name made up inside a script is one that Redis Cluster does not check
TEST(Scripts, TouchOnlyNamesInKeys) {
  const std::regex touch{R"((?:redis\.p?call\(|add = \{)'([A-Z]+)',\s*([^,)}]+))"};
  for (std::size_t i = 0; i < redis::script_count; ++i) {
    const auto& text = redis::text_of(static_cast<redis::script>(i));
    std::size_t touched = 0;
    for (auto it = std::sregex_iterator(text.begin(), text.end(), touch); it != std::sregex_iterator(); ++it) {
      if ((*it)[1] == "INFO") continue;
      EXPECT_EQ((*it)[2].str().substr(0, 5), "KEYS[") << it->str();
      ++touched;
    }
    EXPECT_GT(touched, 0U) << text;
  }
}

}  // namespace
}  // namespace pawl::redis
