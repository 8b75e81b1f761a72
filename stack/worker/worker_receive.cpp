#include <algorithm>

#include "stack/endpoint/identify.hpp"
#include "stack/wire/chunk.hpp"
#include "stack/wire/crc32c.hpp"
#include "stack/worker/worker.hpp"

namespace sluice::worker {

bool Worker::receive_ports(bool everything) {
  bool any = false;
  for (const ReceiveQueue& from : receive_queues_) any |= receive_queue(from, everything);
  process_batch();
  return any;
}

bool Worker::receive_queue(const ReceiveQueue& from, bool everything) {
  drivers::Port& port = *stack_.ports[from.port];
  std::size_t left = std::size_t{stack_.config.turn.receive_bursts} * drivers::kMaxBurst;
  if (everything) left = std::max<std::size_t>(left, port.info().receive_descriptors);
  bool any = false;
  while (left > 0) {
    const std::uint16_t n = port.receive(from.queue, std::span(frames_).first(std::min(left, frames_.size())));
    any |= n > 0;
    left -= n;
    counters_.rx_frames += n;
    for (std::uint16_t i = 0; i < n; ++i) {
      if (i + 2 < n) __builtin_prefetch(frames_[i + 2u].data());
      take_frame(from.port, std::move(frames_[i]));
    }
    // A short burst is the last as a rule, but some devices end theirs where a cache line of descriptors ends.
    if (n == 0 || (n < frames_.size() && !everything)) break;
  }
  return any;
}

void Worker::take_frame(std::uint16_t port, base::Buffer&& frame) {
  if (!alone_) {
    if (const auto hash = ip::Layer::fragment_hash(frame.bytes())) {
      const endpoint::WorkerId joiner(static_cast<std::uint16_t>(*hash % stack_.workers()));
      if (joiner != self_) {
        base::InboundPacket packet;
        packet.arrival.port = port;
        packet.buffer = std::move(frame);
        ++counters_.fragments_forwarded;
        return forward(joiner, PacketRecord::Kind::fragment, self_, {}, std::move(packet));
      }
    }
  }
  if (auto packet = ip_.input(port, std::move(frame), now_)) add_to_batch(std::move(*packet));
}

void Worker::add_to_batch(base::InboundPacket&& packet) {
  ++counters_.rx_packets;
  if (beyond_limits(packet.buffer.bytes())) return;
  batch_.push_back(std::move(packet));
  if (batch_.size() == kBatch) process_batch();
}

// First every checksum, then every tag, then every association: each pass finds in the cache what the one before it
// asked for.
void Worker::process_batch() {
  if (batch_.empty()) return;
  verify_batch();
  std::array<endpoint::Route, kBatch> routes;
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    if (batch_[i].arrival.checksum != base::Checksum::good) continue;
    routes[i] = steering_.classify(batch_[i].buffer.bytes());
    if (routes[i].to == endpoint::Route::To::owner) tags_.prefetch(routes[i].tag);
  }
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    if (batch_[i].arrival.checksum == base::Checksum::good)
      steer(std::move(batch_[i]), routes[i]);
    else
      ++(batch_[i].arrival.checksum == base::Checksum::zero ? counters_.drop_checksum_zero
                                                            : counters_.drop_checksum_bad);
  }
  batch_.clear();
}

// What the directory would refuse for its limits is not worth a checksum (RFC 9260 §5.1.3).
bool Worker::beyond_limits(std::span<const std::byte> packet) {
  const auto first = wire::first_chunk_type(packet);
  if (first == wire::ChunkType::init) {
    if (!inits_.empty(now_) || !directory_is_here(packet)) return false;
    ++endpoint_counters_.init_rate_limited;
    return true;
  }
  if (first != wire::ChunkType::cookie_echo || !forged_.empty(now_) || !directory_is_here(packet)) return false;
  // It may be that of an association, which its owner judges.
  const endpoint::Route route = steering_.classify(packet);
  if (route.to == endpoint::Route::To::owner && (route.worker != self_ || tags_.find(route.tag) != nullptr))
    return false;
  ++endpoint_counters_.cookie_rate_limited;
  return true;
}

