#pragma once

#include <sluice/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

#include "stack/base/random.hpp"
#include "stack/endpoint/shard_table.hpp"
#include "stack/endpoint/tag_codec.hpp"

namespace sluice::endpoint {

/// Where a received packet goes first, by its first chunk and its tag alone.
struct Route {
  enum class To : std::uint8_t {
    owner,      ///< to the worker that its tag names, whose table decides; when it misses, on to the directory
    directory,  ///< it bears no tag of ours: to the worker that its ports name
    nowhere,  ///< not an SCTP packet, a port is 0 (RFC 9260 §3.1), or a zero tag without an INIT (§8.5.1 A): dropped
              ///< and counted
  };
  To to = To::nowhere;
  WorkerId worker{};
  VTag tag;  ///< of the common header
  std::uint16_t local_port = 0;
  std::uint16_t peer_port = 0;
};

/// Says which worker is concerned with what. Every worker has a copy, all alike; part of the hand-over state.
class Steering {
 public:
  /// `key` is process-wide and secret.
  Steering(const base::SipKey& key, std::uint32_t workers);

  /// `packet` begins with the common header. INIT, and ABORT and SHUTDOWN COMPLETE with the T bit, go to the
  /// directory; a COOKIE ECHO goes to the owner of its tag first, like everything else.
  Route classify(std::span<const std::byte> packet) const;

  WorkerId owner_of(VTag tag) const { return shards_.workers() == 1 ? WorkerId(0) : shards_.owner(codec_.shard(tag)); }
  /// The directory of every association between these two ports, the same for all its paths.
  WorkerId directory_of(std::uint16_t local_port, std::uint16_t peer_port) const;
  /// A random tag that names `worker`. Whether it is in use only its owner can tell.
  VTag new_tag(WorkerId worker, base::Random& random) const;

  ShardTable& shards() { return shards_; }
  const ShardTable& shards() const { return shards_; }

 private:
  base::SipKey directory_key_;
  TagCodec codec_;
  ShardTable shards_;
};

}  // namespace sluice::endpoint
