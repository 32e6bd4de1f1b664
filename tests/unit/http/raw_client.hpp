#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace pawl {

/// An HTTP answer as it came over the wire.
struct raw_answer {
  int status = 0;                              ///< 0: the connection ended before an answer was complete
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// A blocking TCP client that sends exactly the bytes it is told, also those that no HTTP library would send.
class raw_client {
public:
  explicit raw_client(std::uint16_t port);
  ~raw_client();
  raw_client(raw_client&& other) noexcept;
  raw_client& operator=(raw_client&&) = delete;

  /// False if the peer no longer takes bytes.
  bool send(std::string_view bytes);
  /// Reads the next answer. An answer to HEAD has no body, whatever its length says.
  raw_answer receive(bool to_head = false);
  /// Sends a request with a body (if any) and reads its answer.
  raw_answer ask(std::string_view method, std::string_view target, std::string_view body = {},
                 std::string_view content_type = {});
  /// Waits for the end of the connection; false if bytes arrive instead, or nothing within the patience of the test.
  bool ended();
  /// Ends what we send, and keeps reading.
  void shut();
  void close();

private:
  bool fill();
  int socket_ = -1;
  std::string buffer_;
};

/// The bytes of a request.
std::string request_bytes(std::string_view method, std::string_view target, std::string_view body = {},
                          std::string_view content_type = {});

}  // namespace pawl
