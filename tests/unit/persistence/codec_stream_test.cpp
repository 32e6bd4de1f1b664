// The untyped side of the codec: every token is shown once and in order, hostile bytes are refused, and the writer
// always writes the shortest form.
#include "persistence/codec_stream.hpp"

#include "tests/unit/persistence/hex.hpp"

#include <gtest/gtest.h>

#include <random>

namespace {

/// Writes what it sees as text.
struct recorder : pawl::msgpack_visitor {
  std::string seen;
  bool note(const std::string& s) {
    seen += s + ' ';
    return true;
  }
  bool nil() override { return note("nil"); }
  bool boolean(bool v) override { return note(v ? "true" : "false"); }
  bool integer(std::int64_t v) override { return note("i" + std::to_string(v)); }
  bool unsigned_integer(std::uint64_t v) override { return note("u" + std::to_string(v)); }
  bool number(double v) override { return note("d" + std::to_string(v)); }
  bool text(std::string_view v) override { return note("t'" + std::string{v} + "'"); }
  bool binary(std::string_view v) override { return note("b'" + std::string{v} + "'"); }
  bool extension(std::int8_t type, std::string_view v) override {
    return note("e" + std::to_string(type) + "'" + std::string{v} + "'");
  }
  bool begin_array(std::uint32_t n) override { return note("[" + std::to_string(n)); }
  bool end_array() override { return note("]"); }
  bool begin_map(std::uint32_t n) override { return note("{" + std::to_string(n)); }
  bool key(std::string_view v) override { return note("k'" + std::string{v} + "'"); }
  bool end_map() override { return note("}"); }
};

std::string walked(std::string_view bytes) {
  recorder r;
  std::string error;
  return pawl::walk_msgpack(bytes, r, error) ? r.seen : "error: " + error;
}

std::string nested_arrays(std::size_t depth) { return std::string(depth - 1, '\x91') + '\x90'; }

TEST(CodecWalk, ShowsEveryValueInOrder) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"c0", "nil "},
      {"c2", "false "},
      {"c3", "true "},
      {"00", "u0 "},
      {"7f", "u127 "},
      {"e0", "i-32 "},
      {"ccff", "u255 "},
      {"d07f", "u127 "},
      {"d080", "i-128 "},
      {"cfffffffffffffffff", "u18446744073709551615 "},
      {"d38000000000000000", "i-9223372036854775808 "},
      {"ca3fc00000", "d1.500000 "},
      {"cbc000000000000000", "d-2.000000 "},
      {"a0", "t'' "},
      {"d900", "t'' "},
      {"db0000000161", "t'a' "},
      {"c40161", "b'a' "},
      {"c400", "b'' "},
      {"d4ff61", "e-1'a' "},
      {"c70005", "e5'' "},
      {"90", "[0 ] "},
      {"80", "{0 } "},
      {"82a161920102a16280", "{2 k'a' [2 u1 u2 ] k'b' {0 } } "},
      {"dc0001dd0000000101", "[1 [1 u1 ] ] "},
      {"81a081a0c0", "{1 k'' {1 k'' nil } } "},
  };
  for (const auto& [hex, seen] : rows) EXPECT_EQ(walked(from_hex(hex)), seen) << hex;
}

TEST(CodecWalk, RefusesWhatIsNotExactlyOneGoodValue) {
  const std::pair<std::string, std::string_view> rows[] = {
      {"", "the input is empty"},
      {"c1", "byte 0 is not msgpack"},
      {"92 01 c1", "byte 2 is not msgpack"},
      {"01 01", "the value ends at byte 1, but the input is longer"},
      {"80 c1 c1", "the value ends at byte 1, but the input is longer"},
      {"a2 61", "the input ends within a value"},
      {"81 a161", "the input ends within a value"},
      {"cb 00", "the input ends within a value"},
      {"db ffffffff 61", "the input ends within a value"},
      {"c6 ffffffff 61", "the input ends within a value"},
      {"c9 ffffffff 05", "the input ends within a value"},
      {"d9", "the input ends within a value"},
      {"93 01", "an array announces 3 elements, more than the input holds"},
      {"8f a161", "a map announces 15 elements, more than the input holds"},
      {"dd ffffffff", "an array has 4294967295 elements; at most 65536 are allowed"},
      {"df ffffffff", "a map has 4294967295 elements; at most 65536 are allowed"},
      {"81 01 01", "a map key must be a string, but one is an integer"},
      {"81 ff 01", "a map key must be a string, but one is an integer"},
      {"81 c0 01", "a map key must be a string, but one is null"},
      {"81 c3 01", "a map key must be a string, but one is a boolean"},
      {"81 ca00000000 01", "a map key must be a string, but one is a number"},
      {"81 c40161 01", "a map key must be a string, but one is binary data"},
      {"81 d40161 01", "a map key must be a string, but one is an extension value"},
      {"81 90 01", "a map key must be a string, but one is an array"},
      {"81 80 01", "a map key must be a string, but one is a map"},
  };
  for (const auto& [hex, error] : rows) EXPECT_EQ(walked(from_hex(hex)), "error: " + std::string{error}) << hex;
}

