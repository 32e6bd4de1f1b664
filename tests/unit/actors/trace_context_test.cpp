// The traceparent header of W3C Trace Context, read as the standard says: what is not valid is ignored.
#include "actors/trace_context.hpp"

#include "actors/entity_context.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace pawl {
namespace {

const std::string id = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string parent = "00f067aa0ba902b7";
const std::string valid = "00-" + id + "-" + parent + "-01";

TEST(TraceContext, AValidHeaderComesBackAsItWas) {
  const auto trace = parse_traceparent(valid);
  EXPECT_EQ(trace.size(), limits::trace_bytes);
  EXPECT_TRUE(is_trace(trace));
  EXPECT_EQ(to_traceparent(trace), valid);
  EXPECT_EQ(trace_id(trace), id);
  EXPECT_EQ(to_traceparent(parse_traceparent("00-" + id + "-" + parent + "-00")), "00-" + id + "-" + parent + "-00");
}

TEST(TraceContext, OfTheFlagsOnlyTheKnownOnesArePassedOn) {
  EXPECT_EQ(to_traceparent(parse_traceparent("00-" + id + "-" + parent + "-ff")), "00-" + id + "-" + parent + "-03");
}

TEST(TraceContext, OfALaterVersionWhatIsKnownIsKept) {
  for (const auto* more : {"", "-", "-what-ever it is"})
    EXPECT_EQ(to_traceparent(parse_traceparent("cc-" + id + "-" + parent + "-01" + more)), valid) << more;
  EXPECT_EQ(parse_traceparent("cc-" + id + "-" + parent + "-01.more"), "");
}

TEST(TraceContext, WhatIsNotValidIsNone) {
  const std::string zeros(32, '0');
  for (const auto& header : {
           std::string{},
           std::string{"00"},
           valid + "-",
           valid + "-00",
           valid + " ",
           " " + valid,
           valid + "," + valid,
           valid.substr(0, 54),
           "ff-" + id + "-" + parent + "-01",
           "0g-" + id + "-" + parent + "-01",
           "00-" + zeros + "-" + parent + "-01",
           "00-" + id + "-" + zeros.substr(16) + "-01",
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + parent + "-01",
           "00-" + id + "-00F067AA0BA902B7-01",
           "00_" + id + "-" + parent + "-01",
           "00-" + id + "_" + parent + "-01",
           "00-" + id + "-" + parent + "_01",
           "00-" + id + "-" + parent + "-0x",
           "00-" + id.substr(1) + "g-" + parent + "-01",
           std::string(55, '-'),
           std::string(10'000, '0'),
           std::string("00-\0\0f92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 55),
       }) {
    EXPECT_EQ(parse_traceparent(header), "") << header.substr(0, 80);
  }
}

TEST(TraceContext, EveryByteThatIsChangedIsNoticedOrAnotherTrace) {
  std::mt19937 random{7};
  for (std::size_t at = 0; at < valid.size(); ++at) {
    for (int n = 0; n < 64; ++n) {
      auto header = valid;
      header[at] = static_cast<char>(random());
      const auto trace = parse_traceparent(header);
      if (!trace.empty()) {
        ASSERT_TRUE(is_trace(trace)) << header;
        ASSERT_EQ(parse_traceparent(to_traceparent(trace)), trace) << header;
      }
    }
  }
}

TEST(TraceContext, BytesOfAnotherSizeOrWithoutAnIdAreNone) {
  EXPECT_FALSE(is_trace(""));
  EXPECT_FALSE(is_trace(std::string(24, 'x')));
  EXPECT_FALSE(is_trace(std::string(26, 'x')));
  EXPECT_FALSE(is_trace(std::string(25, '\0')));
  EXPECT_FALSE(is_trace(std::string(16, 'x') + std::string(9, '\0')));
  EXPECT_EQ(to_traceparent("short"), "");
  EXPECT_EQ(trace_id(""), "");
}

struct Ping {
  PAWL_MESSAGE(Ping)
};

TEST(TraceContext, AHandlerReadsItAndPassesItOn) {
  const auto trace = parse_traceparent(valid);
  message m;
  m.type = "t";
  m.key = "k";
  m.id = "i";
  m.trace = trace;
  context ctx{m, 5};
  EXPECT_EQ(ctx.traceparent(), valid);
  ctx.send("t", "other", Ping{});
  ctx.schedule("later", std::chrono::seconds{1}, Ping{});
  EXPECT_EQ(ctx.effects()->sends.at(0).trace, trace);
  EXPECT_EQ(ctx.effects()->timers.at(0).trace, trace);
  context without{"t", "k", "i"};
  EXPECT_EQ(without.traceparent(), "");
}

}  // namespace
}  // namespace pawl
