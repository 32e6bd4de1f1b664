#include "tests/bench/load.hpp"

#include <nlohmann/json.hpp>

namespace pawl::bench {

workload_options workload_asked(const nlohmann::json& asked) {
  workload_options w;
  w.prefix = asked.value("prefix", w.prefix);
  w.tag = asked.value("tag", w.tag);
  w.orders = asked.value("orders", w.orders);
  w.messages = asked.value("messages", w.messages);
  w.duplicates = asked.value("duplicates", w.duplicates);
  w.payload_bytes = asked.value("payload", w.payload_bytes);
  w.pause_us = asked.value("pause_us", w.pause_us);
  return w;
}

load_options load_asked(const nlohmann::json& asked) {
  load_options l;
  l.rate = asked.value("rate", l.rate);
  l.window = asked.value("window", l.window);
  l.batch = asked.value("batch", l.batch);
  return l;
}

}  // namespace pawl::bench
