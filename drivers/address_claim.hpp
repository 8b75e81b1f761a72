#pragma once

#include <sluice/ip_address.hpp>

#include <string>

namespace sluice::drivers {

/// An address that one stack has at a time on a kernel interface. Two would both see what is for it, and each would
/// abort the associations of the other as out of the blue (RFC 9260 §8.4). Held as long as this lives, and let go when
/// the process ends, however it does.
class AddressClaim {
 public:
  /// `device` is the name of a kernel interface that there is. Throws SetupError, which says how to mend it, when
  /// another stack has the address on it.
  AddressClaim(const std::string& device, const IpAddress& address);
  AddressClaim(const AddressClaim&) = delete;
  AddressClaim& operator=(const AddressClaim&) = delete;
  ~AddressClaim();

 private:
  int socket_ = -1;
};

}  // namespace sluice::drivers
