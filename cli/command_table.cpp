#include "cli/command.hpp"
#include "cli/commands/commands.hpp"

namespace pawl::cli {
namespace {

using kind = value_kind;

const option watch{watch_option, "[SECONDS]", "again every so often (2), until interrupted", kind::seconds};
const argument type{"TYPE", "entity type, such as order"};
const argument key{"KEY", "key of the entity"};
const argument letter_shard{"SHARD", "number of the shard", kind::count};
const argument letter_number{"NUMBER", "number of the letter", kind::count};
const option payload{"--payload", "JSON", "the message's members: JSON, @FILE, or - for the standard input"};

}  // namespace

const std::vector<option>& common_options() {
  static const std::vector<option> all{
      {"--node", "URL", "a node to ask, http://127.0.0.1:7420; may be repeated; also PAWL_NODES", kind::url, {}, true},
      {"--output", "FORMAT", "table or json", kind::format, "-o"},
      {"--timeout", "SECONDS", "longest wait for one answer (2; for messages and entities 10)", kind::seconds},
      {"--no-color", "", "no colours; also NO_COLOR, and when the output is no terminal"},
  };
  return all;
}

const std::vector<command>& commands() {
  static const std::vector<command> all{
      {"status", "Whether the cluster is healthy, and if not, why", {}, {watch}, run_status},
      {"nodes", "The nodes with what they do each second, measured", {}, {watch}, run_nodes},
      {"shards",
       "Who owns and holds each shard, and what it waits for",
       {},
       {{"--owner", "NODE", "only those of this node"}, {"--unserved", "", "only those that are not served"}, watch},
       run_shards},
      {"shard", "One shard, as every node sees it", {{"N", "number of the shard", kind::count}}, {watch}, run_shard},
      {"entity", "State of one entity, and of the shard it lies on", {type, key}, {watch}, run_entity},
      {"send",
       "Sends one message until it is resolved",
       {type, key, {"MESSAGE", "name of the message, such as OrderApproved"}},
       {{"--id", "ID", "id of the message; else one is made up and printed"},
        payload,
        {"--sent-at", "MS", "when it was first sent, milliseconds since 1970; with --id, to go on after a deadline",
         kind::count},
        {"--seq", "N", "the sender's number for the key, from 1", kind::count},
        {"--deadline", "SECONDS", "give up, unresolved, after this (30)", kind::seconds}},
       run_send},
      {"tail",
       "Prints what changes in the cluster, as it happens",
       {},
       {{"--interval", "SECONDS", "time between two looks (1)", kind::seconds},
        {"--for", "SECONDS", "end after this; else when interrupted", kind::seconds}},
       run_tail},
      {"drain",
       "Lets a node of this machine hand its shards over and end",
       {{"NODE", "name of the node"}},
       {{"--yes", "", "do not ask"}, {"--wait", "SECONDS", "for its end (30)", kind::seconds}},
       run_drain},
      {"dead-letters list", "Messages that could not take effect, the latest first", {}, {watch}, run_letters_list},
      {"dead-letters show", "One of them, with its payload", {letter_shard, letter_number}, {}, run_letters_show},
      {"dead-letters replay",
       "Handles one again; it is gone if that takes effect",
       {letter_shard, letter_number},
       {},
       run_letters_replay},
      {"dead-letters discard", "Drops one for good", {letter_shard, letter_number}, {}, run_letters_discard},
      {"doctor",
       "Checks configuration, ports, Redis, limits, clocks and what the nodes agree on",
       {},
       {{"--config", "FILE", "configuration file of a node; also PAWL_CONFIG", kind::path}},
       run_doctor},
      {"bench",
       "Sends messages and measures rate and latency; writes entities",
       {type, {"MESSAGE", "name of the message"}},
       {{"--yes", "", "needed: the messages take effect, on keys that begin with bench-"},
        payload,
        {"--count", "N", "messages at most (10000)", kind::count},
        {"--for", "SECONDS", "longest time (10)", kind::seconds},
        {"--connections", "N", "messages under way at once, 1 to 64 (8)", kind::count},
        {"--keys", "N", "keys to spread them over (100)", kind::count}},
       run_bench},
      {"config check",
       "Checks a configuration file as a node would",
       {{"FILE", "TOML file", kind::path}},
       {},
       run_config_check},
      {"completion", "Prints a completion script", {{"SHELL", "bash, zsh or fish", kind::shell}}, {}, run_completion},
  };
  return all;
}

}  // namespace pawl::cli
