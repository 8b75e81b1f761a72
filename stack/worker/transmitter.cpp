#include "stack/worker/transmitter.hpp"

#include <algorithm>
#include <cstring>

#include "stack/wire/crc32c.hpp"

namespace sluice::worker {

Transmitter::Transmitter(std::vector<TransmitRoute> routes, base::BufferSource& pool, Counters& counters)
    : routes_(std::move(routes)),
      pool_(pool),
      counters_(counters),
      staged_(routes_.size()),
      most_staged_(routes_.size(), kMaxStaged),
      room_(routes_.size()),
      stalled_since_(routes_.size(), kNever),
      turn_(routes_.size()) {
  for (auto& frames : staged_) frames.reserve(kMaxStaged);
}

Transmitter::~Transmitter() = default;

void Transmitter::begin_turn(Timestamp now, bool late) {
  for (std::size_t port = 0; port < routes_.size(); ++port) {
    const TransmitRoute& route = routes_[port];
    const std::size_t taken =
        route.through != nullptr ? route.through->blocks.room() : route.port->transmit_room(route.queue);
    const std::size_t staged = staged_[port].size();
    std::size_t room = taken > staged ? taken - staged : 0;
    if (!route.from_others.empty() && own_turn(port) && staged < kMaxWaiting)
      room = std::max<std::size_t>(room, drivers::kMaxBurst);
    room_[port] = static_cast<std::uint32_t>(std::min<std::size_t>(room, kMaxRoom));
    if (taken > 0 && staged == 0)
      stalled_since_[port] = kNever;
    else if (late || stalled_since_[port] == kNever)
      stalled_since_[port] = now;
  }
}

base::Buffer Transmitter::allocate(std::uint32_t bytes) {
  base::Buffer buffer = pool_.allocate(base::kLowerHeadroom, bytes);
  if (!buffer) ++counters_.tx_no_buffer;
  return buffer;
}

base::Buffer Transmitter::allocate_frame(std::uint32_t bytes) {
  return pool_.allocate(0, bytes);
}

void Transmitter::send(base::OutboundPacket&& packet, ip::Layer& ip, Timestamp now) {
  if (packet.departure.next_hop != 0) {
    std::uint32_t& room = room_[ip.port(packet.departure.next_hop)];
    if (room > 0) --room;
  }
  if (ip.may_offload_checksum(packet.departure, packet.buffer.size())) {
    packet.departure.checksum = base::Checksum::offload;
    ip.send(std::move(packet), now);
    return;
  }
  base::OutboundPacket& waiting = unsummed_[unsummed_count_++];
  waiting = std::move(packet);
  waiting.departure.checksum = base::Checksum::good;  // when it leaves
  if (unsummed_count_ == kChecksumBurst) compute_checksums(ip, now);
}

void Transmitter::compute_checksums(ip::Layer& ip, Timestamp now) {
  std::array<std::span<const std::byte>, kChecksumBurst> packets;
  std::array<std::uint32_t, kChecksumBurst> checksums;
  for (std::size_t i = 0; i < unsummed_count_; ++i) packets[i] = unsummed_[i].buffer.bytes();
  wire::crc32c_kernel.packets(std::span(packets).first(unsummed_count_), checksums.data());
  counters_.tx_checksum_software += unsummed_count_;
  for (std::size_t i = 0; i < unsummed_count_; ++i) {
    std::memcpy(unsummed_[i].buffer.data() + wire::kChecksumOffset, &checksums[i], sizeof checksums[i]);
    ip.send(std::move(unsummed_[i]), now);
  }
  unsummed_count_ = 0;
}

bool Transmitter::send_frame(std::uint16_t port, base::Buffer&& frame) {
  if (staged_[port].size() >= most_staged_[port]) return false;
  staged_[port].push_back(std::move(frame));
  return true;
}

void Transmitter::follow_port(std::uint16_t port, bool up) {
  most_staged_[port] = up ? kMaxStaged : drivers::kMaxBurst;
  if (staged_[port].size() <= most_staged_[port]) return;
  counters_.drop_port_down += staged_[port].size() - most_staged_[port];
  staged_[port].resize(most_staged_[port]);
}

bool Transmitter::take_frames() {
  bool any = false;
  for (std::uint16_t port = 0; port < routes_.size(); ++port)
    if (!routes_[port].from_others.empty()) any |= take_frames(port);
  return any;
}

// Without room they wait in their ring, and their sender sees it fill. Whose turn it is, of the others and this worker,
// changes only when there was room: else a port that drains in step with the turns would be always the same one's.
bool Transmitter::take_frames(std::uint16_t port) {
  const std::vector<FrameRing*>& rings = routes_[port].from_others;
  const bool had_room = staged_[port].size() < kMaxWaiting;
  bool any = false;
  for (std::size_t i = 0; i < rings.size() && may_take_frames(port); ++i) {
    std::array<base::Block*, drivers::kMaxBurst> blocks;
    const std::size_t n = rings[(turn_[port] + i) % rings.size()]->blocks.pop(blocks);
    for (std::size_t k = 0; k < n; ++k) staged_[port].push_back(base::Buffer::adopt(*blocks[k]));
    any |= n > 0;
  }
  if (had_room) turn_[port] = (turn_[port] + 1) % (rings.size() + 1);
  return any;
}

bool Transmitter::has_frames_to_take() const {
  for (std::uint16_t port = 0; port < routes_.size(); ++port)
    for (const FrameRing* const ring : routes_[port].from_others)
      if (may_take_frames(port) && !ring->blocks.empty()) return true;
  return false;
}

void Transmitter::end_turn(ip::Layer& ip, Timestamp now) {
  if (unsummed_count_ > 0) compute_checksums(ip, now);
  for (std::uint16_t port = 0; port < routes_.size(); ++port)
    if (!staged_[port].empty()) hand_over(port);
}

void Transmitter::hand_over(std::uint16_t port) {
  const TransmitRoute& route = routes_[port];
  std::vector<base::Buffer>& frames = staged_[port];
  std::size_t sent = 0;
  if (route.through != nullptr) {
    base::SpscRing<base::Block*>& ring = route.through->blocks;
    while (sent < frames.size() && ring.room() > 0) static_cast<void>(ring.push(frames[sent++].release()));
    counters_.tx_frames_forwarded += sent;
  } else {
    while (sent < frames.size()) {
      const std::span<base::Buffer> rest = std::span(frames).subspan(sent);
      const std::size_t burst = std::min<std::size_t>(rest.size(), drivers::kMaxBurst);
      const std::size_t taken = route.port->transmit(route.queue, rest.first(burst));
      sent += taken;
      if (taken < burst) break;
    }
    counters_.tx_frames += sent;
  }
  if (sent > 0) stalled_since_[port] = kNever;
  if (sent < frames.size()) ++counters_.tx_back_pressure;
  frames.erase(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(sent));
}

}  // namespace sluice::worker
