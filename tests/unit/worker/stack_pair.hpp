#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "stack/base/endian.hpp"
#include "stack/wire/chunk.hpp"
#include "tests/sim/run_pair.hpp"
#include "tests/sim/sctp_frame.hpp"

namespace sluice::worker {

/// An SCTP packet that left a stack.
struct SentPacket {
  Timestamp time;
  IpAddress source;
  IpAddress destination;
  std::vector<std::byte> bytes;  ///< from the common header on

  VTag tag() const { return VTag(base::load_be<std::uint32_t>(&bytes[4])); }
  bool has(wire::ChunkType type) const {
    wire::ChunkWalker walker = wire::chunks_of(bytes);
    while (const auto chunk = walker.next())
      if (chunk->type == type) return true;
    return false;
  }
};

/// One stack of a pair, and what its application was told that runs in the workers' loops.
struct StackSide {
  std::unique_ptr<sim::SimStack> stack;
  std::vector<Event> events;
  std::vector<std::string> messages;

  sim::SimStack* operator->() const { return stack.get(); }
  Worker& owner(AssocId association) const { return stack->worker(owner_of(association)); }
  void take() {
    for (std::uint16_t i = 0; i < stack->workers(); ++i) {
      std::vector<Event> taken(64);
      taken.resize(stack->events(i).poll(taken));
      for (Event& event : taken) {
        if (event.type == EventType::message)
          messages.emplace_back(reinterpret_cast<const char*>(event.data), event.length);
        if (event.data != nullptr) {
          EXPECT_TRUE(stack->events(i).release(event.handle));
        }
        event.data = nullptr;
        events.push_back(event);
      }
    }
  }
  std::size_t count(EventType type) const {
    const auto is = [type](const Event& event) { return event.type == type; };
    return static_cast<std::size_t>(std::count_if(events.begin(), events.end(), is));
  }
  /// The association that came up last.
  AssocId up() const {
    for (auto event = events.rbegin(); event != events.rend(); ++event)
      if (event->type == EventType::association_up) return event->association;
    ADD_FAILURE() << "no association came up";
    return {};
  }
  EndpointId open(std::uint16_t port, bool listen, const assoc::AddressList& addresses = {}) {
    OpenEndpointArguments arguments;
    arguments.port = port;
    arguments.listen = listen;
    arguments.addresses = addresses;
    return stack->open(arguments);
  }
  void connect(std::uint16_t worker, EndpointId endpoint, const IpAddress& peer, std::uint16_t port) {
    ConnectArguments arguments;
    arguments.peers = {peer};
    arguments.port = port;
    stack->worker(static_cast<std::uint16_t>(worker % stack->workers())).connect(sim::kInline, endpoint, arguments, 0);
  }
  assoc::SendStatus send(AssocId association, const std::string& text) {
    return stack->send(association, std::as_bytes(std::span(text)));
  }
  assoc::Snapshot state_of(AssocId association) const {
    assoc::Snapshot snapshot;
    EXPECT_TRUE(owner(association).snapshot(association, snapshot));
    return snapshot;
  }
};

/// Two whole stacks on one wire, `a` and `b`; every SCTP packet that leaves either is kept.
class StackPair {
 protected:
  StackPair() {
    wire.set_tap([this](const drivers::WireEvent& event) {
      const auto sctp = event.fate == drivers::WireFate::sent ? sim::sctp_in(event.frame) : std::nullopt;
      if (sctp)
        sent.push_back(
            {event.time, sctp->source, sctp->destination, std::vector(sctp->packet.begin(), sctp->packet.end())});
    });
  }
  ~StackPair() = default;

  void make_stacks() {
    a.stack = std::make_unique<sim::SimStack>(wire, clock, 1, options);
    options.name = "b";
    options.host = 2;
    b.stack = std::make_unique<sim::SimStack>(wire, clock, 2, options);
  }
  /// Steps both stacks for `time`, to the next thing that happens each time.
  void run(Duration time) {
    sim::run_pair(clock, wire, *a.stack, *b.stack, clock.now() + time, std::chrono::microseconds(1),
                  [this] { return take(); });
  }
  /// Steps both stacks until nothing is left to do at this moment.
  void settle() {
    for (int turn = 0; turn < 1000; ++turn) {
      bool worked = a->group().poll_all();
      worked |= b->group().poll_all();
      if (!take() && !worked) return;
    }
    ADD_FAILURE() << "the stacks do not come to rest";
  }
  /// What applications do between two turns; true if another turn has to follow at once.
  virtual bool take() {
    a.take();
    b.take();
    return false;
  }
  /// The other end of an association of `here`.
  AssocId other_end(StackSide& here, AssocId association) {
    StackSide& there = &here == &a ? b : a;
    const VTag tag = here.state_of(association).peer_tag;
    for (std::uint16_t i = 0; i < there->workers(); ++i) {
      const assoc::Association* next = there->worker(i).next_association(encode({endpoint::WorkerId(i), 0, 0}));
      for (; next != nullptr; next = there->worker(i).next_association(next->id()))
        if (next->local_tag() == tag) return next->id();
    }
    ADD_FAILURE() << "the peer has no such association";
    return {};
  }
  /// The packets that left since `sent` was cleared, from `source`, with a chunk of `type`.
  std::vector<SentPacket> sent_by(const IpAddress& source, wire::ChunkType type) const {
    std::vector<SentPacket> found;
    for (const SentPacket& packet : sent)
      if (packet.source == source && packet.has(type)) found.push_back(packet);
    return found;
  }

  base::SimClock clock;
  base::SeededRandom random{5};
  drivers::MemoryWire wire{clock, random};
  sim::SimStackOptions options;
  StackSide a, b;
  std::vector<SentPacket> sent;
};

}  // namespace sluice::worker
