#pragma once

#include "cli/command.hpp"

/// What the commands do, one file each. Each prints its answer through the session and returns how the program ends.
namespace pawl::cli {

exit_status run_status(session& s);
exit_status run_nodes(session& s);
exit_status run_shards(session& s);
exit_status run_shard(session& s);
exit_status run_entity(session& s);
exit_status run_send(session& s);
exit_status run_tail(session& s);
exit_status run_drain(session& s);
exit_status run_letters_list(session& s);
exit_status run_letters_show(session& s);
exit_status run_letters_replay(session& s);
exit_status run_letters_discard(session& s);
exit_status run_doctor(session& s);
exit_status run_bench(session& s);
exit_status run_config_check(session& s);
exit_status run_completion(session& s);

}  // namespace pawl::cli
