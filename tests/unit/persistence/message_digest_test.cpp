#include "persistence/message_digest.hpp"

#include "tests/unit/persistence/hex.hpp"

#include <gtest/gtest.h>

#include <set>

namespace {

using pawl::message_digester;

const message_digester::secret secret{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

std::string bytes_of(const pawl::message_digest& d) {
  return to_hex({reinterpret_cast<const char*>(d.bytes.data()), d.bytes.size()});
}

// Computed by a separate implementation in Python. A change here makes every stored id unknown: all messages of all
// datasets could be applied a second time.
TEST(MessageDigest, HasPinnedValues) {
  const message_digester digester{secret};
  EXPECT_EQ(bytes_of(digester.digest("order", "o-1", "m-1", "OrderShipped", "\x80")),
            "a0 8e 7a 97 12 ad 12 a3 a6 c4 85 07 48 33 41 90");
  EXPECT_EQ(bytes_of(digester.digest("", "", "", "", "")), "7e 36 ad 0d 18 73 d7 fe 76 0d 09 92 10 0a 7e 43");
  EXPECT_EQ(bytes_of(digester.digest("t", std::string(2000, 'k'), "i", "n", std::string(100'000, 'p'))),
            "97 ef 34 6e 71 e6 23 79 8d 84 8a e6 c8 03 df 3d");
}

TEST(MessageDigest, RecognisesAMessageByTypeKeyAndIdOnly) {
  const message_digester digester{secret};
  const auto d = digester.digest("order", "o-1", "m-1", "OrderShipped", "payload");
  const auto other_content = digester.digest("order", "o-1", "m-1", "OrderShipped", "other");
  const auto other_name = digester.digest("order", "o-1", "m-1", "OrderLost", "payload");
  EXPECT_EQ(d.id_part(), other_content.id_part());
  EXPECT_EQ(d.id_part(), other_name.id_part());
  EXPECT_NE(d.fingerprint(), other_content.fingerprint());
  EXPECT_NE(d.fingerprint(), other_name.fingerprint());
}

TEST(MessageDigest, TellsApartFieldsThatRunIntoEachOther) {
  const message_digester digester{secret};
  std::set<std::string> ids;
  ids.emplace(digester.digest("ab", "c", "d", "n", "p").id_part());
  ids.emplace(digester.digest("a", "bc", "d", "n", "p").id_part());
  ids.emplace(digester.digest("a", "b", "cd", "n", "p").id_part());
  ids.emplace(digester.digest("", "abcd", "", "n", "p").id_part());
  ids.emplace(digester.digest("ab", "cd", "", "n", "p").id_part());
  EXPECT_EQ(ids.size(), 5u);
  EXPECT_NE(digester.digest("t", "k", "i", "na", "p").fingerprint(),
            digester.digest("t", "k", "i", "n", "ap").fingerprint());
}

TEST(MessageDigest, DependsOnTheSecret) {
  auto other = secret;
  other[15] ^= 1;
  const auto a = message_digester{secret}.digest("t", "k", "i", "n", "p");
  const auto b = message_digester{other}.digest("t", "k", "i", "n", "p");
  EXPECT_NE(a.id_part(), b.id_part());
  EXPECT_NE(a.fingerprint(), b.fingerprint());
}

TEST(MessageDigest, CarriesWhetherTheMessageWasRefusedApartFromItsContent) {
  auto d = message_digester{secret}.digest("t", "k", "i", "n", "p");
  const auto before = d;
  EXPECT_FALSE(d.refused());
  d.set_refused(true);
  EXPECT_TRUE(d.refused());
  EXPECT_NE(d, before);
  EXPECT_EQ(d.fingerprint(), before.fingerprint());
  EXPECT_EQ(d.id_part(), before.id_part());
  d.set_refused(false);
  EXPECT_EQ(d, before);
}

}  // namespace
