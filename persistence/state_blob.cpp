#include "persistence/state_blob.hpp"

#include "cluster/bytes.hpp"

namespace pawl {

void begin_state_blob(std::string& out, std::uint64_t last_seq) {
  byte_writer w{out};
  w.u8(state_blob_version);
  w.varint(last_seq);
}

void append_erased_blob(std::string& out, std::uint64_t last_seq) {
  byte_writer w{out};
  w.u8(erased_blob_version);
  w.varint(last_seq);
}

std::optional<state_blob> decode_state_blob(std::string_view bytes, std::string& error) {
  byte_reader r{bytes};
  const auto version = r.u8();
  // Before anything else: another version may look damaged from here on.
  if (!r.failed() && version != state_blob_version && version != erased_blob_version) {
    error = "stored state has format version " + std::to_string(version) + ", this program knows version " +
            std::to_string(state_blob_version) + ": run the version of the program that wrote it, or a newer one";
    return std::nullopt;
  }
  state_blob blob;
  blob.last_seq = r.varint();
  blob.state = r.raw(r.left());
  // No state encodes to nothing: the least is an empty map.
  if (r.failed() || blob.state.empty() != (version == erased_blob_version)) {
    error = "stored state is cut off after " + std::to_string(bytes.size()) + " bytes";
    return std::nullopt;
  }
  return blob;
}

}  // namespace pawl
