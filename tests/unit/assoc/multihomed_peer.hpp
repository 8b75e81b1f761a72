#pragma once

#include <vector>

#include "tests/unit/assoc/scripted_peer.hpp"

namespace sluice::assoc {

/// A peer with two addresses.
class MultihomedPeer : public ScriptedPeer {
 protected:
  MultihomedPeer() {
    side_.parameters.heartbeat_interval = 30s;
    side_.parameters.path_max_retransmissions = 2;
  }

  void accept(const Handshake& agreed) {
    base::Buffer packet = this->packet(kOurTag, [](wire::PacketWriter& writer) {
      wire::append_cookie_echo(writer, std::as_bytes(std::span("cookie", 6)));
    });
    side_.open().accept(
        now_, agreed, {.arrival = {.source = kThere, .destination = kHere, .time = now_}, .buffer = std::move(packet)});
  }
  Handshake two_paths() const {
    Handshake handshake = agreed();
    EXPECT_TRUE(handshake.peer_addresses.push_back(kThere2));
    return handshake;
  }
  /// Both paths confirmed.
  void go_multihomed() {
    accept(two_paths());
    for (const SentPacket& packet : flush())
      if (const wire::Chunk* const beat = packet.find(wire::ChunkType::heartbeat)) answer(*beat);
    host().events.clear();
  }
  /// A HEARTBEAT ACK for `heartbeat`, as a peer sends it.
  void answer(const wire::Chunk& heartbeat, std::uint8_t flip = 0) {
    std::vector<std::byte> info(heartbeat.body().size() - 4);
    std::memcpy(info.data(), heartbeat.body().data() + 4, info.size());
    info[0] ^= std::byte{flip};
    inject([&](wire::PacketWriter& packet) { wire::append_heartbeat_ack(packet, info); });
  }
  /// The next packet with a HEARTBEAT, after as many deadlines as it takes.
  SentPacket next_heartbeat() {
    for (int i = 0; i < 10; ++i) {
      for (SentPacket& packet : flush())
        if (packet.find(wire::ChunkType::heartbeat) != nullptr) return std::move(packet);
      expire();
    }
    ADD_FAILURE() << "no HEARTBEAT";
    return {};
  }
};

}  // namespace sluice::assoc