TEST(CodecWalk, NestsThirtyTwoDeepAndNoDeeper) {
  EXPECT_NE(walked(nested_arrays(32)).find("[1 [0 ]"), std::string::npos);
  EXPECT_EQ(walked(nested_arrays(33)), "error: nested more than 32 deep");
  EXPECT_EQ(walked(nested_arrays(10'000)), "error: nested more than 32 deep");
}

TEST(CodecWalk, CountsAnnouncedElementsOverAllContainers) {
  // Thirty arrays, each of which would fit into the input alone.
  std::string bytes;
  for (int i = 0; i < 30; ++i) bytes += from_hex("dc 00 60");
  bytes.append(10, '\xc0');
  EXPECT_EQ(walked(bytes), "error: an array announces 96 elements, more than the input holds");
}

TEST(CodecWalk, StopsWithoutAnErrorWhenTheVisitorSaysSo) {
  struct until_text : recorder {
    bool text(std::string_view) override { return false; }
  } visitor;
  std::string error;
  EXPECT_FALSE(pawl::walk_msgpack(from_hex("93 01 a161 02"), visitor, error));
  EXPECT_EQ(visitor.seen, "[3 u1 ");
  EXPECT_EQ(error, "");
}

TEST(CodecWalk, MayBeUsedByAVisitorInAWalk) {
  struct outer : recorder {
    bool text(std::string_view v) override {
      recorder inner;
      std::string error;
      EXPECT_TRUE(pawl::walk_msgpack(v, inner, error)) << error;
      return note("(" + inner.seen + ")");
    }
  } visitor;
  std::string error;
  ASSERT_TRUE(pawl::walk_msgpack(from_hex("92 a3 92 01 02 03"), visitor, error)) << error;
  EXPECT_EQ(visitor.seen, "[2 ([2 u1 u2 ] ) u3 ] ");
}

TEST(CodecWalk, IsUsableAfterAVisitorThrew) {
  struct thrower : pawl::msgpack_visitor {
    bool unsigned_integer(std::uint64_t) override { throw 1; }
  } visitor;
  std::string error;
  EXPECT_THROW((void)pawl::walk_msgpack(from_hex("91 91 01"), visitor, error), int);
  EXPECT_EQ(walked(from_hex("92 01 02")), "[2 u1 u2 ] ");
}

// The same for every prefix of good input, and for random bytes: an answer, never a crash (sanitizers watch).
TEST(CodecWalk, GivesAnAnswerForAnyBytes) {
  const auto good =
      from_hex("84a16192cb3ff0000000000000d901 78 a16281a163ddc0 a164c70401deadbeef a165df00000001a166c0");
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_EQ(walked(good.substr(0, n)).substr(0, 6), "error:") << n;
  std::mt19937 random{20240611};
  std::size_t accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (auto& b : bytes) b = static_cast<char>(random());
    pawl::msgpack_visitor ignore;
    std::string error;
    const bool ok = pawl::walk_msgpack(bytes, ignore, error);
    EXPECT_EQ(ok, error.empty());
    accepted += ok;
  }
  EXPECT_GT(accepted, 0u);
}

TEST(CodecWriter, WritesEveryValueInItsShortestForm) {
  auto written = [](auto call) {
    std::string out;
    pawl::msgpack_writer w{out};
    call(w);
    return to_hex(out);
  };
  EXPECT_EQ(written([](auto& w) { w.nil(); }), "c0");
  EXPECT_EQ(written([](auto& w) { w.boolean(true); }), "c3");
  EXPECT_EQ(written([](auto& w) { w.integer(-32); }), "e0");
  EXPECT_EQ(written([](auto& w) { w.integer(-33); }), "d0 df");
  EXPECT_EQ(written([](auto& w) { w.integer(127); }), "7f");
  EXPECT_EQ(written([](auto& w) { w.unsigned_integer(128); }), "cc 80");
  EXPECT_EQ(written([](auto& w) { w.unsigned_integer(65536); }), "ce 00 01 00 00");
  EXPECT_EQ(written([](auto& w) { w.number(1.0); }), "cb 3f f0 00 00 00 00 00 00");
  EXPECT_EQ(written([](auto& w) { w.number(-0.0); }), "cb 80 00 00 00 00 00 00 00");
  EXPECT_EQ(written([](auto& w) { w.text("ab"); }), "a2 61 62");
  EXPECT_EQ(written([](auto& w) { w.text(std::string(32, 'x')); }).substr(0, 8), "d9 20 78");
}

TEST(CodecWriter, GivesEachContainerTheShortestHeaderOnceItsSizeIsKnown) {
  for (std::size_t size : {0u, 1u, 15u, 16u, 300u, 65535u, 65536u}) {
    std::string expected, out = "before";
    pawl::msgpack_packer p{expected};
    p.array(1);
    p.map(static_cast<std::uint32_t>(size));
    for (std::size_t i = 0; i < size; ++i) {
      p.text(std::to_string(i));
      p.unsigned_integer(i);
    }
    pawl::msgpack_writer w{out};
    w.begin_array();
    w.begin_map();
    for (std::size_t i = 0; i < size; ++i) {
      w.key(std::to_string(i));
      w.unsigned_integer(i);
    }
    w.end_map();
    w.end_array();
    ASSERT_FALSE(w.failed());
    EXPECT_EQ(w.depth(), 0u);
    EXPECT_TRUE(out == "before" + expected) << size;
  }
}

TEST(CodecWriter, StopsAtMoreThan65536Elements) {
  std::string out;
  pawl::msgpack_writer w{out};
  w.begin_array();
  for (int i = 0; i < 65536; ++i) w.nil();
  EXPECT_FALSE(w.failed());
  const auto size = out.size();
  w.nil();
  EXPECT_TRUE(w.failed());
  EXPECT_EQ(w.error(), "an array or map has more than 65536 elements");
  w.text("ignored");
  w.end_array();
  EXPECT_EQ(out.size(), size);
}

TEST(CodecWriter, StopsAtMoreThan32Levels) {
  std::string out;
  pawl::msgpack_writer w{out};
  for (int i = 0; i < 32; ++i) {
    w.begin_map();
    w.key("k");
  }
  EXPECT_FALSE(w.failed());
  w.begin_array();
  EXPECT_TRUE(w.failed());
  EXPECT_EQ(w.error(), "nested more than 32 deep");
}

}  // namespace
