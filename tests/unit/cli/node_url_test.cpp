#include "cli/node_url.hpp"

#include "cli/survey.hpp"

#include <gtest/gtest.h>

namespace pawl::cli {
namespace {

TEST(NodeUrl, IsReadWithAndWithoutItsParts) {
  for (const auto* text : {"http://db-1:8000", "db-1:8000", "http://db-1:8000/"})
    EXPECT_EQ(parse_node_url(text), (node_url{"db-1", 8000})) << text;
  EXPECT_EQ(parse_node_url("10.0.0.7"), (node_url{"10.0.0.7", 7420}));
  EXPECT_EQ(parse_node_url("http://[::1]:80"), (node_url{"::1", 80}));
  EXPECT_EQ(parse_node_url("[::1]")->text(), "http://[::1]:7420");
}

TEST(NodeUrl, IsRefusedIfItIsNone) {
  for (const auto* text :
       {"",       "http://", "https://a", "ftp://a", "a:0", "a:65536", "a:",  "a:b", "a:1:2", "::1",  "[a]",
        "[::1]x", "[::1]:",  "[::1",      "a b",     "a/b", "user@a",  "a?x", "-a",  "a\n",   "a:1\n"})
    EXPECT_FALSE(parse_node_url(text)) << text;
}

TEST(NodeUrl, KeysArePercentEncodedByByte) {
  EXPECT_EQ(percent_encoded("a-b_c.d~9"), "a-b_c.d~9");
  EXPECT_EQ(percent_encoded("a/b c%\xc3\xa4?#"), "a%2Fb%20c%25%C3%A4%3F%23");
}

TEST(MemberAddress, IsWhereTheNodeSaysUnlessThatLeadsNowhere) {
  const node_url local{"127.0.0.1", 7420};
  const node_url remote{"10.0.0.1", 7420};
  const auto row = [](const char* http, const char* peer) { return member_row{"n2", 1, "up", peer, http}; };

  EXPECT_EQ(address_of(row("10.0.0.2:7420", "10.0.0.2:7421"), remote).url, (node_url{"10.0.0.2", 7420}));
  EXPECT_EQ(address_of(row("0.0.0.0:7420", "db-2:7421"), remote).url, (node_url{"db-2", 7420}))
      << "it listens everywhere: the host that its peers dial";
  EXPECT_EQ(address_of(row("127.0.0.1:7422", "127.0.0.1:1"), local).url, (node_url{"127.0.0.1", 7422}));
  EXPECT_FALSE(address_of(row("127.0.0.1:7422", "127.0.0.1:1"), remote).url) << "that would be our own machine";
  for (const auto* http : {"", "nonsense address", "0.0.0.0:0"}) {
    const auto a = address_of(row(http, "db-2:7421"), remote);
    EXPECT_FALSE(a.url) << http;
    EXPECT_FALSE(a.problem.empty());
  }
}

}  // namespace
}  // namespace pawl::cli
