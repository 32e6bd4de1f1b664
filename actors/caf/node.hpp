#pragma once

#include "actors/batch.hpp"
#include "actors/ingress.hpp"
#include "actors/node_options.hpp"
#include "metrics/metrics.hpp"
#include "persistence/frontier.hpp"
#include "persistence/member_store.hpp"
#include "persistence/shard_store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pawl {

/// One node: hosts the decision classes as actors, one per shard and one for membership, with links to its peers.
/// CAF stays behind this header. Thread-safe once started.
///
/// Life: construct, `listen`, `start`, … `drain`, wait for `on_end`, `stop`.
class node : public ingress {
public:
  /// @param from_json of the payloads that come by the inbox
  /// @param metrics outlives the node
  /// @param on_end called once, on a thread of the node: it has left the cluster (empty text), or must end (why)
  node(node_options options, entity_catalog catalog, json_reader from_json, dataset_id dataset, std::uint32_t shards,
       node_metrics& metrics, std::function<void(std::string why)> on_end);
  ~node() override;
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Listens for peers. Empty, or why it cannot.
  [[nodiscard]] std::string listen();
  [[nodiscard]] std::uint16_t peer_port() const noexcept;

  /// Handlers for the stores, valid from construction on; what comes before `start` waits.
  [[nodiscard]] shard_store_handlers shard_handlers();
  [[nodiscard]] member_store_handlers member_handlers();

  /// Joins the cluster through these stores, which outlive the node's `stop`.
  /// @param http_address where clients reach this node, for other members to show; may be empty
  void start(shard_store& shards, member_store& members, inbox_watch& inboxes, std::uint32_t store_lanes,
             const std::string& http_address);

  /// Gives all shards away, then leaves; `on_end` tells when. A second call ends at once.
  void drain();
  /// Answers what still waits as unresolved, and ends all actors. Blocks. Idempotent.
  void stop();

  void submit(std::shared_ptr<const message_block> batch,
              std::function<void(std::vector<message_result>)> done) override;
  void submit_sequenced(shard_id shard, sequenced_batch batch, std::function<void(sequenced_answer)> done) override;
  void read(entity_id id, std::function<void(entity_answer)> done) override;
  void letters(shard_id shard, letter_query query,
               std::function<void(std::optional<letter_page>, std::string)> done) override;
  void act_on_letter(shard_id shard, letter_action action, std::function<void(entity_answer)> done) override;
  void detail(shard_id shard, std::function<void(std::optional<shard_detail>, std::string, std::string)> done) override;
  [[nodiscard]] cluster_status cluster() const override;
  [[nodiscard]] std::vector<shard_status> shards() const override;
  [[nodiscard]] shard_id shard_of(std::string_view key) const override;
  [[nodiscard]] bool ready(std::string& why) const override;

private:
  struct implementation;
  std::unique_ptr<implementation> impl_;
};

}  // namespace pawl
