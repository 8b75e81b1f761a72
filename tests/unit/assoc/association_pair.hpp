#pragma once

#include <gtest/gtest.h>

#include <map>

#include "stack/wire/chunk_cookie.hpp"
#include "stack/wire/chunk_init.hpp"
#include "tests/unit/assoc/association_host.hpp"

namespace sluice::assoc {

using namespace std::chrono_literals;

/// What happens to packets between the two, each with a probability in 1000.
struct Faults {
  std::uint32_t lost = 0;
  std::uint32_t duplicated = 0;
  std::uint32_t reordered = 0;
};

/// Two associations joined by a wire with faults, in virtual time, everything from one seed. `left` opens; what the
/// endpoint room does for `right` (INIT ACK, cookie) is done here in the simplest way.
class AssociationPair {
 public:
  explicit AssociationPair(std::uint64_t seed, Faults faults = {})
      : faults_(faults), chance_(seed), left(seed + 1), right(seed + 2) {}
  ~AssociationPair() { wire_.clear(); }

  void connect() {
    Handshake ours;
    ours.local_port = kHerePort;
    ours.peer_port = kTherePort;
    ours.local_tag = VTag(chance_.u32() | 1);
    ours.local_initial_tsn = Tsn(chance_.u32());
    ours.outbound_streams = 10;
    ours.inbound_streams = 10;
    ours.local_addresses = {kHere};
    ours.peer_addresses = {kThere};
    left.open().connect(now, ours);
  }

  /// Runs until `done` says so, or `limit` of virtual time passed, or nothing is left to happen. True if done.
  template <class Done>
  bool run(Done&& done, Duration limit = 10min) {
    const Timestamp end = now + limit;
    while (!done()) {
      turn(left, true);
      turn(right, false);
      if (done()) return true;
      Timestamp next = std::min(deadline(left), deadline(right));
      if (!wire_.empty()) next = std::min(next, wire_.begin()->first);
      if (next == kNever || next > end) return false;
      now = std::max(now, next);
      expire(left);
      expire(right);
      while (!wire_.empty() && wire_.begin()->first <= now) {
        Flight flight = std::move(wire_.begin()->second);
        wire_.erase(wire_.begin());
        arrive(flight);
      }
    }
    return true;
  }
  bool both_established() const { return state(left) == State::established && state(right) == State::established; }
  static State state(const TestSide& side) { return side.association ? side.association->state() : State::closed; }
  static bool finished(const TestSide& side) { return side.association && side.association->finished(); }

  SendStatus send(TestSide& side, std::string_view text, StreamId stream = {}, bool unordered = false) {
    SendRequest request;
    request.payload = side.payloads.copy_of(std::as_bytes(std::span(text)));
    request.stream = stream;
    request.unordered = unordered;
    return side.association->send(std::move(request));
  }

  Timestamp now{1s};
  std::uint64_t packets = 0;

 private:
  struct Flight {
    bool to_right;
    base::Arrival arrival;
    base::Buffer buffer;
  };

  Timestamp deadline(const TestSide& side) const {
    return side.association ? side.association->next_deadline() : kNever;
  }
  void expire(TestSide& side) {
    if (side.association && deadline(side) <= now) side.association->on_deadline(now);
  }
  void turn(TestSide& side, bool to_right) {
    if (side.association) {
      side.association->resume_delivery(now);
      side.association->flush(now);
    }
    for (; !side.host.sent.empty(); side.host.sent.pop_front()) launch(side.host.sent.front(), to_right);
  }
  void launch(const base::OutboundPacket& packet, bool to_right) {
    ++packets;
    if (chance_.below(1000) < faults_.lost) return;
    const int copies = chance_.below(1000) < faults_.duplicated ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      const Duration delay = chance_.below(1000) < faults_.reordered ? 10ms + chance_.below(50) * 1ms : 10ms;
      const base::Arrival arrival{
          .source = packet.departure.source, .destination = packet.departure.destination, .time = now + delay};
      wire_.emplace(arrival.time, Flight{to_right, arrival, flying_.copy_of(packet.buffer.bytes())});
    }
  }
  void arrive(Flight& flight) {
    TestSide& side = flight.to_right ? right : left;
    base::InboundPacket packet{flight.arrival, std::move(flight.buffer)};
    const auto first = wire::first_chunk_type(packet.buffer.bytes());
    if (flight.to_right && first == wire::ChunkType::init) return answer_init(packet);
    if (flight.to_right && first == wire::ChunkType::cookie_echo) return take_cookie(std::move(packet));
    if (side.association) side.association->receive(now, std::move(packet));
  }
  /// As an endpoint would: INIT ACK with a cookie, and nothing kept that matters.
  void answer_init(const base::InboundPacket& packet) {
    const auto init = wire::InitChunk::parse(*wire::chunks_of(packet.buffer.bytes()).next());
    Handshake agreed;
    agreed.local_port = kTherePort;
    agreed.peer_port = kHerePort;
    agreed.local_tag = VTag(chance_.u32() | 1);
    agreed.peer_tag = init->init_tag();
    agreed.local_initial_tsn = Tsn(chance_.u32());
    agreed.peer_initial_tsn = init->initial_tsn();
    agreed.peer_window = init->window();
    agreed.outbound_streams = agreed.inbound_streams = 10;
    agreed.local_addresses = {kThere};
    agreed.peer_addresses = {packet.arrival.source};
    cookies_.push_back(agreed);
    base::OutboundPacket answer;
    answer.departure = {.source = kThere, .destination = packet.arrival.source};
    answer.buffer = right.host.packets.allocate(0, 200);
    {
      wire::PacketWriter writer(answer.buffer, 200,
                                {.source_port = kTherePort, .destination_port = kHerePort, .tag = init->init_tag()});
      wire::ChunkWriter chunk = wire::append_init_ack(writer, {.init_tag = agreed.local_tag,
                                                               .window = right.parameters.receive_window,
                                                               .outbound_streams = 10,
                                                               .inbound_streams = 10,
                                                               .initial_tsn = agreed.local_initial_tsn});
      base::store_be(wire::append_state_cookie(chunk, 4), static_cast<std::uint32_t>(cookies_.size() - 1));
    }
    launch(answer, false);
  }
  void take_cookie(base::InboundPacket&& packet) {
    const auto cookie = wire::CookieEchoChunk::parse(*wire::chunks_of(packet.buffer.bytes()).next())->cookie;
    const Handshake& agreed = cookies_.at(base::load_be<std::uint32_t>(cookie.data()));
    if (state(right) == State::closed) {
      if (!right.association) right.open().accept(now, agreed, std::move(packet));
      return;
    }
    if (right.association->local_tag() == agreed.local_tag && right.association->peer_tag() == agreed.peer_tag)
      right.association->receive_cookie(now, CookieAction::duplicate, agreed, std::move(packet));
  }

  Faults faults_;
  base::SeededRandom chance_;
  base::HeapBuffers flying_;
  std::vector<Handshake> cookies_;

 public:
  TestSide left;
  TestSide right;

 private:
  std::multimap<Timestamp, Flight> wire_;
};

}  // namespace sluice::assoc