bool Worker::directory_is_here(std::span<const std::byte> packet) const {
  if (alone_) return true;
  const auto header = wire::CommonHeader::parse(packet);
  return header && steering_.directory_of(header->destination_port, header->source_port) == self_;
}

void Worker::verify_batch() {
  std::array<std::span<const std::byte>, kBatch> packets;
  std::array<base::Checksum, kBatch> verdicts;
  std::array<std::uint16_t, kBatch> which;
  std::size_t n = 0;
  for (std::uint16_t i = 0; i < batch_.size(); ++i) {
    if (batch_[i].arrival.checksum != base::Checksum::unknown) continue;
    packets[n] = batch_[i].buffer.bytes();
    which[n++] = i;
  }
  if (n == 0) return;
  wire::crc32c_verify(std::span(packets).first(n), verdicts.data());
  counters_.rx_checksum_software += n;
  for (std::size_t i = 0; i < n; ++i) batch_[which[i]].arrival.checksum = verdicts[i];
}

void Worker::steer(base::InboundPacket&& packet, const endpoint::Route& route) {
  switch (route.to) {
    case endpoint::Route::To::nowhere:
      ++counters_.drop_malformed;
      return;
    case endpoint::Route::To::owner:
      if (route.worker == self_) {
        ++counters_.steered_own;
        return on_own_tag(std::move(packet), route, self_);
      }
      ++counters_.steered_away;
      return forward(route.worker, PacketRecord::Kind::steered, self_, route.tag, std::move(packet));
    case endpoint::Route::To::directory:
      return to_directory(std::move(packet), route, self_);
  }
}

// A tag that is in use is no identification yet: ports and addresses must be the association's (RFC 9260 §8.4, §8.5).
void Worker::on_own_tag(base::InboundPacket&& packet, const endpoint::Route& route, endpoint::WorkerId received_by) {
  AssociationRecord* const record = tags_.find(route.tag);
  if (record == nullptr || !endpoint::belongs(record->association, packet.arrival, packet.buffer.bytes())) {
    ++counters_.tag_misses;
    return to_directory(std::move(packet), route, received_by);
  }
  if (wire::first_chunk_type(packet.buffer.bytes()) == wire::ChunkType::cookie_echo)
    return on_setup_packet(*record, std::move(packet));
  hand_to(*record, std::move(packet));
}

// What it ended goes before the next packet is looked at, which then is out of the blue or a new beginning; unless the
// application has no room to be told.
void Worker::hand_to(AssociationRecord& record, base::InboundPacket&& packet) {
  touch(record);
  record.association.receive(now_, std::move(packet));
  if (record.association.state() == assoc::State::closed) settle(record);
}

void Worker::to_directory(base::InboundPacket&& packet, const endpoint::Route& route, endpoint::WorkerId received_by) {
  const bool known = route.to == endpoint::Route::To::directory;
  const endpoint::WorkerId directory = known ? route.worker : steering_.directory_of(route.local_port, route.peer_port);
  if (directory == self_) return on_directory_packet(std::move(packet), received_by);
  ++counters_.steered_to_directory;
  forward(directory, PacketRecord::Kind::directory, received_by, route.tag, std::move(packet));
}

void Worker::on_directory_packet(base::InboundPacket&& packet, endpoint::WorkerId received_by) {
  const endpoint::Verdict verdict =
      responder_.receive(now_, packet, owner_for_new(packet.arrival, received_by), order_);
  switch (verdict.next) {
    case endpoint::Verdict::Next::done:
      return;
    case endpoint::Verdict::Next::to_owner:
      if (verdict.owner.worker != self_) {
        ++counters_.steered_to_owner;
        return forward(verdict.owner.worker, PacketRecord::Kind::to_owner, received_by, verdict.owner.tag,
                       std::move(packet));
      }
      if (AssociationRecord* const record = tags_.find(verdict.owner.tag))
        return on_setup_packet(*record, std::move(packet));
      ++counters_.drop_no_owner;
      return;
    case endpoint::Verdict::Next::create:
      return post(verdict.owner.worker, CreateMessage{order_, packet.arrival, packet.buffer.release()});
  }
}

