#include "drivers/dpdk_port.hpp"

#include <rte_ethdev.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "drivers/mbuf_block.hpp"

namespace sluice::drivers {

using base::Buffer;
using base::Checksum;
using base::FrameInfo;

std::uint16_t DpdkPort::receive(std::uint16_t queue_number, std::span<Buffer> out) noexcept {
  Queue& queue = queues_[queue_number];
  queue.transmit_room = info_.transmit_descriptors;  // a new poll turn
  // That all frames of a burst were dropped does not mean that there are no others.
  std::uint16_t kept = 0;
  for (std::uint32_t left = info_.receive_descriptors; kept == 0;) {
    const std::uint16_t received = receive_burst(queue_number, out, kept);
    if (received == 0 || left <= received) break;
    left -= received;
  }
  return kept;
}

std::uint16_t DpdkPort::receive_burst(std::uint16_t queue_number, std::span<Buffer> out, std::uint16_t& n) noexcept {
  Queue& queue = queues_[queue_number];
  std::array<rte_mbuf*, kMaxBurst> burst;
  const auto most = static_cast<std::uint16_t>(std::min<std::size_t>(out.size(), burst.size()));
  const std::uint16_t received = rte_eth_rx_burst(port_, queue_number, burst.data(), most);
  for (std::uint16_t i = 0; i < received; ++i) {
    constexpr std::uint16_t kAhead = 4;
    if (i + kAhead < received) {
      rte_prefetch0(&block_of(*burst[i + kAhead]));
      rte_prefetch0(rte_pktmbuf_mtod(burst[i + kAhead], const void*));
    }
    Buffer frame = take(queue, *burst[i]);
    if (!frame) continue;
    ++queue.counters.rx_packets;
    queue.counters.rx_bytes += frame.size();
    out[n++] = std::move(frame);
  }
  return received;
}

Buffer DpdkPort::take(Queue& queue, rte_mbuf& mbuf) const noexcept {
  base::Block& block = block_of(mbuf);
  // A device's mbufs may lie in memory of its own, and those of a ring be of somebody else's pool.
  const bool ours = RTE_MBUF_DIRECT(&mbuf) && mbuf_of(block) == &mbuf;
  if (mbuf.nb_segs > 1 || !ours) return linearise(queue, mbuf);
  if (mbuf.data_off + std::uint32_t{mbuf.data_len} > mbuf.buf_len) return drop_too_long(queue, mbuf);
  block.data = rte_pktmbuf_mtod(&mbuf, std::byte*);
  block.length = mbuf.data_len;
  block.references = 1;
  block.frame = verdict(mbuf);
  return Buffer::adopt(block);
}

// What a device in another process says of a length may be anything.
Buffer DpdkPort::drop_too_long(Queue& queue, rte_mbuf& mbuf) noexcept {
  ++queue.counters.rx_too_long;
  rte_pktmbuf_free(&mbuf);
  return {};
}

Buffer DpdkPort::linearise(Queue& queue, rte_mbuf& mbuf) const noexcept {
  std::uint64_t bytes = 0;
  bool whole_in_memory = true;
  for (const rte_mbuf* segment = &mbuf; segment != nullptr; segment = segment->next) {
    bytes += segment->data_len;
    whole_in_memory &= segment->data_off + std::uint32_t{segment->data_len} <= segment->buf_len;
  }
  if (!whole_in_memory || bytes > queue.pool->block_bytes() - kReceiveHeadroom) return drop_too_long(queue, mbuf);
  Buffer whole = queue.pool->allocate_for_receiving();
  if (!whole) {
    ++queue.counters.rx_no_buffer;
  } else {
    for (const rte_mbuf* segment = &mbuf; segment != nullptr; segment = segment->next)
      std::memcpy(whole.append(segment->data_len), rte_pktmbuf_mtod(segment, const std::byte*), segment->data_len);
    whole.block().frame = verdict(mbuf);
    ++queue.counters.rx_linearised;
  }
  rte_pktmbuf_free(&mbuf);
  return whole;
}

FrameInfo DpdkPort::verdict(const rte_mbuf& mbuf) const noexcept {
  FrameInfo info;
  if (info_.offloads.rx_sctp_checksum && (mbuf.packet_type & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_SCTP) {
    // Without the packet's type the verdict might be UDP's, on SCTP inside it.
    const std::uint64_t flags = mbuf.ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    if (flags == RTE_MBUF_F_RX_L4_CKSUM_GOOD) info.sctp_checksum = Checksum::good;
    if (flags == RTE_MBUF_F_RX_L4_CKSUM_BAD) info.sctp_checksum = Checksum::bad;
  }
  info.ipv4_checksum_good =
      info_.offloads.rx_ipv4_checksum && (mbuf.ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
  return info;
}

std::uint16_t DpdkPort::transmit(std::uint16_t queue_number, std::span<Buffer> frames) noexcept {
  Queue& queue = queues_[queue_number];
  std::size_t taken = 0;
  while (taken < frames.size()) {
    const std::span<Buffer> rest = frames.subspan(taken, std::min<std::size_t>(kMaxBurst, frames.size() - taken));
    bool unfit = false;
    const std::uint16_t run = fit_run(queue, rest, unfit);
    const std::uint16_t sent = send(queue_number, rest.first(run));
    taken += sent;
    if (sent < run) break;
    if (unfit) rest[run].reset(), ++taken;
  }
  queue.counters.tx_refused += frames.size() - taken;
  const bool refused = taken < frames.size();
  queue.transmit_room = refused ? 0 : queue.transmit_room - std::min<std::size_t>(queue.transmit_room, taken);
  return static_cast<std::uint16_t>(taken);
}

std::uint16_t DpdkPort::fit_run(Queue& queue, std::span<Buffer> frames, bool& unfit) const noexcept {
  std::uint16_t run = 0;
  while (run < frames.size() && !unfit) {
    unfit = !make_fit(queue, frames[run]);
    if (!unfit) ++run;
  }
  return run;
}

std::uint16_t DpdkPort::send(std::uint16_t queue_number, std::span<Buffer> frames) noexcept {
  std::array<rte_mbuf*, kMaxBurst> burst;
  std::array<std::uint32_t, kMaxBurst> sizes;  // once sent, a frame may be gone
  bool offloads = false;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    base::Block& block = frames[i].block();
    rte_mbuf& mbuf = *(burst[i] = mbuf_of(block));
    mbuf.data_off = static_cast<std::uint16_t>(block.data - block.memory);
    mbuf.data_len = static_cast<std::uint16_t>(block.length);
    mbuf.pkt_len = sizes[i] = block.length;
    set_offloads(mbuf, block.frame);
    offloads |= mbuf.ol_flags != 0;
  }
  auto count = static_cast<std::uint16_t>(frames.size());
  QueueCounters& counters = queues_[queue_number].counters;
  std::uint16_t refused_by_kind = 0;
  if (offloads && prepares_) {
    const std::uint16_t prepared = rte_eth_tx_prepare(port_, queue_number, burst.data(), count);
    refused_by_kind = prepared < count ? 1 : 0;
    count = prepared;
  }
  std::uint16_t sent = count == 0 ? 0 : rte_eth_tx_burst(port_, queue_number, burst.data(), count);
  for (std::uint16_t i = 0; i < sent; ++i) {
    frames[i].release();
    ++counters.tx_packets;
    counters.tx_bytes += sizes[i];
  }
  // A frame that the PMD will never send must not stop those behind it for ever.
  if (sent == count && refused_by_kind != 0) {
    frames[sent++].reset();
    ++counters.tx_errors;
  }
  return sent;
}

bool DpdkPort::make_fit(Queue& queue, Buffer& frame) const noexcept {
  if (frame.size() > info_.mtu + kMaxEthernetHeader) {
    ++queue.counters.tx_too_long;
    return false;
  }
  const base::Block& block = frame.block();
  const bool ours = block.native != nullptr && block.references == 1 && block.pinned_by == nullptr;
  return ours || copy_to_send(queue, frame);
}

bool DpdkPort::copy_to_send(Queue& queue, Buffer& frame) const noexcept {
  Buffer copy = queue.pool->allocate(kReceiveHeadroom, frame.size());
  if (!copy) {
    ++queue.counters.tx_no_buffer;
    return false;
  }
  std::memcpy(copy.append(frame.size()), frame.data(), frame.size());
  copy.block().frame = frame.block().frame;
  frame = std::move(copy);
  ++queue.counters.tx_copied;
  return true;
}

void DpdkPort::set_offloads(rte_mbuf& mbuf, const FrameInfo& wish) const noexcept {
  mbuf.ol_flags = 0;
  mbuf.tx_offload = 0;
  const bool sctp = wish.sctp_checksum == Checksum::offload;
  if (!sctp && !wish.ipv4_checksum_offload) return;
  mbuf.l2_len = wish.l2_length;
  mbuf.l3_len = wish.l3_length;
  const auto* const ip = rte_pktmbuf_mtod_offset(&mbuf, const std::uint8_t*, wish.l2_length);
  constexpr int kVersionShift = 4;
  mbuf.ol_flags = *ip >> kVersionShift == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
  if (wish.ipv4_checksum_offload) mbuf.ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
  if (sctp) mbuf.ol_flags |= RTE_MBUF_F_TX_SCTP_CKSUM;
}

LinkState DpdkPort::link() noexcept {
  if (kernel_) return kernel_->link();
  rte_eth_link link{};
  if (rte_eth_link_get_nowait(port_, &link) != 0) return {};
  const bool known = link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
  return {link.link_status == RTE_ETH_LINK_UP, known ? link.link_speed : 0};
}

int DpdkPort::arm_receive_interrupt(std::uint16_t queue_number) noexcept {
  Queue& queue = queues_[queue_number];
  if (queue.interrupt_set < 0) return -1;
  // Asked each time: a vhost-user peer that comes back brings new descriptors, and the old ones left the set by
  // themselves.
  const int interrupt = rte_eth_dev_rx_intr_ctl_q_get_fd(port_, queue_number);
  if (interrupt < 0) return -1;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  if (epoll_ctl(queue.interrupt_set, EPOLL_CTL_ADD, interrupt, &event) != 0 && errno != EEXIST) return -1;
  if (rte_eth_dev_rx_intr_enable(port_, queue_number) != 0) return -1;
  return queue.interrupt_set;
}

void DpdkPort::disarm_receive_interrupt(std::uint16_t queue_number) noexcept {
  const Queue& queue = queues_[queue_number];
  if (queue.interrupt_set < 0) return;
  rte_eth_dev_rx_intr_disable(port_, queue_number);
  epoll_event event;
  epoll_wait(queue.interrupt_set, &event, 1, 0);
}

DeviceCounters DpdkPort::device_counters() noexcept {
  DeviceCounters counters;
  rte_eth_stats native{};
  if (rte_eth_stats_get(port_, &native) != 0) return counters;
  counters.rx_packets = native.ipackets;
  counters.rx_bytes = native.ibytes;
  counters.rx_missed = native.imissed;
  counters.rx_errors = native.ierrors;
  counters.rx_no_mbuf = native.rx_nombuf;
  counters.tx_packets = native.opackets;
  counters.tx_bytes = native.obytes;
  counters.tx_errors = native.oerrors;
  return counters;
}

}  // namespace sluice::drivers
