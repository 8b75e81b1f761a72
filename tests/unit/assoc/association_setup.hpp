#pragma once

#include <functional>

#include "tests/unit/assoc/scripted_peer.hpp"

namespace sluice::assoc {

/// A peer that answers our INIT and COOKIE ECHO as a test says.
class AssociationSetup : public ScriptedPeer {
 protected:
  void inject_cookie_ack() {
    inject([](wire::PacketWriter& packet) { wire::append_cookie_ack(packet); });
  }
  void inject_stale_cookie(const IpAddress& source = kThere) {
    inject(
        kOurTag,
        [](wire::PacketWriter& packet) {
          wire::ChunkWriter error = wire::append_error(packet);
          wire::append_stale_cookie(error, 0us);
        },
        source);
  }
  void inject_init_ack_with(const std::function<void(wire::ChunkWriter&)>& parameters,
                            const IpAddress& source = kThere) {
    inject(
        kOurTag,
        [&](wire::PacketWriter& packet) {
          wire::ChunkWriter chunk = wire::append_init_ack(packet, init_header());
          parameters(chunk);
        },
        source);
  }
  void inject_init_ack_header(const wire::InitHeader& header) {
    inject([&](wire::PacketWriter& packet) {
      wire::ChunkWriter chunk = wire::append_init_ack(packet, header);
      write_cookie(chunk);
    });
  }
};

}  // namespace sluice::assoc
