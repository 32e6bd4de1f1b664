#pragma once

#include "actors/entity.hpp"
#include "examples/order_workflow/money.hpp"

#include <map>
#include <string>

/// A customer's account: what was paid in, and what became of it.
namespace order_workflow {

// From customers.
struct Deposit {
  cents amount = 0;
  PAWL_MESSAGE(Deposit, amount)
};
struct Withdraw {
  cents amount = 0;
  PAWL_MESSAGE(Withdraw, amount)
};
/// The card is refused from now on.
struct BlockCard {
  PAWL_MESSAGE(BlockCard)
};

// From checkouts. What is held is either captured or released.
struct HoldFunds {
  std::string order;
  cents amount = 0;
  PAWL_MESSAGE(HoldFunds, order, amount)
};
struct CaptureFunds {
  std::string order;
  PAWL_MESSAGE(CaptureFunds, order)
};
struct ReleaseFunds {
  std::string order;
  PAWL_MESSAGE(ReleaseFunds, order)
};

/// At all times deposited == balance + all that is held + captured + withdrawn.
struct Account {
  cents deposited = 0;
  cents balance = 0;                  ///< free to be held or withdrawn
  std::map<std::string, cents> held;  ///< by order
  cents captured = 0;                 ///< paid for approved orders
  cents withdrawn = 0;
  bool blocked = false;
  PAWL_STATE(deposited, balance, held, captured, withdrawn, blocked)
};

/// Reply to a customer's message.
struct AccountBalance {
  cents balance = 0;
  PAWL_FIELDS(balance)
};

/// The entity type "account"; its key is the customer.
[[nodiscard]] pawl::entity_type account();

}  // namespace order_workflow
