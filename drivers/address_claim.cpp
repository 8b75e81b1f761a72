#include "drivers/address_claim.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "drivers/setup_error.hpp"
#include "stack/base/check.hpp"

namespace sluice::drivers {

// A name in the abstract namespace of UNIX sockets: the kernel keeps one for each network namespace, and no file is
// left behind.
AddressClaim::AddressClaim(const std::string& device, const IpAddress& address)
    : socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  const std::string name = "sluice " + device + ' ' + address.to_string();
  sockaddr_un place{};
  SLUICE_CHECK(name.size() < sizeof place.sun_path);
  place.sun_family = AF_UNIX;
  std::memcpy(place.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (socket_ >= 0 && bind(socket_, reinterpret_cast<const sockaddr*>(&place), length) == 0) return;
  const int error = errno;
  if (socket_ >= 0) close(socket_);
  if (error == EADDRINUSE)
    throw SetupError(fmt::format(
        "another stack has the address {} on {}; give this one an address of its own, or stop the other first",
        address.to_string(), device));
  throw SetupError(fmt::format("the address {} cannot be claimed: {}", address.to_string(), std::strerror(error)));
}

AddressClaim::~AddressClaim() {
  close(socket_);
}

}  // namespace sluice::drivers
