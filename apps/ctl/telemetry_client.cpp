#include "apps/ctl/telemetry_client.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <sluice/error.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace sluice::apps {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024;  // DPDK's own limit is 16 KiB

/// Where DPDK puts the files of a process with this prefix.
std::string socket_path(const std::string& instance) {
  const char* const runtime = std::getenv("RUNTIME_DIRECTORY");
  const char* const user = std::getenv("XDG_RUNTIME_DIR");
  const std::string base = runtime != nullptr ? runtime : geteuid() == 0 ? "/var/run" : user != nullptr ? user : "/tmp";
  return base + "/dpdk/" + instance + "/dpdk_telemetry.v2";
}

}  // namespace

TelemetryClient::TelemetryClient(const std::string& instance)
    : socket_(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
  const std::string path = socket_path(instance);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw Error("the name of the stack is too long: " + instance);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const timeval patience{15, 0};
  if (socket_ >= 0) setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (socket_ < 0 || connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const std::string why = std::strerror(errno);
    if (socket_ >= 0) close(socket_);
    throw Error("no stack named '" + instance + "' answers at " + path + " (" + why +
                "); give --instance the name from its configuration, and run this as the same user");
  }
  receive();  // DPDK's greeting
}

TelemetryClient::~TelemetryClient() {
  close(socket_);
}

std::string TelemetryClient::receive() {
  std::vector<char> buffer(kMaxAnswer);
  const ssize_t got = recv(socket_, buffer.data(), buffer.size(), 0);
  if (got <= 0) throw Error("the stack did not answer in 15 s; does it still run?");
  return {buffer.data(), static_cast<std::size_t>(got)};
}

JsonValue TelemetryClient::ask(const std::string& command, std::uint64_t parameter) {
  const std::string request = command + ',' + std::to_string(parameter);
  if (send(socket_, request.data(), request.size(), MSG_NOSIGNAL) < 0) throw Error("the stack has gone away");
  const JsonValue reply = parse_json(receive());
  const JsonValue* const answer = reply.find(command);
  if (answer == nullptr || answer->object() == nullptr)
    throw Error("the stack does not answer " + command + "; its log says why");
  return *answer;
}

}  // namespace sluice::apps
