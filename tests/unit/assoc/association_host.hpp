#pragma once

#include <deque>
#include <string>
#include <vector>

#include "stack/assoc/association.hpp"
#include "stack/assoc/pools.hpp"
#include "stack/base/heap_buffers.hpp"
#include "stack/base/seeded_random.hpp"

namespace sluice::assoc {

/// What a test saw of an event; the bytes are copied out.
struct SeenEvent {
  Event event;
  std::string data;
};

/// The world around one association: collects what it sends and what it tells.
class TestHost final : public Host {
 public:
  base::Buffer allocate_packet(std::uint32_t bytes, std::uint16_t /*port*/) noexcept override {
    if (packet_room == 0) return {};
    if (packet_room != kUnlimited) --packet_room;
    return packets.allocate(base::kLowerHeadroom, bytes);
  }
  void transmit(base::OutboundPacket&& packet) noexcept override { sent.push_back(std::move(packet)); }
  bool deliver(const Event& event, base::Buffer& buffer) noexcept override {
    if (event_room == 0) return false;
    if (event_room != kUnlimited) --event_room;
    SeenEvent seen{event, {reinterpret_cast<const char*>(event.data), event.data == nullptr ? 0 : event.length}};
    seen.event.data = nullptr;
    events.push_back(std::move(seen));
    buffer.reset();
    return true;
  }
  bool resolve(base::Departure& route, std::uint16_t& path_mtu, std::uint16_t& port) noexcept override {
    ++resolved;
    if (!routed) return false;
    route.next_hop = next_hop;
    path_mtu = mtu;
    port = route.destination == second_port_destination ? kSecondPort : kFirstPort;
    return true;
  }
  static constexpr std::uint16_t kFirstPort = 3;
  static constexpr std::uint16_t kSecondPort = 4;
  IpAddress second_port_destination;  ///< the peer's address that is reached by the second port

  static constexpr std::uint32_t kUnlimited = UINT32_MAX;
  std::uint32_t packet_room = kUnlimited;  ///< packets that may still be allocated
  std::uint32_t event_room = kUnlimited;   ///< events that may still be delivered
  bool routed = true;
  std::uint32_t next_hop = 7;  ///< of all routes
  std::uint16_t mtu = 1500;
  int resolved = 0;
  base::HeapBuffers packets;
  std::deque<base::OutboundPacket> sent;
  std::vector<SeenEvent> events;

  /// Events of `type` seen so far.
  std::vector<SeenEvent> seen(EventType type) const {
    std::vector<SeenEvent> found;
    for (const SeenEvent& event : events)
      if (event.event.type == type) found.push_back(event);
    return found;
  }
};

/// A host and all else that an association needs; one association may follow another.
struct TestSide {
  explicit TestSide(std::uint64_t seed) : random(seed) {}
  ~TestSide() { association.reset(); }

  Association& open() {
    association.reset();
    association.emplace(services, parameters, Identity{AssocId(11), EndpointId(2)});
    return *association;
  }

  TestHost host;
  base::SeededRandom random;
  base::HeapBuffers copies;
  base::HeapBuffers receive_pool{1 << 16};
  base::HeapBuffers payloads;
  Pools pools;
  Counters counters;
  Parameters parameters;
  Services services{host, random, copies, receive_pool, pools, counters};
  std::optional<Association> association;
};

inline const IpAddress kHere = IpAddress::v4(0xc6120001);    // 198.18.0.1
inline const IpAddress kThere = IpAddress::v4(0xc6120002);   // 198.18.0.2
inline const IpAddress kThere2 = IpAddress::v4(0xc6120102);  // 198.18.1.2
inline const IpAddress kThere3 = IpAddress::v4(0xc6120202);  // 198.18.2.2
inline const IpAddress kElsewhere = IpAddress::v4(0xc6130009);
inline constexpr std::uint16_t kHerePort = 2905;
inline constexpr std::uint16_t kTherePort = 3868;

}  // namespace sluice::assoc
