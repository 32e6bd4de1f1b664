#include "actors/ingress.hpp"

#include <gtest/gtest.h>

// What every door checks before a message enters the cluster.

namespace pawl {
namespace {

message good() {
  message m;
  m.type = "order";
  m.key = "o-1";
  m.name = "OrderCreated";
  m.id = "m-1";
  m.payload = "\x80";
  return m;
}

std::string with_key(std::string_view key) {
  auto m = good();
  m.key = key;
  return check_message(m);
}

std::string with_type(std::string_view type) {
  auto m = good();
  m.type = type;
  return check_message(m);
}

TEST(CheckMessage, AcceptsNamesAndIdsWithinTheLimits) {
  EXPECT_EQ(check_message(good()), "");
  EXPECT_EQ(with_type(std::string(64, 'a')), "");
  EXPECT_EQ(with_type("Aa0_.-"), "");
  EXPECT_EQ(with_key(std::string(256, 'k')), "");
}

TEST(CheckMessage, AcceptsAnyPrintableTextAsKey) {
  for (const auto* key : {"{}", "{a}b", " with spaces ", "../", "%2F", "*?[]", "ключ", "鍵", "\xf0\x9f\x94\x91", "\""})
    EXPECT_EQ(with_key(key), "") << key;
}

TEST(CheckMessage, NamesTheFieldThatIsWrong) {
  EXPECT_NE(with_key("").find("key"), std::string::npos);
  EXPECT_NE(with_type("").find("type"), std::string::npos);
  auto m = good();
  m.id = "";
  EXPECT_NE(check_message(m).find("id"), std::string::npos);
  m = good();
  m.name = "a b";
  EXPECT_NE(check_message(m).find("message"), std::string::npos);
  m = good();
  m.payload = "";
  EXPECT_NE(check_message(m).find("payload"), std::string::npos);
}

TEST(CheckMessage, RefusesTypesThatAreTooLongOrHaveOtherCharacters) {
  EXPECT_NE(with_type(std::string(65, 'a')), "");
  for (const auto* type : {"a/b", "a b", "{a}", "a:b", "\xc3\xa4"}) EXPECT_NE(with_type(type), "") << type;
}

TEST(CheckMessage, RefusesKeysAboveTheLimit) {
  EXPECT_EQ(with_key(std::string(257, 'k')), "key has 257 bytes; at most 256 are allowed");
}

TEST(CheckMessage, RefusesControlCharactersOfBothRanges) {
  for (const std::string_view key :
       {std::string_view{"a\0b", 3}, std::string_view{"a\nb"}, std::string_view{"\x1f"}, std::string_view{"\x7f"},
        std::string_view{"\xc2\x80"}, std::string_view{"\xc2\x9f"}})
    EXPECT_EQ(with_key(key), "key must not contain control characters");
  EXPECT_EQ(with_key("\xc2\xa0"), "");  // the first character after the second range
}

TEST(CheckMessage, RefusesBytesThatAreNotUtf8) {
  // Cut sequences, a lone continuation byte, overlong forms, a surrogate, above U+10FFFF, bytes that never occur.
  for (const auto* key : {"\xc3", "a\xe2\x82", "\xf0\x9f\x94", "\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf",
                          "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xc3("})
    EXPECT_EQ(with_key(key), "key must be valid UTF-8");
}

TEST(CheckMessage, RefusesPayloadsThatAreTooLargeOrNoMap) {
  auto m = good();
  m.payload = "\x90";
  EXPECT_EQ(check_message(m), "payload must be a msgpack map");
  const std::string large = "\x80" + std::string(limits::payload_bytes, '\0');
  m.payload = large;
  EXPECT_NE(check_message(m).find("1048577 bytes"), std::string::npos);
}

}  // namespace
}  // namespace pawl
