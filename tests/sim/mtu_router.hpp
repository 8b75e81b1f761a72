#pragma once

#include <vector>

#include "drivers/memory_wire.hpp"
#include "stack/base/heap_buffers.hpp"

namespace sluice::sim {

/// A router between two stacks behind which less fits than on the link: what the wire drops as too long it cuts
/// (IPv4 without DF), or answers with "fragmentation needed" or "packet too big" (RFC 1191, RFC 8201).
class MtuRouter {
 public:
  /// Adds a port of its own to `segment` of `wire`.
  MtuRouter(drivers::MemoryWire& wire, std::uint16_t segment);
  MtuRouter(const MtuRouter&) = delete;
  MtuRouter& operator=(const MtuRouter&) = delete;

  /// The wire dropped `frame`, which is longer than `mtu` allows. May be called from within the wire's tap.
  void dropped(std::span<const std::byte> frame, std::uint16_t mtu);
  /// Sends what there is to send; false if there was nothing to do.
  bool step();

  std::uint64_t told() const { return told_; }
  std::uint64_t cut() const { return cut_; }

 private:
  void cut_ipv4(std::span<const std::byte> frame, std::uint16_t mtu);
  void tell_ipv4(std::span<const std::byte> frame, std::uint16_t mtu);
  void tell_ipv6(std::span<const std::byte> frame, std::uint16_t mtu);
  base::Buffer room_for(std::size_t bytes);
  std::span<std::byte> answer_to(std::span<const std::byte> frame, std::size_t bytes);

  base::HeapBuffers buffers_;
  std::uint8_t segment_;
  drivers::Port& port_;
  std::vector<base::Buffer> waiting_;
  std::uint64_t told_ = 0;
  std::uint64_t cut_ = 0;
};

}  // namespace sluice::sim
