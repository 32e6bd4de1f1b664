// A node that stops waits for all its actors. One that is never told to end keeps the process for ever.
#include "actors/caf/link_hub.hpp"

#include "actors/caf/messages.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

namespace pawl::testing {
namespace {

struct LinkHub : ::testing::Test {
  caf::actor_system_config settings;
  caf::actor_system system{settings};
  caf::scoped_actor self{system};
  link_hub hub;

  /// Ends when it is told to, as a link does.
  caf::actor link() {
    return system.spawn([](caf::event_based_actor* me) -> caf::behavior { return {[me](close_msg) { me->quit(); }}; });
  }
  bool ends(const caf::actor& a) {
    bool ended = false;
    self->monitor(a);
    self->receive([&](const caf::down_msg&) { ended = true; }, caf::after(patience) >> [] {});
    if (!ended) caf::anon_send_exit(a, caf::exit_reason::kill);
    return ended;
  }
};

TEST_F(LinkHub, closes_the_links_there_are) {
  const auto first = link();
  hub.add(hub.next_number(), first, {"n1", 1}, true);
  hub.close();
  EXPECT_TRUE(ends(first));
}

TEST_F(LinkHub, closes_a_link_whose_handshake_ends_afterwards) {
  hub.close();
  const auto late = link();
  hub.add(hub.next_number(), late, {"n1", 1}, false);
  EXPECT_TRUE(ends(late));
}

}  // namespace
}  // namespace pawl::testing
