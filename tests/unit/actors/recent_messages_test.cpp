#include "actors/recent_messages.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pawl {
namespace {

message named(std::string_view id, std::string_view name = "Add") {
  message m;
  m.id = id;
  m.name = name;
  return m;
}

std::string ids(const recent_messages& r) {
  std::string out;
  for (const auto& m : r.newest_first()) out += m.id + " ";
  return out;
}

TEST(RecentMessages, AreNoneAtFirst) { EXPECT_TRUE(recent_messages{}.newest_first().empty()); }

TEST(RecentMessages, TellWhatTookEffectAndWhen) {
  recent_messages r;
  r.add(named("a1", "Ship"), 1'700'000'000'123);
  ASSERT_EQ(r.newest_first().size(), 1u);
  const auto m = r.newest_first().front();
  EXPECT_EQ(m.id, "a1");
  EXPECT_EQ(m.name, "Ship");
  EXPECT_EQ(m.at, 1'700'000'000'123);
}

TEST(RecentMessages, AreTheLastFew) {
  recent_messages r;
  for (int i = 1; i <= 10; ++i) r.add(named(std::to_string(i)), i);
  EXPECT_EQ(ids(r), "10 9 8 7 ");
}

// Their memory is that of every entity.
TEST(RecentMessages, LongOnesAreFewer) {
  recent_messages r;
  r.add(named("short"), 1);
  r.add(named(std::string(100, 'a')), 2);
  r.add(named(std::string(100, 'b')), 3);
  ASSERT_EQ(r.newest_first().size(), 2u);
  EXPECT_EQ(r.newest_first()[1].at, 2);
  r.add(named("c"), 4);
  EXPECT_EQ(r.newest_first().size(), 2u);
}

TEST(RecentMessages, TheLastIsKeptHoweverLongItIs) {
  recent_messages r;
  r.add(named("a"), 1);
  r.add(named(std::string(limits::id_bytes, 'b'), std::string(limits::name_bytes, 'n')), 2);
  ASSERT_EQ(r.newest_first().size(), 1u);
  EXPECT_EQ(r.newest_first().front().id.size(), limits::id_bytes);
  EXPECT_EQ(r.newest_first().front().name.size(), limits::name_bytes);
  r.add(named("c"), 3);
  EXPECT_EQ(ids(r), "c ");
}

TEST(RecentMessages, AnIdMayHaveAnyBytesAndATimeAnySign) {
  recent_messages r;
  const std::string id{"\0\xff\x80", 3};
  r.add(named(id, ""), -5);
  EXPECT_EQ(r.newest_first().at(0).id, id);
  EXPECT_EQ(r.newest_first().at(0).at, -5);
}

}  // namespace
}  // namespace pawl
