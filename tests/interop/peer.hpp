#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// What the peers of the interop tier have in common: what they are asked to do, and the exchange that they check. Each
// peer brings the sockets of one SCTP implementation, with calls that block.
namespace interop {

struct Message {
  std::uint16_t stream = 0;
  std::uint32_t ppid = 0;
  std::vector<std::uint8_t> bytes;
};

/// What a peer was asked for on its command line.
struct Options {
  std::string role;
  std::vector<std::string> peers;  ///< addresses of the other side; none: listen
  std::uint16_t port = 0;          ///< the server's
  std::vector<std::string> local;  ///< our addresses; empty: all
  std::uint16_t local_port = 0;    ///< where a client's association begins; 0: an ephemeral one
  std::uint32_t messages = 10000;
  std::uint16_t streams = 10;        ///< offered, and used as far as they are granted
  std::vector<std::uint32_t> sizes;  ///< of messages, taken in turn
  std::uint32_t window = 64;         ///< messages sent and not yet back
  std::uint32_t rate = 0;            ///< messages a second at most; 0: as they go
  std::string until;                 ///< client: send until this file exists
  std::uint32_t after = 0;           ///< the message after which `then` is done; 0: never
  std::string then;                  ///< "shutdown", "abort" or "pause"
  std::string go;                    ///< the file whose coming ends a pause
  std::vector<std::uint32_t> pace;   ///< ms: initial, least and greatest RTO, heartbeats; retransmissions on a path
};

enum class Received { message, closed, lost };

class Association {
 public:
  virtual ~Association() = default;
  /// False: it is over.
  virtual bool send(const Message& message) = 0;
  /// Waits for a whole message, or for how the association ended.
  virtual Received receive(Message& message) = 0;
  /// Graceful end; what the other side has still to send can be received.
  virtual void shutdown() = 0;
  virtual void abort(const std::string& reason) = 0;
  virtual std::uint16_t streams_out() = 0;
};

class Sockets {
 public:
  virtual ~Sockets() = default;
  virtual std::unique_ptr<Association> connect(const Options& options) = 0;
  virtual void listen(const Options& options) = 0;
  virtual std::unique_ptr<Association> accept() = 0;
};

/// The addresses one behind the other, as sctp_bindx() and sctp_connectx() take them.
struct PackedAddresses {
  PackedAddresses(const std::vector<std::string>& addresses, std::uint16_t port);

  sockaddr* first() { return reinterpret_cast<sockaddr*>(bytes.data()); }
  int count = 0;
  bool six = false;  ///< one of them is IPv6
  std::vector<std::uint8_t> bytes;
};

/// Ends the program with one line that says what was wrong.
[[noreturn]] void fail(const std::string& what);
/// fail() with what errno says, when `result` is negative.
int check(long result, const char* what);
/// Prints a line, and sees to it that another kernel that reads the file has it.
void say(const std::string& line);

/// The whole program: its command line, its role, its exit status.
int run_peer(const char* name, Sockets& sockets, int argc, char** argv);

}  // namespace interop
