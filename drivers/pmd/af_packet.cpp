#include <fmt/format.h>

#include <algorithm>

#include "drivers/kernel_interface.hpp"
#include "drivers/packet_pool.hpp"
#include "drivers/pmd/device.hpp"

namespace sluice::drivers::pmd {

// An AF_PACKET socket a queue, with memory-mapped rings. The kernel's own stack sees every frame too: the interface
// should carry no address, lest the kernel answer SCTP with ICMP protocol-unreachable.
Device describe_af_packet(const PortConfig& config) {
  // The PMD takes the ring for one array of frames, so that blocks must have no gap at their end; frames of a multiple
  // of 1 KiB, four to a block, fill whole pages.
  constexpr std::uint32_t kFramesPerBlock = 4;
  const std::uint32_t frame = frame_slot_bytes(config.mtu);
  const std::uint32_t descriptors = std::max(config.receive_descriptors, config.transmit_descriptors);
  const std::uint32_t frames = (descriptors + kFramesPerBlock - 1) / kFramesPerBlock * kFramesPerBlock;
  prepare_kernel_interface(config);
  Device device;
  device.name = "net_af_packet_" + config.name;
  device.arguments = fmt::format("iface={},qpairs={},blocksz={},framesz={},framecnt={},qdisc_bypass=1",
                                 config.interface, config.queues, frame * kFramesPerBlock, frame, frames);
  device.kernel_interface = config.interface;
  device.knows_mtu = false;     // it claims 1514 bytes at most
  device.spreads_flows = true;  // the kernel's fan-out by hash
  return device;
}

}  // namespace sluice::drivers::pmd