void Worker::on_setup_packet(AssociationRecord& record, base::InboundPacket&& packet) {
  if (record.attempt != nullptr) return;  // it has not begun: the peer will try again
  using Next = endpoint::OwnerVerdict::Next;
  const endpoint::OwnerVerdict verdict =
      owner_role_.receive(now_, endpoint::tcb_of(record.association), record.parameters->values, packet);
  touch(record);
  switch (verdict.next) {
    case Next::done:
      return;
    case Next::receive:
      return hand_to(record, std::move(packet));
    case Next::receive_cookie:
      record.association.receive_cookie(now_, verdict.action, verdict.agreed, std::move(packet));
      return follow_tag(record);
    case Next::repeat_shutdown_ack:
      return record.association.repeat_shutdown_ack(packet.arrival.source);
  }
}

// The worker that received the first packet, if its port keeps a flow on one queue: then the rest comes there too. Else
// the least loaded; among equals in turn, as a burst of INITs is answered before the first association of it counts.
endpoint::WorkerId Worker::owner_for_new(const base::Arrival& arrival, endpoint::WorkerId received_by) {
  if (alone_) return self_;
  const drivers::PortInfo& port = stack_.ports[arrival.port]->info();
  if (port.offloads.spreads_flows && port.receive_queues >= stack_.workers()) return received_by;
  const auto load = [this](std::uint32_t worker) {
    return stack_.associations_of[worker].load(std::memory_order_relaxed);
  };
  std::uint32_t least = next_owner_++ % stack_.workers();
  for (std::uint32_t i = 0; i < stack_.workers(); ++i)
    if (load(i) < load(least)) least = i;
  return endpoint::WorkerId(static_cast<std::uint16_t>(least));
}

void Worker::forward(endpoint::WorkerId to, PacketRecord::Kind kind, endpoint::WorkerId received_by, VTag tag,
                     base::InboundPacket&& packet) {
  PacketRecord record{kind, received_by, tag, packet.arrival, &packet.buffer.block()};
  if (!stack_.mailbox(self_, to).packets.push(record)) {
    ++counters_.drop_ring_full;
    return;
  }
  packet.buffer.release();
}

bool Worker::take_forwarded(bool everything) {
  bool any = take_control();
  for (std::uint16_t from = 0; from < stack_.workers(); ++from) {
    if (from == self_.value) continue;
    Mailbox& mailbox = stack_.mailbox(endpoint::WorkerId(from), self_);
    any |= take_packets(mailbox.packets, everything);
  }
  process_batch();
  return any;
}

bool Worker::take_packets(base::SpscRing<PacketRecord>& from, bool everything) {
  if (from.empty()) return false;
  std::array<PacketRecord, drivers::kMaxBurst> records;
  for (std::size_t bursts = everything ? from.capacity() / records.size() + 1 : 1; bursts > 0; --bursts) {
    const std::size_t n = from.pop(records);
    counters_.forwarded_in += n;
    for (std::size_t i = 0; i < n; ++i) on_forwarded(records[i]);
    if (n < records.size()) break;
  }
  return true;
}

void Worker::on_forwarded(PacketRecord& record) {
  base::InboundPacket packet{record.arrival, base::Buffer::adopt(*record.block)};
  switch (record.kind) {
    case PacketRecord::Kind::steered: {
      const endpoint::Route route = steering_.classify(packet.buffer.bytes());
      return on_own_tag(std::move(packet), route, record.received_by);
    }
    case PacketRecord::Kind::directory:
      return on_directory_packet(std::move(packet), record.received_by);
    case PacketRecord::Kind::to_owner:
      if (AssociationRecord* const owned = tags_.find(record.tag)) return on_setup_packet(*owned, std::move(packet));
      ++counters_.drop_no_owner;
      return;
    case PacketRecord::Kind::fragment:
      if (auto joined = ip_.input(record.arrival.port, std::move(packet.buffer), now_))
        add_to_batch(std::move(*joined));
      return;
  }
}

}  // namespace sluice::worker
