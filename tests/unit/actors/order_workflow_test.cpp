#include "examples/order_workflow/order.hpp"

#include <gtest/gtest.h>

namespace {

using namespace order_workflow;

/// Runs events through the entity type, as the runtime would.
class life {
public:
  template <class Event>
  life& then(std::string_view id, const Event& e) {
    std::string payload;
    pawl::encode_msgpack(e, payload);
    const auto before = std::exchange(state_, type_->fresh());
    const auto done = type_->apply(
        before.get(), *state_,
        {.type = "order", .key = "o-1", .name = Event::pawl_message_name(), .id = id, .payload = payload}, 0);
    EXPECT_EQ(done.what, pawl::handled::kind::applied) << done.text;
    return *this;
  }
  Order order() const {
    std::string bytes, error;
    type_->encode(*state_, bytes);
    Order o;
    EXPECT_TRUE(pawl::decode_msgpack(bytes, o, error)) << error;
    return o;
  }

private:
  pawl::entity_type type_ = order_workflow::order();
  std::unique_ptr<pawl::entity_state> state_ = type_->fresh();
};

// Values from a separate implementation in Python.
TEST(OrderWorkflow, ChainHasPinnedValues) {
  EXPECT_EQ(next_link("0000000000000000", ""), "c291d5fb48650465");
  EXPECT_EQ(next_link("0000000000000000", "m-1"), "1f33bce45905acda");
  EXPECT_EQ(next_link(next_link("0000000000000000", "m-1"), "m-2"), "2915b1e132e54d94");
}

TEST(OrderWorkflow, ChainTellsLossRepetitionAndOrder) {
  const OrderApproved approved{.at = "2017-10-02T11:07"};
  const OrderShipped shipped{.at = "2017-10-04T19:55"};
  const auto right = life{}.then("m-1", approved).then("m-2", shipped).order().chain;
  EXPECT_NE(right, life{}.then("m-2", shipped).then("m-1", approved).order().chain);
  EXPECT_NE(right, life{}.then("m-1", approved).order().chain);
  EXPECT_NE(right, life{}.then("m-1", approved).then("m-2", shipped).then("m-2", shipped).order().chain);
}

TEST(OrderWorkflow, AnOrderFollowsItsEvents) {
  const auto o = life{}
                     .then("m-1", OrderPurchased{.customer = "c-9", .at = "2017-10-02T10:56"})
                     .then("m-2", OrderApproved{.at = "2017-10-02T11:07"})
                     .then("m-3", OrderShipped{.at = "2017-10-04T19:55"})
                     .then("m-4", OrderDelivered{.at = "2017-10-10T21:25"})
                     .order();
  EXPECT_EQ(o.status, "delivered");
  EXPECT_EQ(o.customer, "c-9");
  EXPECT_EQ(o.purchased_at, "2017-10-02T10:56");
  EXPECT_EQ(o.approved_at, "2017-10-02T11:07");
  EXPECT_EQ(o.shipped_at, "2017-10-04T19:55");
  EXPECT_EQ(o.delivered_at, "2017-10-10T21:25");
  EXPECT_EQ(o.events, 4u);
}

TEST(OrderWorkflow, ACancelledOrderStaysCancelledWhileLaterEventsAreRecorded) {
  const auto o = life{}
                     .then("m-1", OrderCancelled{.reason = "changed my mind", .at = "2017-10-02T12:00"})
                     .then("m-2", OrderShipped{.at = "2017-10-02T12:01"})
                     .order();
  EXPECT_EQ(o.status, "cancelled");
  EXPECT_EQ(o.cancel_reason, "changed my mind");
  EXPECT_EQ(o.cancelled_at, "2017-10-02T12:00");
  EXPECT_EQ(o.shipped_at, "2017-10-02T12:01");
  EXPECT_EQ(o.events, 2u);
}

}  // namespace
