#include "actors/runtime.hpp"

#include "actors/caf/node.hpp"
#include "actors/configuration.hpp"
#include "actors/http/api.hpp"
#include "actors/http/json_object.hpp"
#include "actors/http/member_client.hpp"
#include "actors/http/server.hpp"
#include "actors/signals.hpp"
#include "actors/store_options.hpp"
#include "metrics/log.hpp"
#include "metrics/metrics.hpp"
#include "metrics/prometheus_exporter.hpp"
#include "metrics/recent_events.hpp"
#include "persistence/redis/dataset.hpp"
#include "persistence/redis/redis_store.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace pawl {
namespace {

constexpr std::string_view version = PAWL_VERSION;

int fail(const std::string& why) {
  log::error("cannot run", {{"reason", why}});
  return 1;
}

int init(const invocation& i) {
  auto made = init_dataset(store_options_of(i.options), i.options.cluster, i.init_shards);
  if (!made.ok()) return fail(made.error);
  std::printf("created dataset of cluster '%s' with %u shards\n", i.options.cluster.c_str(), made.info.shards);
  return 0;
}

/// Why the node has to end; set by one of its threads, read by the main thread.
class ending {
public:
  void set(std::string why) {
    std::lock_guard lock{mutex_};
    why_ = std::move(why);
  }
  [[nodiscard]] std::string get() const {
    std::lock_guard lock{mutex_};
    return why_;
  }

private:
  mutable std::mutex mutex_;
  std::string why_;
};

void count_request(node_metrics& m, unsigned status) {
  auto& counter = status >= 500 ? m.http_requests_5xx : status >= 400 ? m.http_requests_4xx : m.http_requests_2xx;
  counter.fetch_add(1, std::memory_order_relaxed);
}

unix_ms wall_clock() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

int serve(const node_options& options, std::vector<entity_type> types, signals& signals) {
  // Shared with the listener, which is called for as long as anybody logs.
  auto events = std::make_shared<recent_events>(wall_clock);
  log::set_listener([events](auto level, auto name, auto fields) { events->add(level, name, fields); });

  auto store_options = store_options_of(options);
  auto dataset = check_dataset(store_options, options.cluster,
                               options.allow_volatile ? volatile_store::allow : volatile_store::refuse);
  if (!dataset.ok()) return fail(dataset.error);

  std::vector<std::string> names;
  names.reserve(types.size());
  for (const auto& t : types) names.push_back(t->name());
  node_metrics metrics{dataset.info.shards, names};
  entity_catalog catalog{std::move(types), message_digester{dataset.info.secret}, options.state_bytes,
                         dataset.info.shards};

  ending end;
  node self{options,
            std::move(catalog),
            &msgpack_of_json,
            dataset.info.id,
            dataset.info.shards,
            metrics,
            [&](std::string why) {
              end.set(std::move(why));
              signals.notify();
            }};
  if (auto why = self.listen(); !why.empty()) return fail(why);

  member_client others;
  http_api_sources sources{[&] { return render_prometheus(metrics, std::string{version}); }, wall_clock,
                           &signals::terminate, [events] { return events->get(); },
                           [&others](auto host, auto port, auto path, auto done) {
                             others.get(std::move(host), port, std::move(path), std::move(done));
                           }};
  http_server_options http{options};
  http_server door{http, make_http_api(self, std::move(sources)),
                   [&](unsigned status) { count_request(metrics, status); }};
  if (auto why = door.start(); !why.empty()) return fail(why);

  // After the node and before its stop: the handlers call into the node for as long as the store's thread runs.
  std::atomic<bool> stopping{false};
  redis_store store{store_options,
                    options.cluster,
                    dataset.info.shards,
                    self.shard_handlers(),
                    self.member_handlers(),
                    [&](const std::string& why) {
                      if (!stopping) log::warn("store cannot be reached", {{"reason", why}});
                    }};
  auto http_address = options.http_address + ":" + std::to_string(door.port());
  self.start(store.shards(), store.members(), store.inboxes(), store.lanes(), http_address);
  store.start();
  log::info("node started", {{"node", options.node},
                             {"cluster", options.cluster},
                             {"http", http_address},
                             {"peers", options.peer_address + ":" + std::to_string(self.peer_port())},
                             {"shards", std::to_string(dataset.info.shards)},
                             {"redis", dataset.info.version},
                             {"version", std::string{version}}});

  while (signals.wait() == signals::what::terminate) self.drain();
  auto why = end.get();
  stopping = true;
  door.stop(std::chrono::seconds{1});
  self.stop();
  store.stop();
  if (!why.empty()) return fail(why);
  log::info("node stopped", {{"node", options.node}});
  return 0;
}

}  // namespace

int run(int argc, char** argv, std::vector<entity_type> types) {
  signals signals;
  auto asked = parse_invocation(argc, argv, version);
  for (const auto& w : asked.warnings) log::warn("configuration", {{"warning", w}});
  switch (asked.what) {
  case invocation::command::serve:
    log::set_level(asked.options.log_level);
    return serve(asked.options, std::move(types), signals);
  case invocation::command::init: return init(asked);
  case invocation::command::check:
  case invocation::command::print_config:
  case invocation::command::show_text: break;
  }
  std::fputs(asked.text.c_str(), asked.exit_code == 0 ? stdout : stderr);
  return asked.exit_code;
}

}  // namespace pawl
